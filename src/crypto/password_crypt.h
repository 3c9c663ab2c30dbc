/* Checking imported hashes with crypt(3). For password.c only, after password_format_parse. */
#ifndef LATCHKEY_CRYPTO_PASSWORD_CRYPT_H
#define LATCHKEY_CRYPTO_PASSWORD_CRYPT_H

#include "base/text.h"
#include "crypto/password_format.h"

/* Whether crypt(3) looks at every byte of the password under that scheme. */
bool password_crypt_can_take(struct text password, enum password_scheme scheme);

/* Whether crypt(3) makes `hash` of the password, which password_crypt_can_take took. A hash that it
 * does not accept denies (logged). ERR_MEMORY, ERR_CRYPTO (logged): it could not work. */
enum status password_crypt_check(struct text password, const char *hash, enum verdict *verdict)
    MUST_USE;

#endif
