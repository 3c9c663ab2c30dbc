/* The text in the cookie: what it says, and that it was us who said it.
 *
 *   0        1      2         6             14              46            78 bytes
 *   +--------+------+---------+-------------+---------------+-------------+
 *   | version| kind | key id  | issued, s   | id            | tag         |
 *   +--------+------+---------+-------------+---------------+-------------+
 *
 * Numbers big-endian; the tag is HMAC-SHA-256 over everything before it, with the KEY_TOKEN key of
 * the key id. Written in base64url without padding: 78 bytes are 104 characters with no bit left
 * over, so that each token has one spelling. */
#ifndef LATCHKEY_CRYPTO_TOKEN_H
#define LATCHKEY_CRYPTO_TOKEN_H

#include "base/text.h"
#include "crypto/keyring.h"

#define TOKEN_TEXT_LEN     104
#define TOKEN_ID_BYTES     32
#define TOKEN_DIGEST_BYTES 32
#define CSRF_TEXT_LEN      43

enum token_kind {
    TOKEN_NONE = 0,
    TOKEN_ANONYMOUS = 'a', /* nobody yet; the server keeps nothing; carries the login form's csrf */
    TOKEN_STORED = 's',    /* a session that the server keeps under the digest of the id */
};

struct token {
    enum token_kind kind;
    int64_t issued_s;
    uint8_t id[TOKEN_ID_BYTES]; /* random; a secret */
};

/* A token with a fresh random id. ERR_CRYPTO. */
enum status token_new(enum token_kind kind, int64_t now_s, struct token *out) MUST_USE;

/* Writes the token with the newest secret, NUL-terminated, and reads it back as a check on itself.
 * ERR_CRYPTO, ERR_NOT_FOUND (no key). */
enum status token_encode(const struct keyring *keyring, const struct token *token,
                         char out[TOKEN_TEXT_LEN + 1]) MUST_USE;

/* Reads a token. The tag is compared before any other field is used. ERR_INPUT for whatever is not
 * exactly a token of ours; *out untouched. Time does not depend on the tag's bytes. */
enum status token_decode(const struct keyring *keyring, struct text text, struct token *out)
    MUST_USE;

/* SHA-256 of the id: what the server keeps, so that a stolen database holds no usable token. */
enum status token_digest(const struct token *token, uint8_t out[TOKEN_DIGEST_BYTES]) MUST_USE;

/* The csrf value of forms shown to the bearer of this token: HMAC-SHA-256 of kind and id with the
 * newest KEY_CSRF key, base64url, NUL-terminated. */
enum status token_csrf_encode(const struct keyring *keyring, const struct token *token,
                              char out[CSRF_TEXT_LEN + 1]) MUST_USE;

/* Whether `text` is the csrf value of this token under any present secret. Constant time. */
enum verdict token_csrf_check(const struct keyring *keyring, const struct token *token,
                              struct text text) MUST_USE;

#endif
