/* One-time links on which a user sets a password: what stands in the link is a random code, of
 * which only the SHA-256 is kept. */
#ifndef LATCHKEY_STORE_LINKS_H
#define LATCHKEY_STORE_LINKS_H

#include "store/users.h"

#define LINK_CODE_BYTES 32
#define LINK_CODE_LEN   43 /* of its text, base64url without padding */
#define LINK_LIFE_S     86400

/* Makes a code for the user, NUL-terminated, good once and until now_s + LINK_LIFE_S; an earlier
 * one of the user is good no more. A secret; wipe. ERR_NOT_FOUND (no such user), ERR_STORE,
 * ERR_CRYPTO. */
enum status links_make(struct store *store, int64_t user_id, int64_t now_s,
                       char out[LINK_CODE_LEN + 1]) MUST_USE;

/* The user that the code is for; nothing is used up. ERR_NOT_FOUND: it is none, was used, or is too
 * old; also when the user is locked. ERR_STORE. */
enum status links_find(struct store *store, struct text code, int64_t now_s, struct user *out)
    MUST_USE;

/* No code is good any more. ERR_STORE. */
enum status links_remove_all(struct store *store) MUST_USE;

/* Uses the code up: sets the password's hash and a new salt, which ends all sessions of the user,
 * and removes the link; of two at once, one gets ERR_NOT_FOUND. After OK, and only then, end it
 * with users_end_change, which does all of it or nothing. ERR_STORE, ERR_SYSTEM, ERR_CRYPTO. */
enum status links_begin_use(struct store *store, struct text code, const char *hash, int64_t now_s,
                            struct user_change *out) MUST_USE;

#endif
