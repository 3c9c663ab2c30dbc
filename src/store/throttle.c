/* Counts of failed attempts.
 *
 * Invariants: an attempt is counted, and that is durable, before its password is looked at, in the
 * transaction that saw that it need not wait; so of any number at once no more are let through than
 * are free, and what a crash interrupts has been counted. Whoever has to wait is refused by a read,
 * so that a flood writes nothing and waits for no lock.
 *
 * A clock that was set back would make waits as long as the step: a count that failed in the future
 * makes nobody wait, and is counted on from now. Rows are bounded: each attempt removes a few that
 * are forgotten, and now and then those that failed least go, so that made-up names push each other
 * out and not those who are really tried. Counts of accounts (kind 3) are no part of this: who
 * fills the table would push out the few failures of an account between one guess and the next, and
 * so have no end of guesses. They leave when they are forgotten only; the caller bounds their keys.
 *
 * What this does not do: hold back who tries each of many accounts once, from many networks. */
#include "store/throttle.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "store/call.h"

#define FORGET_ROWS  8  /* an attempt adds half as many at most */
#define MEASURE_EACH 64 /* attempts, at random; a power of two */

const char *throttle_kind_word(enum throttle_kind kind)
{
    static const char *const words[] = {
        [THROTTLE_ACCOUNT_AND_NETWORK] = "account and network",
        [THROTTLE_NETWORK] = "network",
        [THROTTLE_ACCOUNT] = "account",
        [THROTTLE_BROWSER] = "known browser",
    };
    return words[kind];
}

struct state {
    int64_t failures, failed_s, until_s;
};

static bool state_is_valid(const struct state *state)
{
    return state->failures >= 0 && state->failures < INT64_MAX && state->failed_s > 0 &&
           state->until_s >= 0;
}

/* What is counted; all zeros when nothing is. */
static enum status find(struct store *store, const struct throttle_count *count, int64_t now_s,
                        struct state *out)
{
    struct call call;
    *out = (struct state){0};
    enum status status = call_begin(store, THROTTLE_FIND, &call);
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, count->key, sizeof count->key);
    db_bind_int64(call.statement, 2, now_s);
    status = call_next(&call);
    if (status == OK) {
        *out = (struct state){
            .failures = db_column_int64(call.statement, 0),
            .failed_s = db_column_int64(call.statement, 1),
            .until_s = db_column_int64(call.statement, 2),
        };
        status = state_is_valid(out) ? OK : call_fault_row(&call);
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

static enum status find_wait(struct store *store, const struct throttle_count *counts, size_t count,
                             int64_t now_s, int64_t *wait_s)
{
    enum status status = OK;
    *wait_s = 0;
    for (size_t i = 0; i < count && status == OK; i++) {
        struct state state;
        status = find(store, &counts[i], now_s, &state);
        bool waits = state.until_s > now_s && state.failed_s <= now_s + CLOCK_SKEW_S;
        if (waits && state.until_s - now_s > *wait_s) {
            *wait_s = state.until_s - now_s;
        }
    }
    return status;
}

/* A sum that stops at the end of time. */
static int64_t later(int64_t time_s, int64_t by_s)
{
    return time_s > INT64_MAX - by_s ? INT64_MAX : time_s + by_s;
}

/* How long the next attempt is to wait after so many failures. */
static int64_t delay_after(const struct throttle_count *count, uint64_t failures)
{
    int64_t delay_s = count->first_s;
    if (failures < count->free) {
        return 0;
    }
    for (uint64_t more = failures - count->free; more > 0 && delay_s < count->longest_s; more--) {
        delay_s = later(delay_s, delay_s);
    }
    return delay_s < count->longest_s ? delay_s : count->longest_s;
}

static enum status put(struct store *store, const struct throttle_count *count,
                       const struct state *state)
{
    struct call call;
    int64_t latest_s = state->until_s > state->failed_s ? state->until_s : state->failed_s;
    enum status status = call_begin(store, THROTTLE_COUNT, &call);
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, count->key, sizeof count->key);
    db_bind_int64(call.statement, 2, (int64_t)count->kind);
    db_bind_text(call.statement, 3, count->account);
    db_bind_text(call.statement, 4, count->network);
    db_bind_int64(call.statement, 5, state->failures);
    db_bind_int64(call.statement, 6, state->failed_s);
    db_bind_int64(call.statement, 7, state->until_s);
    db_bind_int64(call.statement, 8, later(latest_s, count->memory_s));
    return call_run(&call, NULL);
}

static enum status add_one(struct store *store, const struct throttle_count *count, int64_t now_s,
                           struct throttle_admission *admission)
{
    struct state state;
    enum status status = find(store, count, now_s, &state);
    if (status != OK) {
        return status;
    }
    state.failures++;
    int64_t delay_s = delay_after(count, (uint64_t)state.failures);
    state.failed_s = now_s;
    state.until_s = delay_s > 0 ? later(now_s, delay_s) : 0;
    if (delay_s > admission->delay_s) {
        admission->began = count;
        admission->delay_s = delay_s;
    }
    return put(store, count, &state);
}

