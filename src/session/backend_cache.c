/* The cache store: a session is a row of a database in the server's memory, found by its key.
 *
 * Nothing of it reaches a disk but what ends: the user's salt and the revocations are in the
 * database, and a row here counts for nothing against them. Rows may go at any time (a reboot, or
 * room for newer ones), which ends their sessions. */
#include "base/log.h"
#include "base/secret.h"
#include "session/backend.h"
#include "store/cache.h"

static struct store *rows(const struct sessions *sessions)
{
    return sessions->cache;
}

/* What the database looks at in one statement when it takes a session: the user's salt and lock,
 * and whether the session was revoked. ERR_NOT_FOUND: no such session may be. */
static enum status check_present(const struct sessions *sessions, const struct session_row *row)
{
    struct user user = {0};
    bool ended = true;
    enum status status = users_find_by_id(sessions->store, row->user_id, &user);
    if (status == OK && !session_is_bound(row, &user)) {
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        status = revocations_has(sessions->store, row->key, REVOKED_BY_KEY, &ended);
    }
    secret_wipe(&user, sizeof user);
    return status == OK && ended ? ERR_NOT_FOUND : status;
}

/* The row is written first and judged then: whoever revokes does it the other way round, so that
 * one of the two sees the other. */
static enum status add(const struct sessions *sessions, const struct session_row *row)
{
    enum status status = cache_add(sessions->cache, row);
    if (status != OK) {
        return status;
    }
    status = check_present(sessions, row);
    if (status != OK && sessions_remove(sessions->cache, row->key) != OK) {
        log_warning("a session that nobody was given a token for stays until it is idle");
    }
    return status;
}

static enum status find(const struct sessions *sessions, const struct token *token,
                        struct session_row *row, struct user *user)
{
    (void)token;
    (void)user;
    return sessions_find(sessions->cache, row->key, row);
}

static enum status purge(const struct sessions *sessions, int64_t now_s)
{
    int64_t removed;
    return sessions_purge(sessions->cache, now_s, SESSION_PURGE_ROWS, &removed);
}

const struct session_backend session_backend_cache = {
    .kind = TOKEN_CACHED,
    .rows = rows,
    .add = add,
    .find = find,
    .purge = purge,
};
