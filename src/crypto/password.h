/* Password hashes: argon2id of our own, and what crypt(3) knows for imported users.
 *
 * A password is compared exactly as it came: no cut, no trim, no change of case or of Unicode form.
 * Where an imported scheme reads less of it, longer ones are wrong, since the hash could not tell
 * them apart: bcrypt ends at 72 bytes, crypt(3) itself at 511. An owner who signed in with more
 * than 72 bytes at the former place needs a new password. */
#ifndef LATCHKEY_CRYPTO_PASSWORD_H
#define LATCHKEY_CRYPTO_PASSWORD_H

#include "base/text.h"

#define PASSWORD_HASH_MAX  384  /* bytes of a stored hash, NUL included */
#define PASSWORD_BYTES_MAX 1024 /* longest password; longer ones are wrong without being hashed */

/* In the place of a hash: there is no password yet. No scheme accepts it. */
#define PASSWORD_HASH_NONE "!"

struct password_cost {
    uint64_t memory_bytes; /* argon2id m */
    uint64_t passes;       /* argon2id t */
};

/* Hashes with argon2id (RFC 9106; libsodium, p = 1) in "$argon2id$" text with a fresh salt of 16
 * bytes. ERR_INPUT when the password is over PASSWORD_BYTES_MAX or holds NUL, or the cost is out
 * of the bounds below; ERR_CRYPTO (logged). */
enum status password_hash(struct text password, const struct password_cost *cost,
                          char out[PASSWORD_HASH_MAX]) MUST_USE;

/* Whether the password is the one that was hashed. *stale (may be NULL) becomes true when it is and
 * the hash is of another scheme or another cost than `cost`. A hash that is malformed, of an
 * unknown scheme or out of bounds denies, with a log line. A password that password_hash would
 * refuse is wrong without any work, whosever it is; one that only the hash's scheme cannot take
 * costs the work of password_check_nobody. ERR_CRYPTO, ERR_MEMORY (logged): it could not be found
 * out, which says nothing of the password; *verdict is DENY then too. */
enum status password_check(struct text password, const char *hash, const struct password_cost *cost,
                           bool *stale, enum verdict *verdict) MUST_USE;

/* The work of password_check for a user who does not exist, and its failures; the answer is always
 * no. */
enum status password_check_nobody(struct text password, const struct password_cost *cost) MUST_USE;

/* Whether a hash is one that password_check would work on: known scheme, well-formed, cost within
 * bounds. *why becomes static words for a person when it is not; untouched when it is.
 *
 *   $argon2id$v=19$m=KiB,t=N,p=1$    m 8 KiB..256 MiB, t 1..16; salt 8..32 bytes, hash 16..32
 *   $2b$ $2y$ $2a$                   bcrypt, cost 04..15
 *   $y$j                             yescrypt, crypt's default flavour, N 2^10..2^16, r 8..32
 *   $5$ $6$                          SHA-crypt, rounds 1000..1,000,000 or unsaid (5000)
 *
 * $2x$ (a bcrypt with a flaw), $1$, and everything older are refused. */
bool password_hash_is_acceptable(const char *hash, const char **why);

#endif
