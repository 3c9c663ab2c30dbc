/* The rows of the table `session`: what the database and the cache store keep of a session, and the
 * record of a sign-in that the cookie store makes.
 *
 * A row is found by the SHA-256 of the token's id, so that reading the database gives no token. It
 * is alive only while its salt is its user's present one, the user is not locked, and it is not
 * revoked, which whoever finds a row has to look at: see session/session.h. */
#ifndef LATCHKEY_STORE_SESSIONS_H
#define LATCHKEY_STORE_SESSIONS_H

#include "store/users.h"

#define SESSION_KEY_BYTES   32
#define SESSION_ADDRESS_MAX 45 /* bytes of an IPv6 address in text, without NUL */
#define SESSION_AGENT_MAX   200
#define SESSION_AGENTS_MAX  1000 /* of them that sessions share */
#define SESSION_ID_LEN      16   /* hex digits of the key that name a session to people */

struct session_row {
    uint8_t key[SESSION_KEY_BYTES];
    int64_t user_id;
    uint8_t salt[USER_SALT_BYTES]; /* the user's salt when the session began */
    int64_t created_s;
    int64_t seen_s;    /* last request, as far as it was written */
    int64_t idle_s;    /* ends this long after seen_s */
    int64_t expires_s; /* ends then whatever happens */
    bool remember;
    char address[SESSION_ADDRESS_MAX + 1];
    char agent[SESSION_AGENT_MAX + 1]; /* User-Agent, printable ASCII, cut */
    /* Of the user; neither written nor read here: */
    char user[USER_NAME_MAX + 1];
    char display[USER_DISPLAY_MAX + 1];
    char email[USER_EMAIL_MAX + 1];
    char groups[USER_GROUPS_MAX + 1];
};

/* Writes a row, if the user has that salt still and is not locked, and no session of that key was
 * revoked: ERR_NOT_FOUND otherwise (a password change, lock or sign-out that was answered before
 * wins over a sign-in or renewal at the same time). ERR_EXISTS, ERR_STORE. */
enum status sessions_add(struct store *store, const struct session_row *row) MUST_USE;

/* The row of that key, without its user. ERR_NOT_FOUND, ERR_STORE. One statement, no transaction.
 */
enum status sessions_find(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                          struct session_row *out) MUST_USE;

/* The same with address and agent empty, and its user as users_find_by_id finds it: in one
 * statement, for little more than half the price of two. ERR_NOT_FOUND: also when there is no such
 * user. ERR_STORE. */
enum status sessions_find_with_user(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                                    struct session_row *out, struct user *user) MUST_USE;

/* A request of a session at a time. */
struct session_use {
    uint8_t key[SESSION_KEY_BYTES];
    int64_t seen_s;
};

/* Notes requests, all in one transaction. Never brings back a row that is gone. ERR_STORE, logged;
 * but ERR_BUSY, not logged, when another program is writing at this moment: uses are not worth the
 * time of those who wait. */
enum status sessions_touch(struct store *store, const struct session_use *uses, size_t count)
    MUST_USE;

/* Removes the row, and revokes the session until `until_s` (its absolute limit): no copy of its
 * token, of whatever kind, is good after OK. OK also when there was no row. ERR_STORE, ERR_SYSTEM.
 */
enum status sessions_end(struct store *store, const uint8_t key[SESSION_KEY_BYTES], int64_t until_s)
    MUST_USE;

/* Removes the row alone; OK when there was none. */
enum status sessions_remove(struct store *store, const uint8_t key[SESSION_KEY_BYTES]) MUST_USE;

/* The session that people call by `id` (SESSION_ID_LEN hex digits, either case). ERR_INPUT when it
 * is no such id, ERR_NOT_FOUND. */
enum status sessions_find_by_id(struct store *store, struct text id, struct session_row *out)
    MUST_USE;

/* Gives every user a new salt, which ends every session, also those that are kept elsewhere, and
 * then removes their rows, in many small transactions (store/purge.h). *ended: how many rows.
 * Revokes, as users_set_password does. ERR_STORE, ERR_SYSTEM, ERR_CRYPTO: nothing has ended, or
 * everything and the store could not say so. Rows that could not be removed stay (logged): OK. */
enum status sessions_remove_all(struct store *store, int64_t *ended) MUST_USE;

/* Looks at `limit` rows from a random place on and removes those that are over at `now_s`, in one
 * transaction; time bounded by `limit`. With 0, removes all that count for nothing as purge_dead
 * does. Of a cache both as cache_purge does, which finds them by an index. *removed: how many. */
enum status sessions_purge(struct store *store, int64_t now_s, int64_t limit, int64_t *removed)
    MUST_USE;

/* Calls `each` for every session alive at `now_s`, newest first, of one user or, with user_id 0, of
 * all; stops early when it returns false. Its user may be looked up from inside. */
enum status sessions_list(struct store *store, int64_t user_id, int64_t now_s,
                          bool (*each)(void *context, const struct session_row *row), void *context)
    MUST_USE;

/* Writes the id for people, NUL-terminated. */
void session_print_id(const uint8_t key[SESSION_KEY_BYTES], char out[SESSION_ID_LEN + 1]);

#endif
