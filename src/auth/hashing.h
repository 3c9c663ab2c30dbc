/* Making a hash of a new password, in line with all others who hash. */
#ifndef LATCHKEY_AUTH_HASHING_H
#define LATCHKEY_AUTH_HASHING_H

#include "auth/auth.h"

/* Hashes with the configured cost. ERR_BUSY: too many wait; ERR_INPUT (see password_hash),
 * ERR_SYSTEM, ERR_CRYPTO. */
enum status hashing_make(struct auth *auth, struct text password, char out[PASSWORD_HASH_MAX])
    MUST_USE;

#endif
