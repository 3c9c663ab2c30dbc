/* Anonymous, stored, cached and device tokens, as drawn in token.h.
 *
 * The tag is over everything else, the header too, which chose the key to compare it with. Time of
 * issue and id are looked at when it was right, and not before.
 *
 * What this does not hide: kind, time and id stand in the cookie for its bearer to read. */
#include "crypto/token_plain.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/mac.h"
#include "crypto/token_header.h"

enum {
    AT_ISSUED = TOKEN_HEADER_BYTES,
    AT_ID = AT_ISSUED + 8,
    AT_TAG = AT_ID + TOKEN_ID_BYTES,
};

_Static_assert(AT_TAG + MAC_BYTES == TOKEN_PLAIN_BYTES, "the length of a plain token");
_Static_assert(BASE64URL_LEN(TOKEN_PLAIN_BYTES) == TOKEN_TEXT_LEN, "the length of its text");

static void make_tag(const uint8_t *key, const uint8_t *bytes, uint8_t out[MAC_BYTES])
{
    mac_sha256((struct text){(const char *)key, KEY_BYTES},
               (struct text){(const char *)bytes, AT_TAG}, out);
}

enum status token_plain_write(const struct keyring *keyring, const struct token *token,
                              uint8_t out[TOKEN_PLAIN_BYTES])
{
    const uint8_t *key = NULL;
    enum status status = token_header_write(keyring, token->kind, out, &key);
    if (status != OK) {
        return status;
    }
    bytes_put_number(out + AT_ISSUED, (uint64_t)token->issued_s, AT_ID - AT_ISSUED);
    memcpy(out + AT_ID, token->id, TOKEN_ID_BYTES);
    make_tag(key, out, out + AT_TAG);
    return OK;
}

static bool has_right_tag(const uint8_t *key, const uint8_t bytes[TOKEN_PLAIN_BYTES])
{
    uint8_t tag[MAC_BYTES];
    make_tag(key, bytes, tag);
    bool right = secret_is_equal(tag, bytes + AT_TAG, sizeof tag);
    secret_wipe(tag, sizeof tag);
    return right;
}

enum status token_plain_read(const uint8_t *key, const uint8_t *bytes, size_t len,
                             struct token *out)
{
    if (len != TOKEN_PLAIN_BYTES || !has_right_tag(key, bytes)) {
        return ERR_INPUT;
    }
    uint64_t issued_s = bytes_get_number(bytes + AT_ISSUED, AT_ID - AT_ISSUED);
    if (issued_s > INT64_MAX) {
        return ERR_INPUT;
    }
    out->issued_s = (int64_t)issued_s;
    memcpy(out->id, bytes + AT_ID, TOKEN_ID_BYTES);
    out->body_len = 0;
    return OK;
}
