/* Making a hash of a new password, in line with all others who hash. */
#ifndef LATCHKEY_AUTH_HASHING_H
#define LATCHKEY_AUTH_HASHING_H

#include "base/config.h"
#include "crypto/hash_line.h"
#include "crypto/password.h"

/* Hashes with the configured cost, once it is its turn in the line (NULL: at once). ERR_BUSY: too
 * many wait; ERR_INPUT (see password_hash), ERR_SYSTEM, ERR_CRYPTO. */
enum status hashing_make(const struct config *config, struct hash_line *line, struct text password,
                         char out[PASSWORD_HASH_MAX]) MUST_USE;

/* The same without waiting for long: ERR_BUSY after HASHING_TRY_MS. */
#define HASHING_TRY_MS 1000
enum status hashing_try(const struct config *config, struct hash_line *line, struct text password,
                        char out[PASSWORD_HASH_MAX]) MUST_USE;

#endif
