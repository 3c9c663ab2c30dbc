/* Bytes as text that cookies, forms and URLs carry unchanged: base64url without padding
 * (RFC 4648 §5), in exactly one spelling. Time depends on lengths only. */
#ifndef LATCHKEY_CRYPTO_BASE64URL_H
#define LATCHKEY_CRYPTO_BASE64URL_H

#include "base/text.h"

/* Characters for `bytes` bytes, without the NUL. */
#define BASE64URL_LEN(bytes) (((size_t)(bytes)*4 + 2) / 3)

/* Longest run of bytes that base64url_decode takes. */
#define BASE64URL_BYTES_MAX 3072

/* Writes BASE64URL_LEN(len) characters and a NUL. */
void base64url_encode(const uint8_t *bytes, size_t len, char *out);

/* Reads exactly `len` bytes, at most BASE64URL_BYTES_MAX. ERR_INPUT for any text but the one that
 * base64url_encode writes for the bytes; *out wiped then. */
enum status base64url_decode(struct text text, uint8_t *out, size_t len) MUST_USE;

#endif
