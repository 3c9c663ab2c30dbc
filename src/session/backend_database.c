/* The database store: a session is a row, found by its key.
 *
 * Durable, listable. What revokes a session removes the row in the same transaction, and a row that
 * was removed cannot come back: touching it is an UPDATE, adding it again is refused while its
 * revocation is known. */
#include "session/backend.h"

static struct store *rows(const struct sessions *sessions)
{
    return sessions->store;
}

static enum status add(const struct sessions *sessions, const struct session_row *row)
{
    return sessions_add(sessions->store, row);
}

static enum status find(const struct sessions *sessions, const struct token *token,
                        struct session_row *row, struct user *user)
{
    (void)token;
    return sessions_find_with_user(sessions->store, row->key, row, user);
}

static enum status purge(const struct sessions *sessions, int64_t now_s)
{
    int64_t removed;
    return sessions_purge(sessions->store, now_s, SESSION_PURGE_ROWS, &removed);
}

const struct session_backend session_backend_database = {
    .kind = TOKEN_STORED,
    .shares_database = true,
    .rows = rows,
    .add = add,
    .find = find,
    .purge = purge,
};
