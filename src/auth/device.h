/* Browsers that signed in to an account before are known by a token in a cookie of their own (OWASP
 * calls it a device cookie). It opens nothing: whoever bears it is counted apart when passwords are
 * tried, and goes before strangers when many wait, so that a flood against the account does not
 * keep its owner out. */
#ifndef LATCHKEY_AUTH_DEVICE_H
#define LATCHKEY_AUTH_DEVICE_H

#include "auth/auth.h"

#define DEVICE_ID_BYTES 24
#define DEVICE_LIFE_S   (INT64_C(400) * 86400) /* the most a cookie may: RFC 6265bis §5.5 */

/* A token by which the browser is known to have signed in to the user's account. ERR_CRYPTO; *out
 * untouched then. */
enum status device_new(const struct user *user, int64_t now_s, struct token *out) MUST_USE;

struct device_cookies {
    const struct text *items; /* values as they came */
    size_t count;
};

/* The id of the user whose browser one of the cookies makes known at `now_s`, by the user's present
 * salt; 0: none does, or it cannot be told. Reads one user for each cookie that is a token. */
uint64_t device_known_as(struct store *store, const struct keyring *keyring,
                         const struct device_cookies *cookies, int64_t now_s);

/* Whether one of the cookies is such a token for that user, in time; `out` is then what tells this
 * browser from others. A secret, as the token is. False for the id 0. */
bool device_find(const struct keyring *keyring, const struct origin *origin,
                 const struct user *user, int64_t now_s, uint8_t out[DEVICE_ID_BYTES]);

#endif
