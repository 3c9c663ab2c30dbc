/* Reading again and again in one state of the database, while nothing that counts can have changed.
 *
 * To begin to read and to end it takes SQLite three system calls, and lets it forget the pages that
 * it has when somebody wrote meanwhile: as much again as a look-up. Whoever reads under
 * store_reuse goes on where the last request of the same number of changes was. What is found there
 * was not revoked since; but it may have come since, and then be missing, or have been used since.
 * So nothing is called missing before it was looked for in a new state (call_next), and nothing
 * over before that (store_renew).
 *
 * An old state keeps the log from being written anew from its beginning, and it would be one state
 * or another all the time where many programs are busy. So all of them let go at the same moments,
 * by the monotonic clock, which they share, be there a next request or not (store_rest). */
#include "store/snapshot.h"

#include "base/clock.h"
#include "store/internal.h"

/* Of each turn of the clock nobody keeps anything in the last eighth. */
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
    if (!may_hold(store, now_ms) || snapshot->changes != store->changes ||
        is_spent(store, now_ms)) {
        snapshot_end(store);
    }
}

enum status snapshot_begin(struct store *store)
{
    int64_t now_ms = clock_monotonic_ms();
    if (store->snapshot.is_open || !may_hold(store, now_ms) || db_in_transaction(store->db)) {
        return OK;
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
        snapshot_end(store);
        return -1;
    }
    return (int)(HOLD_MS - now_ms % TURN_MS);
}
