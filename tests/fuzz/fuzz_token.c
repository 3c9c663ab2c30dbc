/* The text of a token.
 *
 * Promised: what is written reads as what was written, in every kind; of each token exactly one
 * text is accepted, so a text that differs in any byte is not, and one that is accepted is what
 * base64url makes of its bytes; a right tag under a wrong field lets nothing in; a csrf value is
 * good for its own token only.
 *
 * Input: a byte that says what to do. 0: the rest is a text. 1: the rest is a token's fields, to be
 * written, read, bent and read again. 2: the rest is the bytes of a plain token, which get a right
 * tag. */
#include "fuzz.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/mac.h"
#include "crypto/token.h"
#include "crypto/token_plain.h"

static struct keyring *keyring;
static const uint32_t key_ids[] = {0x00c0ffee, 0x0badcafe};

static bool is_plain(enum token_kind kind)
{
    return kind == TOKEN_ANONYMOUS || kind == TOKEN_STORED || kind == TOKEN_CACHED ||
           kind == TOKEN_DEVICE;
}

static void check_spelling(struct text text)
{
    uint8_t bytes[BASE64URL_BYTES_MAX];
    char again[TOKEN_TEXT_MAX + 1];
    size_t len = text.len * 3 / 4;
    fuzz_require(base64url_decode(text, bytes, len) == OK, "a token is base64url");
    base64url_encode(bytes, len, again);
    fuzz_require(text_is(text, again), "a token has one spelling");
}

static void check_csrf(const struct token *token)
{
    char value[CSRF_TEXT_LEN + 1];
    struct token other = {.kind = token->kind};
    if (token->kind == TOKEN_DEVICE) {
        fuzz_require(token_csrf_encode(keyring, token, value) == ERR_INPUT,
                     "a device has no forms");
        return;
    }
    memcpy(other.id, token->id, sizeof other.id);
    other.id[0] ^= 1;
    struct text text = {value, CSRF_TEXT_LEN};
    fuzz_require(token_csrf_encode(keyring, token, value) == OK &&
                     token_csrf_check(keyring, token, text) == ALLOW,
                 "a token's csrf value is good");
    fuzz_require(token_csrf_check(keyring, &other, text) != ALLOW, "and for no other token");
    value[token->id[0] % CSRF_TEXT_LEN] ^= 1;
    fuzz_require(token_csrf_check(keyring, token, text) != ALLOW, "nor is another value");
}

static bool read_text(struct text text)
{
    static struct token token;
    struct token untouched = {.kind = TOKEN_NONE, .issued_s = -7, .body_len = 3};
    token = untouched;
    enum status status = token_decode(keyring, text, &token);
    fuzz_require(status == OK || (status == ERR_INPUT && token.issued_s == untouched.issued_s &&
                                  token.body_len == untouched.body_len),
                 "what is refused leaves nothing");
    if (status == OK) {
        check_spelling(text);
        check_csrf(&token);
        fuzz_require(is_plain(token.kind) || token.kind == TOKEN_SEALED, "a token has a kind");
        fuzz_require(token.issued_s >= 0, "a time is not before 1970");
        fuzz_require(token.body_len <= TOKEN_BODY_MAX &&
                         (token.body_len == 0 || token.kind == TOKEN_SEALED),
                     "only sealed ones have a body");
    }
    return status == OK;
}

static bool is_same(const struct token *a, const struct token *b)
{
    return a->kind == b->kind && a->issued_s == b->issued_s &&
           memcmp(a->id, b->id, sizeof a->id) == 0 && a->body_len == b->body_len &&
           memcmp(a->body, b->body, a->body_len) == 0;
}

/* In the last character some bits may stand for nothing: they must be zeros. */
static void check_last(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static char other[TOKEN_TEXT_MAX + 1];
    struct token token;
    size_t len = strlen(text);
    const char *last = strchr(digits, text[len - 1]);
    fuzz_require(last != NULL, "a token is written in base64url");
    memcpy(other, text, len);
    other[len - 1] = digits[(last - digits) ^ 1];
    fuzz_require(token_decode(keyring, (struct text){other, len}, &token) != OK,
                 "a token has one spelling");
}

/* What is bent in any byte, cut or continued is no token any more. */
static void check_bent(char *text, uint16_t where, uint8_t bits)
{
    struct token token;
    size_t len = strlen(text);
    size_t at = where % len;
    char kept = text[at];
    text[at] = (char)(text[at] ^ (bits != 0 ? bits : 1));
    fuzz_require(token_decode(keyring, (struct text){text, len}, &token) != OK,
                 "a token that was changed is none");
    text[at] = kept;
    fuzz_require(token_decode(keyring, (struct text){text, at}, &token) != OK,
                 "a token that was cut is none");
    fuzz_require(token_decode(keyring, (struct text){text, len + 1}, &token) != OK,
                 "a token that was continued is none");
}

