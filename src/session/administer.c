/* Listing and ending sessions in all stores.
 *
 * The database is asked first and decides; the cache's rows go after what ended them was committed.
 * One that stays counts for nothing: its salt is an old one, or its revocation stays as well. */
#include "session/administer.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "session/backend.h"
#include "store/cache.h"

struct listing {
    const struct sessions *sessions;
    struct store *other; /* of the two stores, the one that is not gone through; may be NULL */
    bool (*each)(void *context, const struct session_row *row);
    void *context;
    enum status status;
    bool stopped;
};

/* A session that went from one store to the other has a row in each: the one that was used last
 * speaks for it, the database's when both were at once, so that one and only one is shown. And the
 * cache may have kept a row of one that was revoked. ERR_NOT_FOUND: this row is not to be shown. */
static enum status check_row(const struct listing *listing, const struct session_row *row)
{
    const struct sessions *sessions = listing->sessions;
    bool of_database = listing->other != sessions->store;
    bool ended = false;
    struct session_row twin = {0};
    enum status status = OK;
    if (!of_database) {
        status = revocations_has(sessions->store, row->key, REVOKED_BY_KEY, &ended);
    }
    if (status == OK && !ended && listing->other != NULL) {
        status = sessions_find(listing->other, row->key, &twin);
        ended =
            status == OK && (of_database ? twin.seen_s > row->seen_s : twin.seen_s >= row->seen_s);
        status = status == ERR_NOT_FOUND ? OK : status;
    }
    secret_wipe(&twin, sizeof twin);
    return status == OK && ended ? ERR_NOT_FOUND : status;
}

/* Gives a row on with its user, unless the session is dead by its salt. */
static bool list_row(void *context, const struct session_row *row)
{
    struct listing *listing = context;
    struct session_row whole = *row;
    struct user user = {0};
    enum status status = check_row(listing, row);
    if (status == OK) {
        status = users_find_by_id(listing->sessions->store, row->user_id, &user);
    }
    if (status == OK && session_is_bound(row, &user)) {
        memcpy(whole.user, user.name, sizeof whole.user);
        memcpy(whole.display, user.display, sizeof whole.display);
        secret_wipe(whole.salt, sizeof whole.salt);
        listing->stopped = !listing->each(listing->context, &whole);
    } else if (status != OK && status != ERR_NOT_FOUND) {
        listing->status = status;
        listing->stopped = true;
    }
    secret_wipe(&user, sizeof user);
    secret_wipe(&whole, sizeof whole);
    return !listing->stopped;
}

enum status administer_list(const struct sessions *sessions, int64_t user_id, int64_t now_s,
                            bool (*each)(void *context, const struct session_row *row),
                            void *context)
{
    struct listing listing = {.sessions = sessions, .each = each, .context = context};
    bool has_cache = false;
    enum status status = store_exists(sessions->cache, &has_cache);
    if (status == OK) {
        listing.other = has_cache ? sessions->cache : NULL;
        status = sessions_list(sessions->store, user_id, now_s, list_row, &listing);
    }
    if (has_cache && status == OK && !listing.stopped) {
        listing.other = sessions->store;
        status = sessions_list(sessions->cache, user_id, now_s, list_row, &listing);
    }
    return status == OK ? listing.status : status;
}

/* In the database or else in the cache, without its user. */
static enum status find_row(const struct sessions *sessions, struct text id,
                            struct session_row *out)
{
    bool has_cache = false;
    enum status status = sessions_find_by_id(sessions->store, id, out);
    if (status != ERR_NOT_FOUND) {
        return status;
    }
    status = store_exists(sessions->cache, &has_cache);
    if (status == OK) {
        status = has_cache ? sessions_find_by_id(sessions->cache, id, out) : ERR_NOT_FOUND;
    }
    return status;
}

static enum status name_user(const struct sessions *sessions, struct session_row *row)
{
    struct user user = {0};
    enum status status = users_find_by_id(sessions->store, row->user_id, &user);
    memcpy(row->user, user.name, sizeof row->user);
    secret_wipe(&user, sizeof user);
    return status == ERR_NOT_FOUND ? OK : status;
}

/* A session of the cache alone is revoked in the database like any other: only there is it refused
 * to tokens of every kind. */
enum status administer_end(const struct sessions *sessions, int64_t user_id, struct text id,
                           struct session_row *ended)
{
    struct session_row row = {0};
    enum status status = find_row(sessions, id, &row);
    if (status == OK && user_id != 0 && row.user_id != user_id) {
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        status = name_user(sessions, &row);
    }
    if (status == OK) {
        status = sessions_end(sessions->store, row.key, row.expires_s);
    }
    if (status == OK) {
        status = session_end_beside(sessions, row.key);
    }
    if (status == OK) {
        *ended = row;
    }
    secret_wipe(&row, sizeof row);
    return status;
}

/* Only how far the cache reaches is asked before: who signs in after the end has a session again.
 */
enum status administer_end_all(const struct sessions *sessions, int64_t user_id, int64_t *ended)
{
    int64_t in_database = 0;
    int64_t in_cache = 0;
    int64_t newest = 0;
    bool has_cache = false;
    enum status left = store_exists(sessions->cache, &has_cache);
    if (left == OK && has_cache) {
        left = cache_get_newest(sessions->cache, &newest);
    }
    enum status status = user_id != 0 ? users_renew_salt(sessions->store, user_id, &in_database)
                                      : sessions_remove_all(sessions->store, &in_database);
    if (status == OK) {
        if (left == OK && has_cache) {
            left = cache_remove(sessions->cache, user_id, newest, &in_cache);
        }
        session_tell_left_over(left);
        *ended = in_database + in_cache;
    }
    return status;
}

enum status administer_purge(const struct sessions *sessions, int64_t now_s, int64_t *removed)
{
    int64_t in_database = 0;
    int64_t in_cache = 0;
    bool has_cache = false;
    enum status status = sessions_purge(sessions->store, now_s, 0, &in_database);
    if (status == OK) {
        status = revocations_purge(sessions->store, now_s);
    }
    if (status == OK) {
        status = store_exists(sessions->cache, &has_cache);
    }
    if (status == OK && has_cache) {
        status = sessions_purge(sessions->cache, now_s, 0, &in_cache);
    }
    if (status == OK) {
        *removed = in_database + in_cache;
    }
    return status;
}
