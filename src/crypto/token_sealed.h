/* Tokens that carry their session, sealed. For token.c only. */
#ifndef LATCHKEY_CRYPTO_TOKEN_SEALED_H
#define LATCHKEY_CRYPTO_TOKEN_SEALED_H

#include "crypto/token.h"

/* Writes the bytes of a token whose body is not too long, TOKEN_SEALED_FRAME_BYTES and body_len,
 * with the newest secret and fresh random bytes. ERR_NOT_FOUND (no key), ERR_CRYPTO; nothing of the
 * token is left in *out then. */
enum status token_sealed_write(const struct keyring *keyring, const struct token *token,
                               uint8_t *out) MUST_USE;

/* Reads what token_sealed_write wrote, with the key that the header names. It is opened where it
 * lies: `bytes` is for the caller to wipe. The kind, which is the header's, is not put into *out.
 * ERR_INPUT for anything else; *out untouched then. */
enum status token_sealed_read(const uint8_t *key, uint8_t *bytes, size_t len, struct token *out)
    MUST_USE;

#endif
