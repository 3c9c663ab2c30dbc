/* The sessions of the memory cache, and who has to go when it is full.
 *
 * Room is made before something is written, in the same transaction, so that the newest is never
 * among those who go, and so that no writer ever finds the cache full: PAGES_SPARE are kept, enough
 * for every index to split its pages. It is made a few rows at a time, since one transaction's
 * changes all go to the log beside the file first (see db/bound.c), and adding commits in between.
 *
 * The newest is the one with the latest `seen_s`, as far as it was written: sessions in use whose
 * touches still wait in a worker's memory are behind by as much.
 *
 * What this does not give: a share for everybody. One user who signs in ten thousand times makes
 * others' sessions go, and they sign in again; nothing here stands against that. */
#include "store/cache.h"

#include "base/log.h"
#include "store/call.h"
#include "store/internal.h"
#include "store/pace.h"

#define PAGE_BYTES      4096U
#define PAGES_SPARE     24U
#define BATCH           16   /* rows that go at a time */
#define EXPIRED_PER_ADD 4    /* more than are added, so that what is over does not pile up */
#define TELL_EACH_S     3600 /* between two lines in the log */

/* One of the statements that remove some rows, with its parameters. */
static enum status run(struct store *store, enum statement which, const int64_t *parameters,
                       int count, int64_t *changes)
{
    struct call call;
    enum status status = call_begin(store, which, &call);
    if (status != OK) {
        return status;
    }
    for (int i = 0; i < count; i++) {
        db_bind_int64(call.statement, i + 1, parameters[i]);
    }
    return call_run(&call, changes);
}

static enum status expire(struct store *store, int64_t now_s, int64_t limit, int64_t *removed)
{
    return run(store, CACHE_EXPIRE, (const int64_t[]){now_s, limit}, 2, removed);
}

/* Ends sessions that are alive, notes how many, and tells of it now and then. */
static enum status evict(struct store *store, int64_t now_s, int64_t *removed)
{
    int64_t told = 0;
    enum status status = run(store, CACHE_EVICT, (const int64_t[]){BATCH}, 1, removed);
    if (status == OK) {
        status = run(store, CACHE_NOTE_EVICTED, removed, 1, NULL);
    }
    if (status == OK) {
        status = run(store, CACHE_NOTE_TOLD, (const int64_t[]){now_s, TELL_EACH_S}, 2, &told);
    }
    if (status == OK && told != 0) {
        log_warning("%s: the cache is full, and sessions end that were not used for the longest "
                    "time; with more memory in cache.size they would last",
                    store->path);
    }
    return status;
}

/* One batch goes: of what is over, or else of the rest. Within a transaction. */
static enum status drop_batch(struct store *store, int64_t now_s)
{
    int64_t removed = 0;
    enum status status = expire(store, now_s, BATCH, &removed);
    if (status == OK && removed == 0) {
        status = evict(store, now_s, &removed);
        if (status == OK && removed == 0) {
            log_error("%s: the cache is too small; set cache.size higher", store->path);
            status = ERR_STORE;
        }
    }
    return status;
}

static enum status has_room(struct store *store, uint64_t bytes, bool *out)
{
    uint64_t used = 0;
    uint64_t most = 0;
    uint64_t wanted = bytes + bytes / 8 + (uint64_t)PAGES_SPARE * PAGE_BYTES;
    enum status status = store_settle(store, db_get_use(store->db, &used, &most));
    if (status == OK && wanted > most / 2) {
        log_error("%s: %llu bytes are too much for the cache; set cache.size higher", store->path,
                  (unsigned long long)bytes);
        return store_settle(store, ERR_STORE);
    }
    if (status == OK) {
        *out = used <= most && most - used >= wanted;
    }
    return status;
}

enum status cache_make_room(struct store *store, int64_t now_s, uint64_t bytes)
{
    bool own = false;
    bool enough = false;
    if (store->cache_bytes == 0) {
        return OK;
    }
    enum status status = OK;
    while (status == OK && !enough) {
        status = scope_open(store, &own);
        if (status != OK) {
            return status;
        }
        status = has_room(store, bytes, &enough);
        if (status == OK && !enough) {
            status = drop_batch(store, now_s);
        }
        status = scope_close(store, own, status);
    }
    return status;
}

