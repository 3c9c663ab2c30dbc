/* The text in the cookie: what it says, and that it was us who said it. Plain tokens:
 *
 *   0        1      2         6             14              46            78 bytes
 *   +--------+------+---------+-------------+---------------+-------------+
 *   | version| kind | key id  | issued, s   | id            | tag         |
 *   +--------+------+---------+-------------+---------------+-------------+
 *
 * The tag is HMAC-SHA-256 over everything before it, with the KEY_TOKEN key of the key id. Sealed
 * tokens, which carry a body of any bytes, the session itself:
 *
 *   0        1      2         6             30            38     70       70+n          86+n bytes
 *   +--------+------+---------+-------------+-------------+------+--------+-------------+
 *   | version| kind | key id  | random      | issued, s   | id   | body   | tag         |
 *   +--------+------+---------+-------------+-------------+------+--------+-------------+
 *                                           |<---- AES-256-GCM ---------->|
 *
 * Key and nonce are 44 bytes of HKDF-SHA-256 from the KEY_SEAL key of the key id, with the random
 * bytes as salt and "latchkey 1 sealed token" as info; the 30 bytes before are under the tag.
 *
 * Numbers big-endian. Written in base64url without padding; each token has one spelling. */
#ifndef LATCHKEY_CRYPTO_TOKEN_H
#define LATCHKEY_CRYPTO_TOKEN_H

#include "base/text.h"
#include "crypto/base64url.h"
#include "crypto/keyring.h"

#define TOKEN_TEXT_LEN     104  /* of every kind but the sealed one */
#define TOKEN_TEXT_MAX     4000 /* of every kind: a Set-Cookie value has 4096 */
#define TOKEN_ID_BYTES     32
#define TOKEN_DIGEST_BYTES 32
#define CSRF_TEXT_LEN      43

#define TOKEN_SEALED_FRAME_BYTES 86 /* a sealed token without its body */
#define TOKEN_BODY_MAX           (TOKEN_TEXT_MAX / 4 * 3 - TOKEN_SEALED_FRAME_BYTES)

/* Characters of a sealed token, without the NUL. */
#define TOKEN_SEALED_TEXT_LEN(body_len) BASE64URL_LEN(TOKEN_SEALED_FRAME_BYTES + (body_len))

enum token_kind {
    TOKEN_NONE = 0,
    TOKEN_ANONYMOUS = 'a', /* nobody yet; the server keeps nothing; carries the login form's csrf */
    TOKEN_STORED = 's',    /* a session that the database keeps under the digest of the id */
    TOKEN_CACHED = 'c',    /* a session that the memory of the server keeps so */
    TOKEN_SEALED = 'e',    /* a session that the token itself carries */
    TOKEN_DEVICE = 'd',    /* no session: a browser that signed in to an account before */
};

/* A session keeps its id when its token is renewed or exchanged for one of another kind. */
struct token {
    enum token_kind kind;
    int64_t issued_s;
    uint8_t id[TOKEN_ID_BYTES];   /* random; a secret */
    size_t body_len;              /* 0 for all kinds but the sealed one */
    uint8_t body[TOKEN_BODY_MAX]; /* a secret; nothing is said of the bytes after body_len */
};

/* A token with a fresh random id and no body. ERR_CRYPTO; *out untouched then. */
enum status token_new(enum token_kind kind, int64_t now_s, struct token *out) MUST_USE;

/* The same as assigning and as wiping the whole, but of the body only what is in use is touched,
 * often a hundred bytes of 3 KB. So token_wipe is for a token that had one body in its life: zeroed
 * at first, then made, read or copied into once. It reads body_len: never for one that was not set.
 *
 * Wipe the whole struct (secret_wipe) when the body may have been longer before: token_new,
 * token_decode and token_copy leave the rest of the former body where it is, and so does whoever
 * puts a shorter one there. And when it lies in a struct that is wiped as a whole. */
void token_copy(struct token *out, const struct token *token);
void token_wipe(struct token *token);

/* Whether it is a token of somebody who signed in: stored, cached or sealed. */
bool token_is_session(const struct token *token);

/* Writes the token with the newest secret, NUL-terminated, and reads it back as a check on itself.
 * Sealed ones differ each time. ERR_TOO_LARGE: body_len over TOKEN_BODY_MAX; ERR_CRYPTO,
 * ERR_NOT_FOUND (no key); *out untouched then. */
enum status token_encode(const struct keyring *keyring, const struct token *token,
                         char out[TOKEN_TEXT_MAX + 1]) MUST_USE;

/* Reads a token of any kind. Before the tag was compared no field is used but those that say with
 * which key. ERR_INPUT for whatever is not exactly a token of ours; *out untouched then. Time
 * depends on the length and on what is in clear, not on the tag's bytes. */
enum status token_decode(const struct keyring *keyring, struct text text, struct token *out)
    MUST_USE;

/* SHA-256 of the id: what the server knows a session by, so that a stolen database holds no usable
 * token. */
void token_digest(const struct token *token, uint8_t out[TOKEN_DIGEST_BYTES]);

/* The csrf value of forms shown to the bearer of this token: HMAC-SHA-256 with the newest KEY_CSRF
 * key of 'a' for an anonymous token, 's' for any kind of session, and the id; base64url,
 * NUL-terminated. ERR_INPUT (no kind), ERR_NOT_FOUND (no key). */
enum status token_csrf_encode(const struct keyring *keyring, const struct token *token,
                              char out[CSRF_TEXT_LEN + 1]) MUST_USE;

/* Whether `text` is the csrf value of this token under any present secret. Constant time. */
enum verdict token_csrf_check(const struct keyring *keyring, const struct token *token,
                              struct text text) MUST_USE;

#endif
