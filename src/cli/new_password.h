/* Asking for a new password. */
#ifndef LATCHKEY_CLI_NEW_PASSWORD_H
#define LATCHKEY_CLI_NEW_PASSWORD_H

#include "base/text.h"
#include "crypto/password.h"

/* Gets a new password: from the terminal, without echo, asked twice; or with `from_stdin` as the
 * first line of standard input. At least `min_length` characters (code points), at most
 * PASSWORD_BYTES_MAX bytes, UTF-8 without control characters. ERR_INPUT, ERR_SYSTEM: told on
 * standard error, *out wiped. The caller wipes *out. */
enum status new_password_get(bool from_stdin, uint64_t min_length, char out[PASSWORD_BYTES_MAX + 1])
    MUST_USE;

#endif
