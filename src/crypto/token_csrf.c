/* The csrf value that goes with a token.
 *
 * It is made from the token, so nothing has to be kept for it; it cannot be made from it without
 * the key, so a page that got hold of one token's id could still not post a form. It is good as
 * long as the secret of its time is in the file, since a form may stay open over a rotation; and
 * since a session keeps its id when its token is renewed or becomes one of another kind, so do the
 * forms that are open. A form that was shown to nobody is not good for a session, were the ids the
 * same.
 *
 * What this does not protect: a page of this very host may read the value from the form. */
#include <string.h>

#include "base/secret.h"
#include "crypto/mac.h"
#include "crypto/token.h"

_Static_assert(BASE64URL_LEN(MAC_BYTES) == CSRF_TEXT_LEN, "the length of a csrf value");

/* The csrf value under one secret. */
static enum status make_csrf(const struct keyring *keyring, uint32_t key_id,
                             const struct token *token, char out[CSRF_TEXT_LEN + 1])
{
    uint8_t input[1 + TOKEN_ID_BYTES];
    uint8_t tag[MAC_BYTES];
    if (token->kind != TOKEN_ANONYMOUS && !token_is_session(token)) {
        return ERR_INPUT;
    }
    const uint8_t *key = keyring_get_key(keyring, key_id, KEY_CSRF);
    if (key == NULL) {
        return ERR_NOT_FOUND;
    }
    input[0] = token_is_session(token) ? 's' : 'a';
    memcpy(input + 1, token->id, TOKEN_ID_BYTES);
    mac_sha256((struct text){(const char *)key, KEY_BYTES},
               (struct text){(const char *)input, sizeof input}, tag);
    base64url_encode(tag, sizeof tag, out);
    secret_wipe(input, sizeof input);
    secret_wipe(tag, sizeof tag);
    return OK;
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
