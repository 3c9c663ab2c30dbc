/* SHA-256 and base64 through nettle, which takes no memory and cannot refuse. */
#include "crypto/digest.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "base/secret.h"

_Static_assert(SHA256_DIGEST_SIZE == DIGEST_BYTES, "the length of a digest");
_Static_assert(BASE64_ENCODE_RAW_LENGTH(DIGEST_BYTES) == DIGEST_BASE64_LEN,
               "the length of a digest in base64");

void digest_sha256(struct text input, uint8_t out[DIGEST_BYTES])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, input.len, (const uint8_t *)text_bytes(input));
    sha256_digest(&context, DIGEST_BYTES, out);
    secret_wipe(&context, sizeof context);
}

void digest_sha256_base64(struct text input, char out[DIGEST_BASE64_LEN + 1])
{
    uint8_t digest[DIGEST_BYTES];
    digest_sha256(input, digest);
    base64_encode_raw(out, sizeof digest, digest);
    out[DIGEST_BASE64_LEN] = '\0';
}
