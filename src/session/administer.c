/* Listing and ending sessions in all stores.
 *
 * The database is asked first and decides; the cache's rows go after what ended them was committed,
 * and would count for nothing if they stayed. */
#include "session/administer.h"

#include <string.h>

#include "base/secret.h"
#include "store/cache.h"

struct listing {
    const struct sessions *sessions;
    bool (*each)(void *context, const struct session_row *row);
    void *context;
    enum status status;
    bool stopped;
};

/* Gives a row on with its user, unless the session is dead by its salt. */
static bool list_row(void *context, const struct session_row *row)
{
    struct listing *listing = context;
    struct session_row whole = *row;
    struct user user = {0};
    enum status status = users_find_by_id(listing->sessions->store, row->user_id, &user);
    if (status == OK && !user.locked && secret_is_equal(user.salt, row->salt, sizeof user.salt)) {
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
    struct store *const stores[] = {sessions->store, sessions->cache};
    struct listing listing = {.sessions = sessions, .each = each, .context = context};
    enum status status = OK;
    for (size_t i = 0; i < sizeof stores / sizeof stores[0] && status == OK && !listing.stopped;
         i++) {
        if (i == 0 || store_exists(stores[i])) {
            status = sessions_list(stores[i], user_id, now_s, list_row, &listing);
        }
    }
    return status == OK ? listing.status : status;
}

enum status administer_end(const struct sessions *sessions, struct text id)
{
    struct session_row row = {0};
    bool is_cached = false;
    enum status status = sessions_find_by_id(sessions->store, id, &row);
    if (status == ERR_NOT_FOUND && store_exists(sessions->cache)) {
        status = sessions_find_by_id(sessions->cache, id, &row);
        is_cached = status == OK;
    }
    if (status == OK) {
        status = sessions_end(sessions->store, row.key, row.expires_s);
    }
    if (status == OK && is_cached) {
        status = sessions_remove(sessions->cache, row.key);
    }
    secret_wipe(&row, sizeof row);
    return status;
}

enum status administer_end_all(const struct sessions *sessions, int64_t user_id, int64_t *ended)
{
    int64_t in_database = 0;
    int64_t in_cache = 0;
    enum status status = user_id != 0 ? users_renew_salt(sessions->store, user_id, &in_database)
                                      : sessions_remove_all(sessions->store, &in_database);
    if (status == OK && store_exists(sessions->cache)) {
        status = user_id != 0 ? sessions_remove_rows(sessions->cache, user_id, &in_cache)
                              : cache_remove_all(sessions->cache, &in_cache);
    }
    if (status == OK) {
        *ended = in_database + in_cache;
    }
    return status;
}

enum status administer_purge(const struct sessions *sessions, int64_t now_s, int64_t *removed)
{
    int64_t in_database = 0;
    int64_t in_cache = 0;
    enum status status = sessions_purge(sessions->store, now_s, 0, &in_database);
    if (status == OK) {
        status = revocations_purge(sessions->store, now_s);
    }
    if (status == OK && store_exists(sessions->cache)) {
        status = cache_purge(sessions->cache, now_s, 0, &in_cache);
    }
    if (status == OK) {
        *removed = in_database + in_cache;
    }
    return status;
}
