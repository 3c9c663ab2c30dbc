/* The database store.
 *
 * Revocation needs nothing here beyond the row: the statement that finds a session joins its user
 * and compares salts, so that a new salt or a lock ends it in the moment of the commit, and a row
 * that was removed cannot come back, because touching it is an UPDATE. What this store does not
 * give: a check without a read. */
#include "session/backend_database.h"

#define PURGE_ROWS 64 /* at a time: enough to keep up with sign-ins, too few to be felt */

static enum status purge(struct store *store, int64_t now_s)
{
    int64_t removed;
    return sessions_purge(store, now_s, PURGE_ROWS, &removed);
}

const struct session_backend session_backend_database = {
    .name = "database",
    .add = sessions_add,
    .find = sessions_find,
    .touch = sessions_touch,
    .remove = sessions_remove,
    .purge = purge,
};
