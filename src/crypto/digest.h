/* SHA-256 (FIPS 180-4), for what is looked up or pinned by its digest. */
#ifndef LATCHKEY_CRYPTO_DIGEST_H
#define LATCHKEY_CRYPTO_DIGEST_H

#include "base/text.h"

#define DIGEST_BYTES      32
#define DIGEST_BASE64_LEN 44 /* with padding */

/* Time depends on the length only. */
void digest_sha256(struct text input, uint8_t out[DIGEST_BYTES]);

/* The digest as base64 with padding (RFC 4648 §4), NUL-terminated: the form that a
 * Content-Security-Policy hash source has (CSP3 §2.3.1). */
void digest_sha256_base64(struct text input, char out[DIGEST_BASE64_LEN + 1]);

#endif
