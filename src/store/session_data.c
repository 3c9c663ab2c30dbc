/* The rows of what sessions remember.
 *
 * Invariants: there are no rows without the session's own row, which is looked for in the same
 * transaction (and goes with all of them, by ON DELETE CASCADE); a set of changes is made as a
 * whole; the limit is judged on what the table holds after them, whoever else wrote meanwhile. */
#include "store/session_data.h"

#include "base/clock.h"
#include "store/cache.h"
#include "store/call.h"
#include "store/internal.h"

enum status session_data_list(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                              bool (*each)(void *context, struct text name, struct text value),
                              void *context)
{
    struct call call;
    bool more = true;
    enum status status = call_begin(store, SESSION_DATA_LIST, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, key);
    while (more && (status = call_next(&call)) == OK) {
        struct text name = db_column_text(call.statement, 0);
        struct text value = db_column_blob(call.statement, 1);
        if (name.len == 0 || name.len > SESSION_DATA_NAME_MAX) {
            status = call_fault_row(&call);
            break;
        }
        more = each(context, name, value);
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

/* Bytes of all names and values of the session. ERR_NOT_FOUND: there is no such session. */
static enum status measure(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                           uint64_t *bytes)
{
    struct call call;
    enum status status = call_begin(store, SESSION_DATA_MEASURE, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, key);
    status = call_next(&call);
    if (status == OK) {
        *bytes = (uint64_t)db_column_int64(call.statement, 0);
    }
    return call_end(&call, status);
}

static enum status make_change(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                               const struct session_change *change)
{
    struct call call;
    enum status status =
        call_begin(store, change->removed ? SESSION_DATA_REMOVE : SESSION_DATA_PUT, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, key);
    db_bind_text(call.statement, 3, change->name);
    if (!change->removed) {
        db_bind_blob(call.statement, 4, change->value.data, change->value.len);
    }
    return call_run(&call, NULL);
}

static enum status make_changes(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                                const struct session_changes *changes)
{
    enum status status = OK;
    for (size_t i = 0; i < changes->count && status == OK; i++) {
        status = make_change(store, key, &changes->items[i]);
    }
    return status;
}

/* In a cache others may have to go for them. */
static enum status make_room(struct store *store, const struct session_changes *changes,
                             uint64_t limit)
{
    int64_t now_s = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < changes->count; i++) {
        bytes += SESSION_DATA_NAME_MAX + SESSION_KEY_BYTES + changes->items[i].value.len;
    }
    enum status status = clock_get(&now_s);
    return status == OK ? cache_make_room(store, now_s, bytes < limit ? bytes : limit) : status;
}

enum status session_data_apply(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                               const struct session_changes *changes, uint64_t limit,
                               uint64_t *excess)
{
    uint64_t before = 0;
    uint64_t after = 0;
    bool own = false;
    enum status status = scope_open(store, &own);
    if (status != OK) {
        return status;
    }
    status = make_room(store, changes, limit);
    if (status == OK) {
        status = measure(store, key, &before);
    }
    if (status == OK) {
        status = make_changes(store, key, changes);
    }
    if (status == OK) {
        status = measure(store, key, &after);
    }
    if (status == OK && after > limit && after >= before) {
        *excess = after - limit;
        status = ERR_TOO_LARGE;
    }
    return scope_close(store, own, status);
}
