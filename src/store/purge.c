/* Removing many rows of sessions.
 *
 * Invariants: no transaction changes more than PURGE_STEP rows or looks at more than STRETCH; a row
 * goes only while the very statement that removes it finds it worthless, so that what was begun or
 * used meanwhile stays. Rows are gone through in the order of their keys, which are random: what
 * comes in behind is left to the next time. */
#include "store/purge.h"

#include <string.h>

#include "store/call.h"
#include "store/pace.h"

#define STRETCH 512

/* A part of all rows: those after `from`, up to `to`. */
struct stretch {
    uint8_t from[SESSION_KEY_BYTES], to[SESSION_KEY_BYTES];
    size_t from_len; /* 0: from the first row on */
    bool is_last;
};

static enum status measure(struct store *store, struct stretch *stretch)
{
    struct call call;
    enum status status = call_begin(store, SESSION_STRETCH, &call);
    if (status != OK) {
        return status;
    }
    db_bind_blob(call.statement, 1, stretch->from, stretch->from_len);
    db_bind_int64(call.statement, 2, STRETCH - 1);
    status = call_next(&call);
    stretch->is_last = status == ERR_NOT_FOUND;
    if (status == OK && !call_get_bytes(&call, 0, stretch->to, sizeof stretch->to)) {
        status = call_fault_row(&call);
    }
    if (stretch->is_last) {
        memset(stretch->to, 0xff, sizeof stretch->to);
        status = OK;
    }
    return call_end(&call, status);
}

static enum status purge_some(struct store *store, const struct stretch *stretch, int64_t now_s,
                              int64_t *removed)
{
    struct call call;
    enum status status = call_begin(store, SESSION_PURGE_DEAD, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    db_bind_blob(call.statement, 2, stretch->from, stretch->from_len);
    db_bind_blob(call.statement, 3, stretch->to, sizeof stretch->to);
    db_bind_int64(call.statement, 4, PURGE_STEP);
    return call_run(&call, removed);
}

enum status purge_dead(struct store *store, int64_t now_s, int64_t *removed)
{
    struct stretch stretch = {0};
    struct pace pace;
    int64_t changes = 0;
    enum status status = OK;
    *removed = 0;
    pace_begin(&pace);
    do {
        status = changes < PURGE_STEP ? measure(store, &stretch) : OK;
        if (status == OK) {
            status = purge_some(store, &stretch, now_s, &changes);
        }
        if (status == OK) {
            *removed += changes;
            pace_rest(&pace);
        }
        if (status == OK && changes < PURGE_STEP) {
            memcpy(stretch.from, stretch.to, sizeof stretch.from);
            stretch.from_len = sizeof stretch.from;
        }
    } while (status == OK && (changes == PURGE_STEP || !stretch.is_last));
    return status;
}

enum status purge_some_of_user(struct store *store, int64_t user_id, int64_t *removed)
{
    struct call call;
    enum status status = call_begin(store, SESSION_PURGE_USER, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, user_id);
    db_bind_int64(call.statement, 2, PURGE_STEP);
    return call_run(&call, removed);
}

enum status purge_user(struct store *store, int64_t user_id, int64_t *removed)
{
    struct pace pace;
    int64_t changes = 0;
    enum status status = OK;
    *removed = 0;
    pace_begin(&pace);
    do {
        status = purge_some_of_user(store, user_id, &changes);
        if (status == OK) {
            *removed += changes;
            pace_rest(&pace);
        }
    } while (status == OK && changes == PURGE_STEP);
    return status;
}
