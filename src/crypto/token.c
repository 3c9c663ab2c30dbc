/* The text in the cookie (drawn in the header), whichever kind it is.
 *
 * A token proves that this installation issued it; whether it still counts is for others to say:
 * the session store, and for an anonymous one its time of issue.
 *
 * Reading goes in one order: length, spelling, version, kind, key, tag, fields. The five before the
 * tag only choose what to compare with, and all of them are under it.
 *
 * Nothing is issued that this reader would not take for the very token that was to be written.
 *
 * The room for the longest token is some 3 KB; only what was used of it is wiped.
 *
 * What this does not protect: a token that is stolen is as good as the one it was copied from. */
#include "crypto/token.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/unset.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/token_header.h"
#include "crypto/token_plain.h"
#include "crypto/token_sealed.h"

#define BYTES_MAX (TOKEN_SEALED_FRAME_BYTES + TOKEN_BODY_MAX)

_Static_assert(BYTES_MAX <= BASE64URL_BYTES_MAX, "a token can be read");
_Static_assert(TOKEN_DIGEST_BYTES == DIGEST_BYTES, "the length of a token's digest");

enum status token_new(enum token_kind kind, int64_t now_s, struct token *out)
{
    uint8_t id[TOKEN_ID_BYTES];
    enum status status = random_fill(id, sizeof id);
    if (status == OK) {
        out->kind = kind;
        out->issued_s = now_s;
        memcpy(out->id, id, sizeof id);
        out->body_len = 0;
    }
    secret_wipe(id, sizeof id);
    return status;
}

/* Bytes of the struct up to the end of the body that is in use. */
static size_t used_bytes(const struct token *token)
{
    size_t body_len = token->body_len < TOKEN_BODY_MAX ? token->body_len : TOKEN_BODY_MAX;
    return offsetof(struct token, body) + body_len;
}

void token_copy(struct token *out, const struct token *token)
{
    memcpy(out, token, used_bytes(token));
}

void token_wipe(struct token *token)
{
    secret_wipe(token, used_bytes(token));
}

bool token_is_session(const struct token *token)
{
    return token->kind == TOKEN_STORED || token->kind == TOKEN_CACHED ||
           token->kind == TOKEN_SEALED;
}

enum status token_decode(const struct keyring *keyring, struct text text, struct token *out)
{
    UNSET uint8_t bytes[BYTES_MAX];
    const uint8_t *key = NULL;
    size_t len = text.len <= TOKEN_TEXT_MAX ? text.len * 3 / 4 : 0;
    if (len < TOKEN_HEADER_BYTES || base64url_decode(text, bytes, len) != OK) {
        return ERR_INPUT;
    }
    enum token_kind kind = token_header_read(keyring, bytes, &key);
    enum status status = ERR_INPUT;
    if (kind == TOKEN_SEALED) {
        status = token_sealed_read(key, bytes, len, out);
    } else if (kind != TOKEN_NONE) {
        status = token_plain_read(key, bytes, len, out);
    }
    if (status == OK) {
        out->kind = kind;
    }
    secret_wipe(bytes, len);
    return status;
}

/* Whether the text reads as this very token: a fault in here must not become a cookie. */
static bool reads_back(const struct keyring *keyring, struct text text, const struct token *token)
{
    struct token again = {0};
    bool same = token_decode(keyring, text, &again) == OK && again.kind == token->kind &&
                again.issued_s == token->issued_s &&
                secret_is_equal(again.id, token->id, sizeof again.id) &&
                again.body_len == token->body_len &&
                secret_is_equal(again.body, token->body, again.body_len);
    token_wipe(&again);
    return same;
}

enum status token_encode(const struct keyring *keyring, const struct token *token,
                         char out[TOKEN_TEXT_MAX + 1])
{
    uint8_t bytes[BYTES_MAX];
    char text[TOKEN_TEXT_MAX + 1];
    if (token->body_len > TOKEN_BODY_MAX) {
        return ERR_TOO_LARGE;
    }
    bool sealed = token->kind == TOKEN_SEALED;
    size_t len = sealed ? TOKEN_SEALED_FRAME_BYTES + token->body_len : TOKEN_PLAIN_BYTES;
    size_t text_len = BASE64URL_LEN(len);
    enum status status = sealed ? token_sealed_write(keyring, token, bytes)
                                : token_plain_write(keyring, token, bytes);
    if (status == OK) {
        base64url_encode(bytes, len, text);
        if (reads_back(keyring, (struct text){text, text_len}, token)) {
            memcpy(out, text, text_len + 1);
        } else {
            log_error("a new token does not verify; it was not issued");
            status = ERR_CRYPTO;
        }
    }
    secret_wipe(bytes, len);
    secret_wipe(text, text_len + 1);
    return status;
}

void token_digest(const struct token *token, uint8_t out[TOKEN_DIGEST_BYTES])
{
    digest_sha256((struct text){(const char *)token->id, sizeof token->id}, out);
}
