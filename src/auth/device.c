/* The id of a device token:
 *
 *   0             16            24            32 bytes
 *   +-------------+-------------+-------------+
 *   | random      | bond        | user id     |
 *   +-------------+-------------+-------------+
 *
 * The user is part of it, so that the cookie of one account is none of another's: whoever may sign
 * in here cannot make a known browser for somebody else. The bond is the beginning of
 * HMAC-SHA-256(the user's session salt, random | user id): who knew a former password, and signed
 * in often to have many such cookies, has none when the owner has set another one, or signed out
 * everywhere.
 *
 * What this does not protect: a copied cookie makes another browser a known one. It has
 * a count of its own, with as many free attempts, and goes before strangers when many wait. */
#include "auth/device.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "crypto/mac.h"

enum { AT_BOND = 16, AT_USER = 24, BOND_BYTES = AT_USER - AT_BOND, USER_BYTES = 8 };

_Static_assert(AT_USER + USER_BYTES == TOKEN_ID_BYTES, "the length of a token's id");
_Static_assert(AT_USER == DEVICE_ID_BYTES, "what tells browsers apart");

static void make_bond(const uint8_t id[TOKEN_ID_BYTES], const struct user *user,
                      uint8_t out[BOND_BYTES])
{
    uint8_t input[AT_BOND + USER_BYTES];
    uint8_t tag[MAC_BYTES];
    memcpy(input, id, AT_BOND);
    bytes_put_number(input + AT_BOND, (uint64_t)user->id, USER_BYTES);
    mac_sha256((struct text){(const char *)user->salt, sizeof user->salt},
               (struct text){(const char *)input, sizeof input}, tag);
    memcpy(out, tag, BOND_BYTES);
    secret_wipe(input, sizeof input);
    secret_wipe(tag, sizeof tag);
}

enum status device_new(const struct user *user, int64_t now_s, struct token *out)
{
    enum status status = token_new(TOKEN_DEVICE, now_s, out);
    if (status == OK) {
        make_bond(out->id, user, out->id + AT_BOND);
        bytes_put_number(out->id + AT_USER, (uint64_t)user->id, USER_BYTES);
    }
    return status;
}

/* Whether the token was made for this user, with the present salt. */
static bool is_of(const struct token *token, const struct user *user)
{
    uint8_t expected[BOND_BYTES + USER_BYTES];
    make_bond(token->id, user, expected);
    bytes_put_number(expected + BOND_BYTES, (uint64_t)user->id, USER_BYTES);
    bool is_of = secret_is_equal(token->id + AT_BOND, expected, sizeof expected);
    secret_wipe(expected, sizeof expected);
    return is_of;
}

/* Whether the cookie is a token of a browser, in time; *out receives it then. */
static bool read_token(const struct keyring *keyring, struct text cookie, int64_t now_s,
                       struct token *out)
{
    return token_decode(keyring, cookie, out) == OK && out->kind == TOKEN_DEVICE &&
           out->issued_s <= now_s + CLOCK_SKEW_S && now_s - out->issued_s < DEVICE_LIFE_S;
}

/* Whose token it is, as it says itself; 0: nobody's. */
static int64_t read_user_id(const struct token *token)
{
    uint64_t id = bytes_get_number(token->id + AT_USER, USER_BYTES);
    return id <= INT64_MAX ? (int64_t)id : 0;
}

uint64_t device_known_as(struct store *store, const struct keyring *keyring,
                         const struct device_cookies *cookies, int64_t now_s)
{
    uint64_t who = 0;
    for (size_t i = 0; i < cookies->count && i < AUTH_COOKIES_MAX && who == 0; i++) {
        struct token token = {0};
        struct user user = {0};
        if (read_token(keyring, cookies->items[i], now_s, &token) &&
            users_find_by_id(store, read_user_id(&token), &user) == OK && is_of(&token, &user)) {
            who = (uint64_t)user.id;
        }
        secret_wipe(&user, sizeof user);
        token_wipe(&token);
    }
    return who;
}

bool device_find(const struct keyring *keyring, const struct origin *origin,
                 const struct user *user, int64_t now_s, uint8_t out[DEVICE_ID_BYTES])
{
    bool found = false;
    for (size_t i = 0; i < origin->device_count && i < AUTH_COOKIES_MAX && !found; i++) {
        struct token token = {0};
        /* The same work for a name that nobody has. */
        bool is_token = read_token(keyring, origin->devices[i], now_s, &token);
        bool is_theirs = is_of(&token, user);
        found = is_token && is_theirs && user->id > 0;
        if (found) {
            memcpy(out, token.id, DEVICE_ID_BYTES);
        }
        token_wipe(&token);
    }
    return found;
}
