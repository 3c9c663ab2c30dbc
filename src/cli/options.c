/* One table of all options of all commands. Options and operands may stand in any order; "--" ends
 * the options. An option that takes a value and is used twice is an error but for --group, since
 * one of the two would be lost in silence. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct option {
    const char *name;
    const char *value; /* what stands for its value in the synopsis; NULL: a flag */
    unsigned bit;
};

static const struct option table[] = {
    {"--name", "TEXT", OPTION_NAME},
    {"--email", "ADDRESS", OPTION_EMAIL},
    {"--group", "GROUP", OPTION_GROUP},
    {"--user", "NAME", OPTION_USER},
    {"--since", "WHEN", OPTION_SINCE},
    {"--json", NULL, OPTION_JSON},
    {"--password-stdin", NULL, OPTION_PASSWORD_STDIN},
    {"--config", "FILE", 0},
    {"--help", NULL, 0},
    {"--version", NULL, 0},
};

#define TABLE_SIZE (sizeof table / sizeof table[0])

static const struct option *find_option(struct text name)
{
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if (text_is(name, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

/* A word that is near to no option may be a password that begins with '-', and what follows '=' may
 * be one anyway: neither is repeated. */
static enum status refuse_unknown(const char *argument, int place, char error[OPTIONS_ERROR_MAX])
{
    const char *names[TABLE_SIZE + 1] = {0};
    char word[32];
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        names[i] = table[i].name;
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, "="), argument);
    const char *nearest = text_nearest(word, names);
    if (nearest != NULL) {
        (void)snprintf(error, OPTIONS_ERROR_MAX, "unknown option %s; did you mean %s?", word,
                       nearest);
    } else {
        (void)snprintf(error, OPTIONS_ERROR_MAX, "argument %d is no option; see --help", place);
    }
    return ERR_INPUT;
}

static const char **find_place(const struct option *option, struct options *out)
{
    switch (option->bit) {
    case OPTION_NAME:
        return &out->name;
    case OPTION_EMAIL:
        return &out->email;
    case OPTION_USER:
        return &out->user;
    case OPTION_SINCE:
        return &out->since;
    default:
        return &out->config_path;
    }
}

/* Puts a value where its option keeps it. */
static enum status keep_value(const struct option *option, const char *value, struct options *out,
                              char error[OPTIONS_ERROR_MAX])
{
    const char **place = find_place(option, out);
    if (option->bit == OPTION_GROUP) {
        if (out->group_count == OPTIONS_GROUPS_MAX) {
            (void)snprintf(error, OPTIONS_ERROR_MAX, "more than %d groups", OPTIONS_GROUPS_MAX);
            return ERR_INPUT;
        }
        out->groups[out->group_count++] = value;
        return OK;
    }
    if (*place != NULL) {
        (void)snprintf(error, OPTIONS_ERROR_MAX, "%s is given twice", option->name);
        return ERR_INPUT;
    }
    *place = value;
    return OK;
}

/* Reads the option at argv[*at], and its value, moving *at to the last argument used. */
static enum status read_option(int argc, char **argv, int *at, struct options *out,
                               char error[OPTIONS_ERROR_MAX])
{
    const char *argument = argv[*at];
    const char *equals = strchr(argument, '=');
    struct text name = {argument, equals != NULL ? (size_t)(equals - argument) : strlen(argument)};
    if (strcmp(argument, "-h") == 0) {
        name = TEXT("--help");
    } else if (strcmp(argument, "-c") == 0) {
        name = TEXT("--config");
    }
    const struct option *option = find_option(name);
    if (option == NULL) {
        return refuse_unknown(argument, *at, error);
    }
    out->given |= option->bit;
    if (option->value == NULL) {
        if (equals != NULL) {
            (void)snprintf(error, OPTIONS_ERROR_MAX, "%s takes no value", option->name);
            return ERR_INPUT;
        }
        out->help |= text_is(name, "--help");
        out->version |= text_is(name, "--version");
        return OK;
    }
    if (equals == NULL && *at + 1 >= argc) {
        (void)snprintf(error, OPTIONS_ERROR_MAX, "%s needs a value: %s %s", argument, argument,
                       option->value);
        return ERR_INPUT;
    }
    return keep_value(option, equals != NULL ? equals + 1 : argv[++*at], out, error);
}

enum status options_parse(int argc, char **argv, struct options *out, char error[OPTIONS_ERROR_MAX])
{
    bool options_over = false;
    *out = (struct options){0};
    for (int i = 1; i < argc; i++) {
        if (!options_over && strcmp(argv[i], "--") == 0) {
            options_over = true;
        } else if (!options_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            enum status status = read_option(argc, argv, &i, out, error);
            if (status != OK) {
                return status;
            }
        } else if (out->operand_count == OPTIONS_OPERANDS_MAX) {
            (void)snprintf(error, OPTIONS_ERROR_MAX,
                           "too many arguments (a password is never one: it is asked for, or read "
                           "with --password-stdin)");
            return ERR_INPUT;
        } else {
            out->operands[out->operand_count++] = argv[i];
        }
    }
    return OK;
}

const char *options_find_foreign(unsigned given, unsigned allowed)
{
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if ((given & table[i].bit & ~allowed) != 0) {
            return table[i].name;
        }
    }
    return NULL;
}

void options_print_synopsis(unsigned allowed, char *out, size_t room)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if ((table[i].bit & allowed) == 0 || len >= room) {
            continue;
        }
        int added = table[i].value == NULL
                        ? snprintf(out + len, room - len, " [%s]", table[i].name)
                        : snprintf(out + len, room - len, " [%s %s]%s", table[i].name,
                                   table[i].value, table[i].bit == OPTION_GROUP ? "..." : "");
        len += added > 0 ? (size_t)added : 0;
    }
}
