/* Revocations: the rows, and the generation beside them.
 *
 * The order that everything hangs on: lock, odd, transaction, rows, commit, even, answer. A program
 * that looks at the generation before "odd" began its request before the revocation was answered;
 * one that looks between "odd" and "even" asks the database; one that looks later sees another
 * generation than the one it knew, and reads what is new by number. If the writer dies, the
 * generation stays odd until revocations_mend, and nothing is taken from memory until then.
 *
 * Rows of sessions are kept until the session would have ended by itself; `forgotten_s` remembers
 * the latest end among those that were removed, so that a clock that went forward (rows were
 * purged) and back again does not bring a revoked session to life: one that would end by then must
 * show its row. The number of the last revocation has its row always: who keeps things in memory
 * sees by it that nothing is new. Rows of users only serve programs that have an older state in
 * memory, and are kept for ten minutes: who slept longer finds its number below `forgotten` and
 * forgets everything. */
#include "store/revocations.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/call.h"
#include "store/internal.h"

#define KEEP_USERS_S 600

/* With a clock that cannot be right, a row is kept for good. */
static int64_t until_of_user(void)
{
    int64_t now_s = 0;
    return clock_get(&now_s) == OK ? now_s + KEEP_USERS_S : INT64_MAX;
}

/* No revocation has so high a number: this reads where they stand, and no more. */
static enum status read_state(struct store *store, struct revocation_state *out)
{
    return revocations_read(store, INT64_MAX, out, NULL, NULL);
}

/* Makes the generation even with what the database says; without its answer it stays odd. */
static enum status settle(struct store *store)
{
    struct revocation_state state;
    enum status status = read_state(store, &state);
    return status == OK ? generation_settle(store->generation, state.sequence) : status;
}

/* A transaction that was begun before the lock would wait for it with the database locked, and
 * whoever has the lock waits for the database. */
enum status revocations_begin(struct store *store)
{
    store_let_go(store);
    if (store->db != NULL && db_in_transaction(store->db)) {
        log_error("%s: a revocation was begun within a transaction", store->path);
        return store_settle(store, ERR_STORE);
    }
    enum status status = store_connect(store);
    if (status != OK || store->generation == NULL) {
        return status == OK ? store_begin(store) : status;
    }
    status = generation_lock(store->generation, true);
    if (status != OK) {
        return status;
    }
    status = generation_taint(store->generation);
    if (status == OK) {
        status = store_begin(store);
    }
    if (status != OK) {
        if (settle(store) != OK) {
            log_warning("%s: the revocation generation is left in doubt", store->path);
        }
        generation_unlock(store->generation);
    }
    return status;
}

/* The generation is settled after a failure too: a commit that failed may have taken place all the
 * same, and only the database knows. */
enum status revocations_end(struct store *store, enum status status)
{
    status = scope_close(store, true, status);
    if (store->generation == NULL) {
        return status;
    }
    enum status settled = settle(store);
    generation_unlock(store->generation);
    return status == OK ? settled : status;
}

static enum status count_up(struct store *store)
{
    struct call call;
    int64_t changes = 0;
    enum status status = call_begin(store, REVOCATION_COUNT, &call);
    if (status == OK) {
        status = call_run(&call, &changes);
    }
    /* ERR_NOT_FOUND would say that there is no such session or user, so that all is well. */
    return status == OK && changes != 1 ? store_settle(store, call_fault_row(&call)) : status;
}

enum status revocations_add_session(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                                    int64_t until_s)
{
    struct call call;
    bool is_known = false;
    enum status status = revocations_has(store, key, REVOKED_BY_KEY, &is_known);
    if (status == OK && !is_known) {
        status = count_up(store);
    }
    if (status == OK) {
        status = call_begin(store, is_known ? REVOCATION_EXTEND : REVOCATION_ADD_SESSION, &call);
    }
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, key, SESSION_KEY_BYTES);
    db_bind_int64(call.statement, 2, until_s);
    return call_run(&call, NULL);
}

enum status revocations_add_user(struct store *store, int64_t user_id)
{
    struct call call;
    enum status status = count_up(store);
    if (status == OK) {
        status = call_begin(store, REVOCATION_ADD_USER, &call);
    }
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, user_id);
    db_bind_int64(call.statement, 2, until_of_user());
    return call_run(&call, NULL);
}

enum status revocations_keep_session(struct store *store, const uint8_t key[SESSION_KEY_BYTES])
{
    struct call call;
    enum status status = call_begin(store, REVOCATION_KEEP, &call);
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, key, SESSION_KEY_BYTES);
    db_bind_int64(call.statement, 2, INT64_MAX);
    return call_run_on_one(&call);
}