static enum status forget_some(struct store *store, int64_t now_s)
{
    struct call call;
    enum status status = call_begin(store, THROTTLE_FORGET, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    db_bind_int64(call.statement, 2, FORGET_ROWS);
    return call_run(&call, NULL);
}

static enum status measure(struct store *store, int64_t *rows)
{
    struct call call;
    enum status status = call_begin(store, THROTTLE_MEASURE, &call);
    if (status != OK) {
        return status;
    }
    status = call_next(&call);
    if (status == OK) {
        *rows = db_column_int64(call.statement, 0);
    }
    return call_end(&call, status);
}

static enum status trim(struct store *store)
{
    struct call call;
    int64_t rows = 0;
    enum status status = measure(store, &rows);
    if (status != OK || rows <= THROTTLE_ROWS_MAX) {
        return status;
    }
    status = call_begin(store, THROTTLE_TRIM, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, rows - THROTTLE_ROWS_MAX);
    return call_run(&call, NULL);
}

/* Room is made before the attempt is counted, or a new count could go at once. */
static enum status make_room(struct store *store, int64_t now_s)
{
    uint8_t dice = 0;
    enum status status = random_fill(&dice, sizeof dice);
    if (status == OK) {
        status = forget_some(store, now_s);
    }
    return status == OK && dice % MEASURE_EACH == 0 ? trim(store) : status;
}

static enum status add_all(struct store *store, const struct throttle_count *counts, size_t count,
                           int64_t now_s, struct throttle_admission *out)
{
    enum status status = make_room(store, now_s);
    for (size_t i = 0; i < count && status == OK; i++) {
        status = add_one(store, &counts[i], now_s, out);
    }
    return status;
}

enum status throttle_admit(struct store *store, const struct throttle_count *counts, size_t count,
                           int64_t now_s, struct throttle_admission *out)
{
    bool own = false;
    struct throttle_admission admission = {0};
    *out = (struct throttle_admission){.wait_s = 1};
    enum status status = find_wait(store, counts, count, now_s, &admission.wait_s);
    if (status == OK && admission.wait_s == 0) {
        status = scope_open(store, &own);
        if (status != OK) {
            return status;
        }
        /* Others may have been counted between the read and the lock. */
        status = find_wait(store, counts, count, now_s, &admission.wait_s);
        if (status == OK && admission.wait_s == 0) {
            status = add_all(store, counts, count, now_s, &admission);
        }
        status = scope_close(store, own, status);
    }
    if (status == OK) {
        *out = admission;
    }
    return status;
}

static enum status run_on_key(struct store *store, enum statement which,
                              const struct throttle_count *count)
{
    struct call call;
    enum status status = call_begin(store, which, &call);
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, count->key, sizeof count->key);
    return call_run(&call, NULL);
}

enum status throttle_clear(struct store *store, const struct throttle_count *count)
{
    return run_on_key(store, THROTTLE_CLEAR, count);
}

enum status throttle_release(struct store *store, const struct throttle_count *count)
{
    return run_on_key(store, THROTTLE_RELEASE, count);
}

static bool read_row(struct call *call, struct throttle_row *out)
{
    int64_t kind = db_column_int64(call->statement, 0);
    out->failures = db_column_int64(call->statement, 3);
    out->failed_s = db_column_int64(call->statement, 4);
    out->until_s = db_column_int64(call->statement, 5);
    out->kind = (enum throttle_kind)kind;
    return kind >= THROTTLE_ACCOUNT_AND_NETWORK && kind <= THROTTLE_BROWSER &&
           call_get_string(call, 1, out->account, sizeof out->account) &&
           call_get_string(call, 2, out->network, sizeof out->network);
}

enum status throttle_list(struct store *store, int64_t now_s,
                          bool (*each)(void *context, const struct throttle_row *row),
                          void *context)
{
    struct call call;
    bool more = true;
    enum status status = call_begin(store, THROTTLE_LIST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    while (more && (status = call_next(&call)) == OK) {
        struct throttle_row row = {0};
        if (!read_row(&call, &row)) {
            status = call_fault_row(&call);
            break;
        }
        more = each(context, &row);
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

enum status throttle_clear_listed(struct store *store, struct text account, struct text network,
                                  int64_t *cleared)
{
    struct call call;
    enum statement which = account.len > 0   ? THROTTLE_CLEAR_ACCOUNT
                           : network.len > 0 ? THROTTLE_CLEAR_NETWORK
                                             : THROTTLE_CLEAR_ALL;
    enum status status = call_begin(store, which, &call);
    if (status != OK) {
        return status;
    }
    if (which != THROTTLE_CLEAR_ALL) {
        db_bind_text(call.statement, 1, account.len > 0 ? account : network);
    }
    return call_run(&call, cleared);
}
