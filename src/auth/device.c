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
 * What this does not protect: a copied cookie makes another browser a known one. It has
 * a count of its own, with as many free attempts, and goes before strangers when many wait. */
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

/* Whether the cookie is a token of a browser, in time; *out receives it then. */
static bool read_token(const struct keyring *keyring, struct text cookie, int64_t now_s,
                       struct token *out)
{
    return token_decode(keyring, cookie, out) == OK && out->kind == TOKEN_DEVICE &&
           out->issued_s <= now_s + CLOCK_SKEW_S && now_s - out->issued_s < DEVICE_LIFE_S;
}

uint64_t device_known_as(const struct keyring *keyring, const struct text *cookies, size_t count,
                         int64_t now_s)
{
    uint64_t who = 0;
    for (size_t i = 0; i < count && i < AUTH_COOKIES_MAX && who == 0; i++) {
        struct token token = {0};
        if (read_token(keyring, cookies[i], now_s, &token)) {
            who = bytes_get_number(token.id + DEVICE_ID_BYTES, USER_BYTES);
        }
        token_wipe(&token);
    }
    return who;
}

bool device_find(const struct keyring *keyring, const struct origin *origin, int64_t user_id,
                 int64_t now_s, uint8_t out[DEVICE_ID_BYTES])
{
    uint8_t user[USER_BYTES];
    bool found = false;
    bytes_put_number(user, (uint64_t)user_id, USER_BYTES);
    for (size_t i = 0; i < origin->device_count && i < AUTH_COOKIES_MAX && !found; i++) {
        struct token token = {0};
        found = user_id > 0 && read_token(keyring, origin->devices[i], now_s, &token) &&
                secret_is_equal(token.id + DEVICE_ID_BYTES, user, USER_BYTES);
        if (found) {
            memcpy(out, token.id, DEVICE_ID_BYTES);
        }
        token_wipe(&token);
    }
    return found;
}
