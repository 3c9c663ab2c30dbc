/* Keyed digests: HMAC to tell that bytes are ours, HKDF to make keys of one secret. */
#ifndef LATCHKEY_CRYPTO_MAC_H
#define LATCHKEY_CRYPTO_MAC_H

#include "base/text.h"

#define MAC_BYTES 32

/* HMAC-SHA-256 (RFC 2104, vectors in RFC 4231). Compare with secret_is_equal only. Time depends on
 * lengths only. */
void mac_sha256(struct text key, struct text input, uint8_t out[MAC_BYTES]);

/* What HKDF makes a key of. The secret must be random already; `info` names the purpose. */
struct mac_source {
    struct text secret;
    struct text salt; /* empty: a string of zeros */
    struct text info;
};

/* HKDF-SHA-256 (RFC 5869): `len` bytes, at most 255 * 32. ERR_CRYPTO (logged) for more; *out zeroed
 * then. */
enum status mac_derive(const struct mac_source *source, uint8_t *out, size_t len) MUST_USE;

#endif
