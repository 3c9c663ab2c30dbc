/* Sealing: AES-256-GCM, which hides bytes and tells whether they, and others beside them, are as
 * they were. */
#ifndef LATCHKEY_CRYPTO_SEAL_H
#define LATCHKEY_CRYPTO_SEAL_H

#include "base/text.h"

#define SEAL_KEY_BYTES   32
#define SEAL_NONCE_BYTES 12
#define SEAL_TAG_BYTES   16

/* What closes and opens one text; all borrowed. Two texts under the same key and nonce give away
 * both, and the means to forge more: each pair is for one text only. */
struct seal {
    const uint8_t *key;   /* SEAL_KEY_BYTES */
    const uint8_t *nonce; /* SEAL_NONCE_BYTES */
    struct text aad;      /* told to be unchanged as well, but neither hidden nor written */
};

/* Writes the text sealed and the tag after it, text.len + SEAL_TAG_BYTES bytes; the text may lie
 * where they begin. NIST SP 800-38D §7.1. */
void seal_close(const struct seal *seal, struct text text, uint8_t *out);

/* Writes the text of what seal_close wrote, sealed.len - SEAL_TAG_BYTES bytes; what is sealed may
 * lie where they begin. ERR_INPUT: not sealed by this key, nonce and aad, or changed since; *out
 * zeroed then, and the text never shown. Time depends on lengths only, but for what
 * seal.c says of the key. NIST SP 800-38D §7.2. */
enum status seal_open(const struct seal *seal, struct text sealed, uint8_t *out) MUST_USE;

#endif
