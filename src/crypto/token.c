/* The text in the cookie (drawn in the header), and the csrf value that goes with it.
 *
 * A token proves that this installation issued it; whether it still counts is for others to say: a
 * stored one by the session store, an anonymous one by its time of issue.
 *
 * Reading goes in one order: length, spelling, version, kind, key, tag. The first five only choose
 * what to compare with, and all of them are under the tag; time of issue and id are looked at when
 * the tag was right, and not before. A key id that the file does not hold is refused without trying
 * other keys.
 *
 * The csrf value is made from the token, so nothing has to be kept for it; it cannot be made from
 * it without the key, so a page that got hold of one token's id could still not post a form. It is
 * good as long as the secret of its time is in the file, since a form may stay open over a
 * rotation.
 *
 * What this does not protect: a token that is stolen is as good as the one it was copied from. */
#include "crypto/token.h"

#include "base/log.h"
#include "base/secret.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"

#define VERSION 1

enum {
    AT_VERSION = 0,
    AT_KIND = 1,
    AT_KEY_ID = 2,
    AT_ISSUED = 6,
    AT_ID = 14,
    AT_TAG = AT_ID + TOKEN_ID_BYTES,
    TOKEN_BYTES = AT_TAG + MAC_BYTES,
};

_Static_assert(BASE64URL_LEN(TOKEN_BYTES) == TOKEN_TEXT_LEN, "the length of a token");
_Static_assert(TOKEN_BYTES % 3 == 0, "a token leaves no bit over");
_Static_assert(TOKEN_BYTES <= BASE64URL_BYTES_MAX, "a token can be read");
_Static_assert(BASE64URL_LEN(MAC_BYTES) == CSRF_TEXT_LEN, "the length of a csrf value");
_Static_assert(TOKEN_DIGEST_BYTES == DIGEST_BYTES, "the length of a token's digest");

