/* HMAC-SHA-256 and HKDF-SHA-256 through OpenSSL.
 *
 * Nothing is implemented here; this file makes two calls of the library fail closed: whatever is
 * refused, or comes in another length than asked for, leaves zeros and a status. Empty keys and
 * texts go in as "" (text_bytes): OpenSSL takes NULL for the one of the call before. */
#include "crypto/mac.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/log.h"
#include "base/secret.h"

#define PARAMETERS_MAX 5

enum status mac_sha256(struct text key, struct text input, uint8_t out[MAC_BYTES])
{
    unsigned len = 0;
    if (key.len > INT_MAX ||
        HMAC(EVP_sha256(), text_bytes(key), (int)key.len, (const unsigned char *)text_bytes(input),
             input.len, out, &len) == NULL ||
        len != MAC_BYTES) {
        log_error("HMAC-SHA-256 failed in OpenSSL; is openssl.cnf without the default provider?");
        secret_wipe(out, MAC_BYTES);
        return ERR_CRYPTO;
    }
    return OK;
}

/* A parameter that OpenSSL only reads, though its type says otherwise. */
static OSSL_PARAM octets(const char *key, struct text value)
{
    union {
        const char *given;
        void *taken;
    } bytes = {.given = text_bytes(value)};
    return OSSL_PARAM_construct_octet_string(key, bytes.taken, value.len);
}

static bool derive(EVP_KDF_CTX *context, const struct mac_source *source, uint8_t *out, size_t len)
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[PARAMETERS_MAX];
    size_t count = 0;
    parameters[count++] =
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, sizeof digest - 1);
    parameters[count++] = octets(OSSL_KDF_PARAM_KEY, source->secret);
    parameters[count++] = octets(OSSL_KDF_PARAM_INFO, source->info);
    if (source->salt.len > 0) {
        parameters[count++] = octets(OSSL_KDF_PARAM_SALT, source->salt);
    }
    parameters[count] = OSSL_PARAM_construct_end();
    return EVP_KDF_derive(context, out, len, parameters) == 1;
}

enum status mac_derive(const struct mac_source *source, uint8_t *out, size_t len)
{
    EVP_KDF *method = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    EVP_KDF_CTX *context = method != NULL ? EVP_KDF_CTX_new(method) : NULL;
    enum status status = ERR_CRYPTO;
    if (context != NULL && derive(context, source, out, len)) {
        status = OK;
    } else {
        log_error("HKDF-SHA-256 failed in OpenSSL; is openssl.cnf without the default provider?");
        secret_wipe(out, len);
    }
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(method);
    return status;
}
