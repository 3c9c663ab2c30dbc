/* AES-256-GCM through nettle.
 *
 * Nothing is implemented here. nettle gives the tag that the bytes ought to have, with the text;
 * the comparison is ours, in constant time, and of whole tags only. Opening therefore has the text
 * in memory before the tag was compared; when it is the wrong one, the text is wiped before anybody
 * can look at it. Key schedule and hash key lie in a context on our stack, and are wiped.
 *
 * What this does not protect: the length of the text; everything, when a key and nonce come twice;
 * and some of the key from programs that share the processor's caches. nettle (3.8) makes the
 * round keys with the S-box as a table, 256 bytes in four lines of a cache, so that two bits of
 * each byte that is looked up could be seen there: not enough to find a key of 256 bits, which
 * moreover is that of one token. Where the processor has no instructions for AES and for
 * multiplying without carries (AES-NI and PCLMULQDQ on x86, the cryptographic extension on ARM),
 * nettle looks up larger tables at places that depend on key and text, in every round.
 * tests/timing/constant_time.c shows which of the two holds here. */
#include "crypto/seal.h"

#include <nettle/gcm.h>
#include <string.h>

#include "base/secret.h"
#include "base/unset.h"

_Static_assert(AES256_KEY_SIZE == SEAL_KEY_BYTES && GCM_IV_SIZE == SEAL_NONCE_BYTES &&
                   GCM_DIGEST_SIZE == SEAL_TAG_BYTES,
               "the lengths of AES-256-GCM");

static void begin(struct gcm_aes256_ctx *context, const struct seal *seal)
{
    gcm_aes256_set_key(context, seal->key);
    gcm_aes256_set_iv(context, SEAL_NONCE_BYTES, seal->nonce);
    gcm_aes256_update(context, seal->aad.len, (const uint8_t *)text_bytes(seal->aad));
}

void seal_close(const struct seal *seal, struct text text, uint8_t *out)
{
    UNSET struct gcm_aes256_ctx context;
    begin(&context, seal);
    gcm_aes256_encrypt(&context, text.len, out, (const uint8_t *)text_bytes(text));
    gcm_aes256_digest(&context, SEAL_TAG_BYTES, out + text.len);
    secret_wipe(&context, sizeof context);
}

enum status seal_open(const struct seal *seal, struct text sealed, uint8_t *out)
{
    UNSET struct gcm_aes256_ctx context;
    uint8_t given[SEAL_TAG_BYTES];
    uint8_t right[SEAL_TAG_BYTES];
    if (sealed.len < sizeof given) {
        return ERR_INPUT;
    }
    size_t len = sealed.len - sizeof given;
    memcpy(given, sealed.data + len, sizeof given);
    begin(&context, seal);
    gcm_aes256_decrypt(&context, len, out, (const uint8_t *)sealed.data);
    gcm_aes256_digest(&context, sizeof right, right);
    secret_wipe(&context, sizeof context);
    enum status status = ERR_INPUT;
    if (secret_is_equal(given, right, sizeof right)) {
        status = OK;
    } else {
        secret_wipe(out, len);
    }
    secret_wipe(right, sizeof right);
    return status;
}