static void put_number(uint8_t *out, uint64_t number, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        out[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

static uint64_t get_number(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static struct text text_over(const uint8_t *bytes, size_t len)
{
    return (struct text){(const char *)bytes, len};
}

static bool is_kind(uint8_t byte)
{
    return byte == TOKEN_ANONYMOUS || byte == TOKEN_STORED;
}

static enum status make_tag(const uint8_t *key, const uint8_t *bytes, uint8_t out[MAC_BYTES])
{
    return mac_sha256(text_over(key, KEY_BYTES), text_over(bytes, AT_TAG), out);
}

enum status token_new(enum token_kind kind, int64_t now_s, struct token *out)
{
    struct token token = {.kind = kind, .issued_s = now_s};
    enum status status = random_fill(token.id, sizeof token.id);
    if (status == OK) {
        *out = token;
    }
    secret_wipe(&token, sizeof token);
    return status;
}

/* The token's bytes with tag; read again by read_bytes. */
static enum status write_bytes(const struct keyring *keyring, const struct token *token,
                               uint8_t out[TOKEN_BYTES])
{
    uint32_t key_id = 0;
    enum status status = keyring_get_current(keyring, &key_id);
    if (status != OK) {
        return status;
    }
    const uint8_t *key = keyring_get_key(keyring, key_id, KEY_TOKEN);
    if (key == NULL) {
        return ERR_NOT_FOUND;
    }
    out[AT_VERSION] = VERSION;
    out[AT_KIND] = (uint8_t)token->kind;
    put_number(out + AT_KEY_ID, key_id, AT_ISSUED - AT_KEY_ID);
    put_number(out + AT_ISSUED, (uint64_t)token->issued_s, AT_ID - AT_ISSUED);
    for (size_t i = 0; i < TOKEN_ID_BYTES; i++) {
        out[AT_ID + i] = token->id[i];
    }
    return make_tag(key, out, out + AT_TAG);
}

static enum status check_bytes(const struct keyring *keyring, const uint8_t bytes[TOKEN_BYTES])
{
    if (bytes[AT_VERSION] != VERSION || !is_kind(bytes[AT_KIND])) {
        return ERR_INPUT;
    }
    uint32_t key_id = (uint32_t)get_number(bytes + AT_KEY_ID, AT_ISSUED - AT_KEY_ID);
    const uint8_t *key = keyring_get_key(keyring, key_id, KEY_TOKEN);
    if (key == NULL) {
        return ERR_INPUT;
    }
    uint8_t tag[MAC_BYTES];
    enum status status = ERR_INPUT;
    if (make_tag(key, bytes, tag) == OK && secret_is_equal(tag, bytes + AT_TAG, sizeof tag)) {
        status = OK;
    }
    secret_wipe(tag, sizeof tag);
    return status;
}

/* The fields of bytes whose tag was right; written by write_bytes. */
static enum status read_bytes(const uint8_t bytes[TOKEN_BYTES], struct token *out)
{
    uint64_t issued_s = get_number(bytes + AT_ISSUED, AT_ID - AT_ISSUED);
    if (issued_s > INT64_MAX) {
        return ERR_INPUT;
    }
    out->kind = bytes[AT_KIND] == TOKEN_STORED ? TOKEN_STORED : TOKEN_ANONYMOUS;
    out->issued_s = (int64_t)issued_s;
    for (size_t i = 0; i < TOKEN_ID_BYTES; i++) {
        out->id[i] = bytes[AT_ID + i];
    }
    return OK;
}

enum status token_decode(const struct keyring *keyring, struct text text, struct token *out)
{
    uint8_t bytes[TOKEN_BYTES];
    enum status status = base64url_decode(text, bytes, sizeof bytes);
    if (status == OK) {
        status = check_bytes(keyring, bytes);
    }
    if (status == OK) {
        status = read_bytes(bytes, out);
    }
    secret_wipe(bytes, sizeof bytes);
    return status;
}

/* Whether the text reads as this very token: a fault in here must not become a cookie. */
static bool reads_back(const struct keyring *keyring, const char *text, const struct token *token)
{
    struct token again = {0};
    bool same = token_decode(keyring, (struct text){text, TOKEN_TEXT_LEN}, &again) == OK &&
                again.kind == token->kind && again.issued_s == token->issued_s &&
                secret_is_equal(again.id, token->id, sizeof again.id);
    secret_wipe(&again, sizeof again);
    return same;
}

enum status token_encode(const struct keyring *keyring, const struct token *token,
                         char out[TOKEN_TEXT_LEN + 1])
{
    uint8_t bytes[TOKEN_BYTES];
    char text[TOKEN_TEXT_LEN + 1];
    enum status status = write_bytes(keyring, token, bytes);
    if (status == OK) {
        base64url_encode(bytes, sizeof bytes, text);
        if (!reads_back(keyring, text, token)) {
            log_error("a new token does not verify; it was not issued");
            status = ERR_CRYPTO;
        }
    }
    for (size_t i = 0; i < sizeof text && status == OK; i++) {
        out[i] = text[i];
    }
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(text, sizeof text);
    return status;
}

enum status token_digest(const struct token *token, uint8_t out[TOKEN_DIGEST_BYTES])
{
    return digest_sha256(text_over(token->id, sizeof token->id), out);
}

/* The csrf value under one secret. */
static enum status make_csrf(const struct keyring *keyring, uint32_t key_id,
                             const struct token *token, char out[CSRF_TEXT_LEN + 1])
{
    uint8_t input[1 + TOKEN_ID_BYTES] = {(uint8_t)token->kind};
    uint8_t tag[MAC_BYTES];
    const uint8_t *key = keyring_get_key(keyring, key_id, KEY_CSRF);
    if (key == NULL) {
        return ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < TOKEN_ID_BYTES; i++) {
        input[1 + i] = token->id[i];
    }
    enum status status = mac_sha256(text_over(key, KEY_BYTES), text_over(input, sizeof input), tag);
    if (status == OK) {
        base64url_encode(tag, sizeof tag, out);
    }
    secret_wipe(input, sizeof input);
    secret_wipe(tag, sizeof tag);
    return status;
}

enum status token_csrf_encode(const struct keyring *keyring, const struct token *token,
                              char out[CSRF_TEXT_LEN + 1])
{
    uint32_t key_id = 0;
    enum status status = keyring_get_current(keyring, &key_id);
    return status == OK ? make_csrf(keyring, key_id, token, out) : status;
}

enum verdict token_csrf_check(const struct keyring *keyring, const struct token *token,
                              struct text text)
{
    if (text.len != CSRF_TEXT_LEN) {
        return DENY;
    }
    uint32_t ids[KEYRING_SECRETS_MAX];
    size_t count = keyring_list(keyring, ids);
    char good[CSRF_TEXT_LEN + 1];
    enum verdict verdict = DENY;
    /* All secrets are tried, also after a hit, so that time does not tell which one it was. */
    for (size_t i = 0; i < count; i++) {
        if (make_csrf(keyring, ids[i], token, good) == OK &&
            secret_is_equal(good, text.data, CSRF_TEXT_LEN)) {
            verdict = ALLOW;
        }
    }
    secret_wipe(good, sizeof good);
    return verdict;
}
