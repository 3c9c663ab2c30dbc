/* Removing rows of sessions that may be very many: in transactions of about a millisecond with
 * rests between them, so that sign-ins go on meanwhile. Who is interrupted has removed a part.
 *
 * None of it ends a session that is alive: of the database only such rows go as count for nothing,
 * for they are over or not bound to their user's present salt. */
#ifndef LATCHKEY_STORE_PURGE_H
#define LATCHKEY_STORE_PURGE_H

#include "store/sessions.h"

#define PURGE_STEP 64 /* rows that go in one transaction */

/* Removes all such rows, at `now_s`; not of a cache. *removed: how many, also after a failure.
 * ERR_STORE. Not within a transaction. */
enum status purge_dead(struct store *store, int64_t now_s, int64_t *removed) MUST_USE;

/* Removes the names of browsers that no session has which is alive at `now_s`. ERR_STORE. */
enum status purge_agents(struct store *store, int64_t now_s) MUST_USE;

/* Removes the user's rows that are not bound to the present salt, PURGE_STEP at most: for use
 * within a transaction. *removed: how many. ERR_STORE. */
enum status purge_some_of_user(struct store *store, int64_t user_id, int64_t *removed) MUST_USE;

/* Removes all of them. *removed: how many, also after a failure. ERR_STORE. */
enum status purge_user(struct store *store, int64_t user_id, int64_t *removed) MUST_USE;

#endif
