/* What the commands about users share. */
#ifndef LATCHKEY_CLI_USER_H
#define LATCHKEY_CLI_USER_H

#include "cli/command.h"

/* Fills name, display name, e-mail address and groups of a new user from the operand and --name,
 * --email and --group. EXIT_FAILED: told what is wrong with one of them. */
int user_read_options(const struct options *options, struct user *out) MUST_USE;

#endif
