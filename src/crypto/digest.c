/* SHA-256 through nettle, base64 through libsodium. Neither takes memory nor can refuse. */
#include "crypto/digest.h"

#include <nettle/sha2.h>
#include <sodium.h>

#include "base/secret.h"

_Static_assert(SHA256_DIGEST_SIZE == DIGEST_BYTES, "the length of a digest");
_Static_assert(sodium_base64_ENCODED_LEN(DIGEST_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
                   DIGEST_BASE64_LEN + 1,
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
    (void)sodium_bin2base64(out, DIGEST_BASE64_LEN + 1, digest, sizeof digest,
                            sodium_base64_VARIANT_ORIGINAL);
}
