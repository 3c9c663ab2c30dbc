/* HMAC-SHA-256 and HKDF-SHA-256 through nettle.
 *
 * Nothing is implemented here. nettle takes no memory, reads no configuration and cannot refuse;
 * the one limit that it does not look at itself, the length that HKDF may give, is looked at here.
 * What it keeps of a key between two calls lies in a context on our stack, and is wiped.
 *
 * SHA-256 has no branch and no table that depends on what goes in, so time tells lengths only. */
#include "crypto/mac.h"

#include <nettle/hkdf.h>
#include <nettle/hmac.h>

#include "base/log.h"
#include "base/secret.h"

#define DERIVED_MAX ((size_t)255 * MAC_BYTES)

_Static_assert(SHA256_DIGEST_SIZE == MAC_BYTES, "the length of a tag");

static void set_key(struct hmac_sha256_ctx *context, struct text key)
{
    hmac_sha256_set_key(context, key.len, (const uint8_t *)text_bytes(key));
}

static void add(void *context, size_t len, const uint8_t *bytes)
{
    hmac_sha256_update(context, len, bytes);
}

static void finish(void *context, size_t len, uint8_t *out)
{
    hmac_sha256_digest(context, len, out);
}

void mac_sha256(struct text key, struct text input, uint8_t out[MAC_BYTES])
{
    struct hmac_sha256_ctx context;
    set_key(&context, key);
    add(&context, input.len, (const uint8_t *)text_bytes(input));
    finish(&context, MAC_BYTES, out);
    secret_wipe(&context, sizeof context);
}

enum status mac_derive(const struct mac_source *source, uint8_t *out, size_t len)
{
    struct hmac_sha256_ctx context;
    uint8_t extracted[MAC_BYTES];
    if (len > DERIVED_MAX) {
        log_error("a key of %zu bytes was asked for; HKDF-SHA-256 gives %zu", len, DERIVED_MAX);
        secret_wipe(out, len);
        return ERR_CRYPTO;
    }
    /* HMAC fills a key up with zeros, so no salt is the same as one of zeros (RFC 5869 §2.2). */
    set_key(&context, source->salt);
    hkdf_extract(&context, add, finish, sizeof extracted, source->secret.len,
                 (const uint8_t *)text_bytes(source->secret), extracted);
    set_key(&context, (struct text){(const char *)extracted, sizeof extracted});
    hkdf_expand(&context, add, finish, sizeof extracted, source->info.len,
                (const uint8_t *)text_bytes(source->info), len, out);
    secret_wipe(&context, sizeof context);
    secret_wipe(extracted, sizeof extracted);
    return OK;
}
