/* Sealed tokens, as drawn in token.h.
 *
 * A nonce of 12 bytes is too short to be drawn at random for one key that serves millions of
 * tokens, and a counter would have to be shared by all programs and survive every crash and every
 * restored backup. So each token has a key and a nonce of its own, made from 24 random bytes: that
 * they come twice is not to be expected in 2^96 tokens, whoever wrote them.
 *
 * Everything is authenticated: what is in clear goes in beside the sealed part, and chooses the key
 * besides. Nothing of what was sealed is looked at before the tag was right.
 *
 * What this does not protect: the length of the body shows in that of the cookie; and whoever kept
 * an old token of a session has a good one, with the body of that time, until it is too old or the
 * session is ended on the server. */
#include "crypto/token_sealed.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/token_header.h"

#define RANDOM_BYTES 24
#define INFO         "latchkey 1 sealed token"

enum {
    AT_RANDOM = TOKEN_HEADER_BYTES,
    AT_ISSUED = AT_RANDOM + RANDOM_BYTES,
    AT_ID = AT_ISSUED + 8,
    AT_BODY = AT_ID + TOKEN_ID_BYTES,
    AT_SEALED = AT_ISSUED, /* from here to the tag */
};

_Static_assert(AT_BODY + SEAL_TAG_BYTES == TOKEN_SEALED_FRAME_BYTES, "the length of the frame");
_Static_assert(TOKEN_SEALED_TEXT_LEN(TOKEN_BODY_MAX) == TOKEN_TEXT_MAX, "the longest text");

/* The key and the nonce of one token. A secret. */
struct material {
    uint8_t bytes[SEAL_KEY_BYTES + SEAL_NONCE_BYTES];
};

static enum status make_material(const uint8_t *key, const uint8_t *bytes, struct material *out)
{
    const struct mac_source source = {
        .secret = {(const char *)key, KEY_BYTES},
        .salt = {(const char *)bytes + AT_RANDOM, RANDOM_BYTES},
        .info = TEXT(INFO),
    };
    return mac_derive(&source, out->bytes, sizeof out->bytes);
}

static struct seal seal_of(const struct material *material, const uint8_t *bytes)
{
    return (struct seal){
        .key = material->bytes,
        .nonce = material->bytes + SEAL_KEY_BYTES,
        .aad = {(const char *)bytes, AT_SEALED},
    };
}

static enum status close_bytes(const uint8_t *key, uint8_t *bytes, size_t end)
{
    struct material material;
    enum status status = make_material(key, bytes, &material);
    if (status == OK) {
        const struct seal seal = seal_of(&material, bytes);
        const struct text text = {(const char *)bytes + AT_SEALED, end - AT_SEALED};
        seal_close(&seal, text, bytes + AT_SEALED);
    }
    secret_wipe(&material, sizeof material);
    return status;
}

enum status token_sealed_write(const struct keyring *keyring, const struct token *token,
                               uint8_t *out)
{
    const uint8_t *key = NULL;
    size_t end = AT_BODY + token->body_len;
    enum status status = token_header_write(keyring, TOKEN_SEALED, out, &key);
    if (status == OK) {
        status = random_fill(out + AT_RANDOM, RANDOM_BYTES);
    }
    if (status != OK) {
        return status;
    }
    bytes_put_number(out + AT_ISSUED, (uint64_t)token->issued_s, AT_ID - AT_ISSUED);
    memcpy(out + AT_ID, token->id, TOKEN_ID_BYTES);
    memcpy(out + AT_BODY, token->body, token->body_len);
    status = close_bytes(key, out, end);
    if (status != OK) {
        secret_wipe(out, end);
    }
    return status;
}

/* ERR_INPUT, whatever the reason: what cannot be checked is not a token. */
static enum status open_bytes(const uint8_t *key, uint8_t *bytes, size_t len)
{
    struct material material;
    enum status status = ERR_INPUT;
    if (make_material(key, bytes, &material) == OK) {
        const struct seal seal = seal_of(&material, bytes);
        const struct text sealed = {(const char *)bytes + AT_SEALED, len - AT_SEALED};
        if (seal_open(&seal, sealed, bytes + AT_SEALED) == OK) {
            status = OK;
        }
    }
    secret_wipe(&material, sizeof material);
    return status;
}

enum status token_sealed_read(const uint8_t *key, uint8_t *bytes, size_t len, struct token *out)
{
    if (len < TOKEN_SEALED_FRAME_BYTES || len > TOKEN_SEALED_FRAME_BYTES + TOKEN_BODY_MAX ||
        open_bytes(key, bytes, len) != OK) {
        return ERR_INPUT;
    }
    uint64_t issued_s = bytes_get_number(bytes + AT_ISSUED, AT_ID - AT_ISSUED);
    if (issued_s > INT64_MAX) {
        return ERR_INPUT;
    }
    out->issued_s = (int64_t)issued_s;
    memcpy(out->id, bytes + AT_ID, TOKEN_ID_BYTES);
    out->body_len = len - TOKEN_SEALED_FRAME_BYTES;
    memcpy(out->body, bytes + AT_BODY, out->body_len);
    return OK;
}
