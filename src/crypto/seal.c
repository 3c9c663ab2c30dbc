/* AES-256-GCM through OpenSSL.
 *
 * Nothing is implemented here; this file makes the calls of the library fail closed. Opening has
 * the text in memory before the tag was compared; whatever goes wrong then, it is wiped before
 * anybody can look at it. The library compares the tag in constant time, and takes no shorter one
 * from here.
 *
 * What this does not protect: the length of the text; and everything, when a key and nonce come
 * twice. */
#include "crypto/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

#define TEXT_MAX (INT_MAX - SEAL_TAG_BYTES)

enum direction { OPENING = 0, CLOSING = 1 }; /* as EVP_CipherInit_ex counts them */

/* Adds bytes, for which OpenSSL gives as many; without any it is not asked. */
static bool update(EVP_CIPHER_CTX *context, struct text in, uint8_t *out)
{
    int len = 0;
    return in.len == 0 || (in.len <= TEXT_MAX &&
                           EVP_CipherUpdate(context, out, &len, (const unsigned char *)in.data,
                                            (int)in.len) == 1 &&
                           (size_t)len == in.len);
}

static bool begin(EVP_CIPHER_CTX *context, const struct seal *seal, enum direction direction)
{
    return context != NULL &&
           EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, seal->key, seal->nonce,
                             (int)direction) == 1 &&
           update(context, seal->aad, NULL);
}

/* Comes to the end; false also when the tag that was set is not the right one. */
static bool finish(EVP_CIPHER_CTX *context)
{
    unsigned char rest[EVP_MAX_BLOCK_LENGTH];
    int len = 0;
    return EVP_CipherFinal_ex(context, rest, &len) == 1 && len == 0;
}

static void report(void)
{
    log_error("AES-256-GCM failed in OpenSSL; is openssl.cnf without the default provider?");
}

enum status seal_close(const struct seal *seal, struct text text, uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    enum status status = ERR_CRYPTO;
    if (begin(context, seal, CLOSING) && update(context, text, out) && finish(context) &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, out + text.len) == 1) {
        status = OK;
    } else {
        report();
        secret_wipe(out, text.len + SEAL_TAG_BYTES);
    }
    EVP_CIPHER_CTX_free(context);
    return status;
}

enum status seal_open(const struct seal *seal, struct text sealed, uint8_t *out)
{
    uint8_t tag[SEAL_TAG_BYTES];
    if (sealed.len < sizeof tag) {
        return ERR_INPUT;
    }
    struct text hidden = {sealed.data, sealed.len - sizeof tag};
    memcpy(tag, sealed.data + hidden.len, sizeof tag);

    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    enum status status = ERR_CRYPTO;
    if (!begin(context, seal, OPENING) || !update(context, hidden, out) ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1) {
        report();
    } else {
        status = finish(context) ? OK : ERR_INPUT;
    }
    if (status != OK) {
        secret_wipe(out, hidden.len);
    }
    EVP_CIPHER_CTX_free(context);
    return status;
}
