/* SHA-256 through OpenSSL.
 *
 * The library may refuse (memory, a configuration that took the algorithm away); the digest is then
 * zeros and the status says so, so that nobody goes on with what happened to lie in the memory. */
#include "crypto/digest.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "base/log.h"

_Static_assert(sodium_base64_ENCODED_LEN(DIGEST_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
                   DIGEST_BASE64_LEN + 1,
               "the length of a digest in base64");

enum status digest_sha256(struct text input, uint8_t out[DIGEST_BYTES])
{
    unsigned len = 0;
    if (EVP_Digest(text_bytes(input), input.len, out, &len, EVP_sha256(), NULL) != 1 ||
        len != DIGEST_BYTES) {
        log_error("SHA-256 failed in OpenSSL; is openssl.cnf without the default provider?");
        memset(out, 0, DIGEST_BYTES);
        return ERR_CRYPTO;
    }
    return OK;
}

enum status digest_sha256_base64(struct text input, char out[DIGEST_BASE64_LEN + 1])
{
    uint8_t digest[DIGEST_BYTES];
    enum status status = digest_sha256(input, digest);
    if (status != OK) {
        memset(out, 0, DIGEST_BASE64_LEN + 1);
        return status;
    }
    (void)sodium_bin2base64(out, DIGEST_BASE64_LEN + 1, digest, sizeof digest,
                            sodium_base64_VARIANT_ORIGINAL);
    return OK;
}
