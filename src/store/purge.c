/* Removing many rows of sessions.
 *
 * Invariants: no transaction changes more than PURGE_STEP rows or looks at more than STRETCH; a row
 * goes only while the very statement that removes it finds it worthless, so that what was begun or
 * used meanwhile stays. Rows are gone through in the order of their numbers, which are random: what
 * comes in behind is left to the next time. */
#include "store/purge.h"

#include "store/call.h"
#include "store/pace.h"

#define STRETCH 512

/* A part of all rows, by their numbers. */
struct stretch {
    int64_t from, to;
};

static enum status measure(struct store *store, struct stretch *stretch)
{
    struct call call;
    enum status status = call_begin(store, SESSION_STRETCH, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, stretch->from);
    db_bind_int64(call.statement, 2, STRETCH - 1);
    status = call_next(&call);
    stretch->to = status == OK ? db_column_int64(call.statement, 0) : INT64_MAX;
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
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
    db_bind_int64(call.statement, 2, stretch->from);
    db_bind_int64(call.statement, 3, stretch->to);
    db_bind_int64(call.statement, 4, PURGE_STEP);
    return call_run(&call, removed);
}

/* All of one stretch. */
static enum status purge_stretch(struct store *store, const struct stretch *stretch, int64_t now_s,
                                 struct pace *pace, int64_t *removed)
{
    int64_t changes = 0;
    enum status status = OK;
    do {
        status = purge_some(store, stretch, now_s, &changes);
        if (status == OK) {
            *removed += changes;
            pace_rest(pace);
        }
    } while (status == OK && changes == PURGE_STEP);
    return status;
}

enum status purge_dead(struct store *store, int64_t now_s, int64_t *removed)
{
    struct stretch stretch = {.from = INT64_MIN};
    struct pace pace;
    bool more = true;
    enum status status = OK;
    *removed = 0;
    pace_begin(&pace);
    while (status == OK && more) {
        status = measure(store, &stretch);
        if (status == OK) {
            status = purge_stretch(store, &stretch, now_s, &pace, removed);
        }
        more = stretch.to < INT64_MAX;
        stretch.from = more ? stretch.to + 1 : INT64_MAX;
    }
    return status;
}

enum status purge_agents(struct store *store, int64_t now_s)
{
    struct call call;
    enum status status = call_begin(store, AGENT_PURGE, &call);
    if (status == OK) {
        db_bind_int64(call.statement, 1, now_s);
        status = call_run(&call, NULL);
    }
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
