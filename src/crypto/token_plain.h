/* Tokens that say an id and no more, signed. For token.c only. */
#ifndef LATCHKEY_CRYPTO_TOKEN_PLAIN_H
#define LATCHKEY_CRYPTO_TOKEN_PLAIN_H

#include "crypto/token.h"

#define TOKEN_PLAIN_BYTES 78

/* Writes the token's bytes with the newest secret. ERR_NOT_FOUND: no key. */
enum status token_plain_write(const struct keyring *keyring, const struct token *token,
                              uint8_t out[TOKEN_PLAIN_BYTES]) MUST_USE;

/* Reads what token_plain_write wrote, with the key that the header names. The kind, which is the
 * header's, is not put into *out. ERR_INPUT for anything else; *out untouched then. */
enum status token_plain_read(const uint8_t *key, const uint8_t *bytes, size_t len,
                             struct token *out) MUST_USE;

#endif