static enum status insert(struct store *store, const struct session_row *row)
{
    struct call call;
    enum status status = call_begin(store, CACHE_ADD, &call);
    if (status == OK) {
        session_row_bind(call.statement, row);
        status = call_run(&call, NULL);
    }
    return status;
}

/* Adds the row if there is room (*done), or else lets a batch go. */
static enum status try_to_add(struct store *store, const struct session_row *row, bool *done)
{
    bool enough = false;
    int64_t removed = 0;
    enum status status = has_room(store, 0, &enough);
    if (status == OK && !enough) {
        return drop_batch(store, row->seen_s);
    }
    if (status == OK) {
        status = expire(store, row->seen_s, EXPIRED_PER_ADD, &removed);
    }
    if (status == OK) {
        status = insert(store, row);
    }
    *done = status == OK;
    return status;
}

enum status cache_add(struct store *store, const struct session_row *row)
{
    bool own = false;
    bool done = false;
    enum status status = OK;
    if (store->cache_bytes == 0) {
        log_error("%s: is no cache of sessions", store->path);
        return ERR_PERMISSION;
    }
    while (status == OK && !done) {
        status = scope_open(store, &own);
        if (status == OK) {
            status = scope_close(store, own, try_to_add(store, row, &done));
        }
    }
    return status;
}

enum status cache_purge(struct store *store, int64_t now_s, int64_t limit, int64_t *removed)
{
    int64_t sum = 0;
    int64_t changes = 0;
    struct pace pace;
    enum status status;
    pace_begin(&pace);
    do {
        status = expire(store, now_s, BATCH, &changes);
        sum += status == OK ? changes : 0;
        if (limit == 0) {
            pace_rest(&pace);
        }
    } while (status == OK && changes == BATCH && (limit == 0 || sum < limit));
    if (status == OK) {
        *removed = sum;
    }
    return status;
}

enum status cache_get_newest(struct store *store, int64_t *row)
{
    struct call call;
    int64_t found = 0;
    enum status status = call_begin(store, CACHE_GET_NEWEST, &call);
    if (status != OK) {
        return status;
    }
    status = call_next(&call);
    if (status == OK) {
        found = db_column_int64(call.statement, 0);
    }
    status = call_end(&call, status == ERR_NOT_FOUND ? call_fault_row(&call) : status);
    if (status == OK) {
        *row = found;
    }
    return status;
}

enum status cache_remove(struct store *store, int64_t user_id, int64_t newest, int64_t *removed)
{
    int64_t sum = 0;
    int64_t changes = 0;
    struct pace pace;
    enum status status;
    pace_begin(&pace);
    do {
        status = run(store, user_id == 0 ? CACHE_REMOVE_ALL : CACHE_REMOVE_OF_USER,
                     (const int64_t[]){newest, BATCH, user_id}, user_id == 0 ? 2 : 3, &changes);
        sum += status == OK ? changes : 0;
        pace_rest(&pace);
    } while (status == OK && changes == BATCH);
    if (status == OK) {
        *removed = sum;
    }
    return status;
}

enum status cache_get_use(struct store *store, struct cache_use *out)
{
    struct call call;
    struct cache_use use = {0};
    enum status status = call_begin(store, CACHE_GET_USE, &call);
    if (status != OK) {
        return status;
    }
    status = call_next(&call);
    if (status == OK) {
        use.sessions = db_column_int64(call.statement, 0);
        use.evicted = db_column_int64(call.statement, 1);
    }
    status = call_end(&call, status == ERR_NOT_FOUND ? call_fault_row(&call) : status);
    if (status == OK) {
        status = store_settle(store, db_get_use(store->db, &use.used_bytes, &use.most_bytes));
    }
    if (status == OK) {
        *out = use;
    }
    return status;
}