enum status revocations_has(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                            int64_t expires_s, bool *out)
{
    struct call call;
    *out = true;
    enum status status = call_begin(store, REVOCATION_FIND, &call);
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, key, SESSION_KEY_BYTES);
    status = call_next(&call);
    if (status == OK) {
        *out = db_column_int64(call.statement, 1) != 0 ||
               expires_s <= db_column_int64(call.statement, 0);
    }
    /* The one row is always there, unless somebody emptied the table. */
    return call_end(&call, status == ERR_NOT_FOUND ? call_fault_row(&call) : status);
}

static bool read_row(struct call *call, struct revocation *out)
{
    *out = (struct revocation){
        .sequence = (uint64_t)db_column_int64(call->statement, 3),
        .until_s = db_column_int64(call->statement, 6),
        .user_id = db_column_int64(call->statement, 5),
    };
    out->of_session = db_column_blob(call->statement, 4).len > 0;
    return !out->of_session || call_get_bytes(call, 4, out->key, sizeof out->key);
}

static bool read_header(struct call *call, struct revocation_state *out)
{
    int64_t sequence = db_column_int64(call->statement, 0);
    int64_t forgotten = db_column_int64(call->statement, 1);
    int64_t forgotten_s = db_column_int64(call->statement, 2);
    *out = (struct revocation_state){(uint64_t)sequence, (uint64_t)forgotten, forgotten_s};
    return sequence >= 0 && forgotten >= 0 && forgotten_s >= 0;
}

/* Goes through the rows of REVOCATION_READ: each has the state and, if there is any, a revocation.
 */
static enum status read_rows(struct call *call, struct revocation_state *state,
                             bool (*each)(void *context, const struct revocation *revocation),
                             void *context)
{
    struct revocation revocation;
    enum status status = call_next(call);
    if (status == ERR_NOT_FOUND || (status == OK && !read_header(call, state))) {
        return call_fault_row(call);
    }
    while (status == OK && db_column_int64(call->statement, 3) != 0) {
        if (!read_row(call, &revocation)) {
            return call_fault_row(call);
        }
        if (each == NULL || !each(context, &revocation)) {
            return ERR_MEMORY;
        }
        status = call_next(call);
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status revocations_read(struct store *store, uint64_t known, struct revocation_state *state,
                             bool (*each)(void *context, const struct revocation *revocation),
                             void *context)
{
    struct call call;
    struct revocation_state found = {0};
    enum status status = call_begin(store, REVOCATION_READ, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, (int64_t)known);
    status = call_end(&call, read_rows(&call, &found, each, context));
    if (status == OK) {
        *state = found;
    }
    return status;
}

enum status revocations_mark(struct store *store, struct generation_mark *out)
{
    return store->generation != NULL ? generation_read(store->generation, out) : ERR_NOT_FOUND;
}

void revocations_mend(struct store *store)
{
    struct generation_mark mark;
    struct revocation_state state;
    if (store->generation == NULL || generation_lock(store->generation, false) != OK) {
        return;
    }
    if (read_state(store, &state) == OK &&
        (generation_read(store->generation, &mark) != OK || mark.sequence != state.sequence)) {
        (void)!generation_settle(store->generation, state.sequence);
    }
    generation_unlock(store->generation);
}

static enum status purge(struct store *store, int64_t now_s)
{
    struct call call;
    enum status status = call_begin(store, REVOCATION_FORGET, &call);
    if (status == OK) {
        db_bind_int64(call.statement, 1, now_s);
        status = call_run(&call, NULL);
    }
    if (status == OK) {
        status = call_begin(store, REVOCATION_PURGE, &call);
    }
    if (status == OK) {
        db_bind_int64(call.statement, 1, now_s);
        status = call_run(&call, NULL);
    }
    return status;
}

/* Whether anything is to be removed: most sign-ins find nothing and write nothing. */
static enum status is_due(struct store *store, int64_t now_s)
{
    struct call call;
    enum status status = call_begin(store, REVOCATION_DUE, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    return call_end(&call, call_next(&call));
}

enum status revocations_purge(struct store *store, int64_t now_s)
{
    bool own = false;
    enum status status = is_due(store, now_s - CLOCK_SKEW_S);
    if (status == OK) {
        status = scope_open(store, &own);
    }
    if (status != OK) {
        return status == ERR_NOT_FOUND ? OK : status;
    }
    return scope_close(store, own, purge(store, now_s - CLOCK_SKEW_S));
}
