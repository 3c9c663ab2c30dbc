/* Secrets that stay on the stack. */
#include "crypto/token.h"

struct kept {
    uint8_t key[KEY_BYTES];
};

int hold(struct text typed)
{
    static const struct token nobody;
    struct token wiped = {0};
    struct token token = {0}; /* bad */
    struct token *other = &token;
    char text[TOKEN_TEXT_MAX + 1] = ""; /* bad */
    char csrf[CSRF_TEXT_LEN + 1];
    char word[16] = "";
    token_copy(&token, &wiped);
    token_wipe(&wiped);
    secret_wipe(csrf, sizeof csrf);
    return token.kind == nobody.kind && text[0] == typed.data[0] && other != NULL && word[0] != 0;
}

int hold_again(const uint8_t given[KEY_BYTES])
{
    uint8_t key[KEY_BYTES]; /* bad */
    struct hmac_sha256_ctx context; /* bad */
    memcpy(key, given, sizeof key);
    secret_wipe(keys, sizeof keys);
    return key[0];
}
