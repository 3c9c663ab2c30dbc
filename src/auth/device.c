/* The id of a device token:
 *
 *   0                       24             32 bytes
 *   +-----------------------+--------------+
 *   | random                | user id      |
 *   +-----------------------+--------------+
 *
 * The user is part of it, so that the cookie of one account is none of another's: whoever may sign
 * in here cannot make a known browser for somebody else.
 *
 * What this does not protect: a copied cookie makes another browser a known one. All that it gains
 * is a count of its own, as long as the others. */
#include "auth/device.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"

#define USER_BYTES 8

_Static_assert(DEVICE_ID_BYTES + USER_BYTES == TOKEN_ID_BYTES, "the length of a token's id");

enum status device_new(int64_t user_id, int64_t now_s, struct token *out)
{
    enum status status = token_new(TOKEN_DEVICE, now_s, out);
    if (status == OK) {
        bytes_put_number(out->id + DEVICE_ID_BYTES, (uint64_t)user_id, USER_BYTES);
    }
    return status;
}

static bool is_for(const struct token *token, const uint8_t user[USER_BYTES], int64_t now_s)
{
    return token->kind == TOKEN_DEVICE && token->issued_s <= now_s + CLOCK_SKEW_S &&
           now_s - token->issued_s < DEVICE_LIFE_S &&
           secret_is_equal(token->id + DEVICE_ID_BYTES, user, USER_BYTES);
}

bool device_find(const struct keyring *keyring, const struct origin *origin, int64_t user_id,
                 int64_t now_s, uint8_t out[DEVICE_ID_BYTES])
{
    uint8_t user[USER_BYTES];
    bool found = false;
    bytes_put_number(user, (uint64_t)user_id, USER_BYTES);
    for (size_t i = 0; i < origin->device_count && i < AUTH_COOKIES_MAX && !found; i++) {
        struct token token = {0};
        if (token_decode(keyring, origin->devices[i], &token) == OK) {
            found = user_id > 0 && is_for(&token, user, now_s);
        }
        if (found) {
            memcpy(out, token.id, DEVICE_ID_BYTES);
        }
        token_wipe(&token);
    }
    return found;
}
