/* Sessions as their administrator sees them: in all stores at once. A store that is not in use, and
 * not there, has none. */
#ifndef LATCHKEY_SESSION_ADMINISTER_H
#define LATCHKEY_SESSION_ADMINISTER_H

#include "session/session.h"

/* Calls `each` for every session that is alive at `now_s`, with its user: of one user or, with
 * user_id 0, of all; newest first within each store. Stops early when it returns false. Of the
 * cookie store: those whose sign-in is recorded. ERR_STORE. */
enum status administer_list(const struct sessions *sessions, int64_t user_id, int64_t now_s,
                            bool (*each)(void *context, const struct session_row *row),
                            void *context) MUST_USE;

/* Ends the session that people call by `id`, if it is the user's or, with user_id 0, whosever it
 * is. *ended becomes its row, with its user's name if there still is one; wipe it. ERR_INPUT when
 * it is no such id, ERR_NOT_FOUND (also of somebody else's); ERR_STORE, ERR_SYSTEM: it may
 * have ended all the same. */
enum status administer_end(const struct sessions *sessions, int64_t user_id, struct text id,
                           struct session_row *ended) MUST_USE;

/* Ends all sessions of one user or, with user_id 0, of all, known or not. *ended: how many rows
 * went. ERR_STORE, ERR_SYSTEM, ERR_CRYPTO; ERR_NOT_FOUND: there is no such user. */
enum status administer_end_all(const struct sessions *sessions, int64_t user_id, int64_t *ended)
    MUST_USE;

/* Removes what is over at `now_s`. *removed: how many sessions. */
enum status administer_purge(const struct sessions *sessions, int64_t now_s, int64_t *removed)
    MUST_USE;

#endif
