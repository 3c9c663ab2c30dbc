/* A read transaction that outlives its request, while nothing that counts can have changed.
 *
 * To begin one and to end it takes SQLite three system calls, and costs the pages that it has if
 * somebody wrote meanwhile: together as much as a look-up. So a request under store_reuse reads on
 * in the transaction that an earlier request began at the same number of changes (store_watch).
 * What is found there was not revoked since. But a row may have been added since, or its use noted:
 * so nothing is called missing (call_next) or over (session.c, with store_renew) before a new
 * transaction was asked.
 *
 * An open one keeps the log from being written anew from its beginning, and among many workers one
 * would always be open. So all let go in the last 4 of each 32 ms of the monotonic clock, which
 * they share, be there a next request or not (store_rest). */
#include "store/snapshot.h"

#include "base/clock.h"
#include "store/internal.h"

#define TURN_MS 32
#define HOLD_MS 28

static bool may_hold(const struct store *store, int64_t now_ms)
{
    return store->reuses && store->changes != 0 && now_ms % TURN_MS < HOLD_MS;
}

/* Whether what is open was kept as long as it may. */
static bool is_spent(const struct store *store, int64_t now_ms)
{
    return store->snapshot.turn != now_ms / TURN_MS || now_ms % TURN_MS >= HOLD_MS;
}

void snapshot_check(struct store *store)
{
    const struct snapshot *snapshot = &store->snapshot;
    if (!snapshot->is_open) {
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (!store->reuses || snapshot->changes != store->changes || is_spent(store, now_ms)) {
        snapshot_end(store);
    }
}

enum status snapshot_begin(struct store *store)
{
    int64_t now_ms = clock_monotonic_ms();
    if (store->snapshot.is_open || !may_hold(store, now_ms) || db_in_transaction(store->db)) {
        return db_is_sound(store->db) ? OK : ERR_STORE; /* it may be an older one still */
    }
    enum status status = store_settle(store, db_begin_reading(store->db));
    if (status == OK) {
        store->snapshot = (struct snapshot){
            .is_open = true,
            .changes = store->changes,
            .turn = now_ms / TURN_MS,
        };
    }
    return status;
}

bool snapshot_is_old(const struct store *store)
{
    return store->snapshot.is_open && store->snapshot.is_old;
}

void snapshot_end(struct store *store)
{
    if (store->snapshot.is_open) {
        store->snapshot.is_open = false;
        db_end_reading(store->db);
    }
}

bool store_renew(struct store *store)
{
    bool was_old = snapshot_is_old(store);
    if (was_old) {
        snapshot_end(store);
    }
    return was_old;
}

int store_rest(struct store *store)
{
    if (!store->snapshot.is_open) {
        return -1;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (is_spent(store, now_ms)) {
        store_let_go(store);
        return -1;
    }
    return (int)(HOLD_MS - now_ms % TURN_MS);
}