static bool write_text(struct text rest)
{
    static const enum token_kind kinds[] = {TOKEN_ANONYMOUS, TOKEN_STORED, TOKEN_CACHED,
                                            TOKEN_SEALED, TOKEN_DEVICE};
    static struct token token;
    static struct token again;
    char text[TOKEN_TEXT_MAX + 1];
    uint8_t which = fuzz_take_byte(&rest);
    uint16_t where = (uint16_t)(fuzz_take_byte(&rest) << 8);
    where = (uint16_t)(where | fuzz_take_byte(&rest));
    uint8_t bits = fuzz_take_byte(&rest);
    memset(&token, 0, sizeof token);
    token.kind = kinds[which % (sizeof kinds / sizeof kinds[0])];
    for (size_t i = 0; i < 8; i++) {
        token.issued_s = (int64_t)((uint64_t)token.issued_s << 8 | fuzz_take_byte(&rest));
    }
    struct text id = fuzz_take(&rest, sizeof token.id);
    memcpy(token.id, text_bytes(id), id.len);
    if (token.kind == TOKEN_SEALED) {
        token.body_len = rest.len < TOKEN_BODY_MAX ? rest.len : TOKEN_BODY_MAX;
        memcpy(token.body, text_bytes(rest), token.body_len);
    }
    enum status status = token_encode(keyring, &token, text);
    fuzz_require((status == OK) == (token.issued_s >= 0), "what can be read is written");
    if (status != OK) {
        return false;
    }
    fuzz_require(token_decode(keyring, text_of(text), &again) == OK && is_same(&token, &again),
                 "what was written reads as it was");
    fuzz_require(token.kind != TOKEN_SEALED || token.body_len < 8 ||
                     !fuzz_has(text_of(text), (struct text){(char *)token.body, token.body_len}),
                 "a sealed body is not shown");
    check_spelling(text_of(text));
    check_csrf(&token);
    check_last(text);
    check_bent(text, where, bits);
    return true;
}

/* Whether a plain token of these bytes, were its tag right, is one of ours. */
static bool is_ours(const uint8_t bytes[TOKEN_PLAIN_BYTES])
{
    uint32_t key_id =
        (uint32_t)bytes[2] << 24 | (uint32_t)bytes[3] << 16 | (uint32_t)bytes[4] << 8 | bytes[5];
    return bytes[0] == 1 && is_plain((enum token_kind)bytes[1]) &&
           (key_id == key_ids[0] || key_id == key_ids[1]) && bytes[6] < 0x80;
}

static bool read_tagged(struct text rest)
{
    uint8_t bytes[TOKEN_PLAIN_BYTES] = {0};
    char text[TOKEN_TEXT_LEN + 1];
    struct token token;
    size_t tagged = TOKEN_PLAIN_BYTES - MAC_BYTES;
    uint8_t which = fuzz_take_byte(&rest);
    struct text fields = fuzz_take(&rest, tagged);
    memcpy(bytes, text_bytes(fields), fields.len);
    const uint8_t *key = keyring_get_key(keyring, key_ids[which % 2], KEY_TOKEN);
    mac_sha256((struct text){(const char *)key, KEY_BYTES},
               (struct text){(const char *)bytes, tagged}, bytes + tagged);
    base64url_encode(bytes, sizeof bytes, text);
    bool is_other_key = bytes[2] != (uint8_t)(key_ids[which % 2] >> 24) ||
                        bytes[3] != (uint8_t)(key_ids[which % 2] >> 16) ||
                        bytes[4] != (uint8_t)(key_ids[which % 2] >> 8) ||
                        bytes[5] != (uint8_t)key_ids[which % 2];
    bool accepted = token_decode(keyring, (struct text){text, TOKEN_TEXT_LEN}, &token) == OK;
    fuzz_require(accepted == (is_ours(bytes) && !is_other_key),
                 "a right tag counts for sound fields and its own key only");
    return accepted;
}

bool fuzz_one(struct text input)
{
    if (keyring == NULL) {
        fuzz_require(keyring_open(fuzz_write_secret("secret"), KEYS_ALL, &keyring) == OK,
                     "secrets are read");
    }
    switch (fuzz_take_byte(&input) % 3) {
    case 1:
        return write_text(input);
    case 2:
        return read_tagged(input);
    default:
        return read_text(input);
    }
}
