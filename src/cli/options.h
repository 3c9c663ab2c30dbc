/* The options and operands of one command. */
#ifndef LATCHKEY_CLI_OPTIONS_H
#define LATCHKEY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define OPTIONS_GROUPS_MAX   32
#define OPTIONS_OPERANDS_MAX 3 /* group, command, and what it is about */
#define OPTIONS_ERROR_MAX    256

/* Options that only some commands take. */
enum {
    OPTION_NAME = 1 << 0,
    OPTION_EMAIL = 1 << 1,
    OPTION_GROUP = 1 << 2,
    OPTION_JSON = 1 << 3,
    OPTION_PASSWORD_STDIN = 1 << 4,
    OPTION_USER = 1 << 5,
    OPTION_SINCE = 1 << 6,
};

/* All strings are borrowed from the arguments. */
struct options {
    unsigned given; /* OPTION_… that were used */
    bool help, version;
    const char *config_path, *name, *email, *user, *since;
    const char *groups[OPTIONS_GROUPS_MAX];
    size_t group_count;
    const char *operands[OPTIONS_OPERANDS_MAX];
    size_t operand_count;
};

/* Reads argv[1…]: long options as "--name VALUE" or "--name=VALUE", "-c FILE", "-h"; anywhere,
 * until "--". ERR_INPUT: `error` says what is wrong; it names options, never an operand or a value,
 * which might be a password given by mistake. */
enum status options_parse(int argc, char **argv, struct options *out, char error[OPTIONS_ERROR_MAX])
    MUST_USE;

/* The first option in `given` that is not in `allowed`, as "--json", or NULL. */
const char *options_find_foreign(unsigned given, unsigned allowed);

/* Writes how the options are used, as " [--json]", into `out`. */
void options_print_synopsis(unsigned allowed, char *out, size_t room);

#endif
