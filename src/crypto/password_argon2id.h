/* argon2id (RFC 9106) through libsodium. For password.c only, which looks at lengths and costs
 * first.
 */
#ifndef LATCHKEY_CRYPTO_PASSWORD_ARGON2ID_H
#define LATCHKEY_CRYPTO_PASSWORD_ARGON2ID_H

#include "crypto/password.h"
#include "crypto/password_format.h"

/* The "$argon2id$" text of a hash of 32 bytes with a fresh salt of 16 bytes. ERR_CRYPTO (logged).
 */
enum status password_argon2id_make(struct text password, const struct password_cost *cost,
                                   char out[PASSWORD_HASH_MAX]) MUST_USE;

/* Whether `hash`, read as `format`, was made of the password. ERR_CRYPTO (logged): it could not be
 * found out; *verdict is DENY then. */
enum status password_argon2id_check(struct text password, const char *hash,
                                    const struct password_format *format, enum verdict *verdict)
    MUST_USE;

/* Whether salt and hash are as long as password_argon2id_make makes them. */
bool password_argon2id_is_own(const struct password_format *format);

/* The lengths, and so the work, of our own hashes, with a cost. */
struct password_format password_argon2id_format(const struct password_cost *cost);

#endif
