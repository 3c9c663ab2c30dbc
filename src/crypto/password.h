/* Password hashes: argon2id of our own, and what crypt(3) knows for imported users. */
#ifndef LATCHKEY_CRYPTO_PASSWORD_H
#define LATCHKEY_CRYPTO_PASSWORD_H

#include "base/text.h"

#define PASSWORD_HASH_MAX  384  /* bytes of a stored hash, NUL included */
#define PASSWORD_BYTES_MAX 1024 /* longest password; longer ones are wrong without being hashed */

struct password_cost {
    uint64_t memory_bytes; /* argon2id m */
    uint64_t passes;       /* argon2id t */
};

/* Hashes with argon2id (RFC 9106; libsodium, p = 1) in "$argon2id$" text with a fresh salt.
 * ERR_INPUT when over PASSWORD_BYTES_MAX or holding NUL, ERR_CRYPTO. */
enum status password_hash(struct text password, const struct password_cost *cost,
                          char out[PASSWORD_HASH_MAX]) MUST_USE;

/* Whether the password is the one that was hashed. *stale (may be NULL) becomes true when it is and
 * the hash is of another scheme or another cost than `cost`. A hash that is malformed, of an
 * unknown scheme or out of bounds denies, with a log line. */
enum verdict password_check(struct text password, const char *hash,
                            const struct password_cost *cost, bool *stale) MUST_USE;

/* The work of password_check for a user who does not exist; the answer is always no. */
void password_check_nobody(struct text password, const struct password_cost *cost);

/* Whether a hash is one that password_check would work on: known scheme, well-formed, cost within
 * bounds (bcrypt cost 4..15, SHA-crypt rounds 1000..1,000,000, yescrypt within crypt's default
 * forms and bounded N and r, argon2id m 8K..256M, t 1..16, p 1). *why: static words for a person.
 */
bool password_hash_is_acceptable(const char *hash, const char **why);

#endif
