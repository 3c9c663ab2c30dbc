/* Running statements of the closed set, with the role asked first. */
#include "store/call.h"

#include <string.h>

#include "base/log.h"
#include "store/internal.h"
#include "store/snapshot.h"

static enum status prepare(struct store *store, enum statement which)
{
    if (store->statements[which] != NULL) {
        return OK;
    }
    return store_settle(
        store, db_prepare(store->db, statement_rules[which].sql, &store->statements[which]));
}

enum status call_begin(struct store *store, enum statement which, struct call *out)
{
    const struct statement_rule *rule = &statement_rules[which];
    if ((rule->roles & 1U << store->role) == 0) {
        log_error("%s: statement %d is not for role %d", store->path, (int)which, (int)store->role);
        return ERR_PERMISSION;
    }
    if (which >= CACHE_ADD && store->cache_bytes == 0) {
        log_error("%s: statement %d is for a cache", store->path, (int)which);
        return ERR_PERMISSION;
    }
    if (rule->writes) {
        store->looked = 0;
        snapshot_end(store);
    } else {
        snapshot_check(store);
    }
    enum status status = store_connect(store);
    if (status == OK) {
        status = prepare(store, which);
    }
    if (status == OK && rule->writes && !db_in_transaction(store->db)) {
        status = store_settle(store, db_trim_log(store->db, true));
    }
    if (status == OK && !rule->writes) {
        status = snapshot_begin(store);
    }
    if (status == OK) {
        *out = (struct call){.store = store, .which = which, .statement = store->statements[which]};
        store->calls++;
    }
    return status;
}

enum status call_next(struct call *call)
{
    bool row = false;
    enum status status = db_step(call->statement, &row);
    /* Missing in an old state only: ask a new one. The parameters stay. */
    if (status == OK && !row && !call->has_found && snapshot_is_old(call->store)) {
        db_rewind(call->statement);
        snapshot_end(call->store);
        status = snapshot_begin(call->store);
        if (status == OK) {
            status = db_step(call->statement, &row);
        }
    }
    call->has_found = call->has_found || row;
    return status == OK && !row ? ERR_NOT_FOUND : status;
}

enum status call_end(struct call *call, enum status status)
{
    struct store *store = call->store;
    db_reset(call->statement);
    call->statement = NULL;
    store->calls--;
    if (status == OK && statement_rules[call->which].writes && !db_in_transaction(store->db) &&
        !db_is_in_place(store->db)) {
        log_error("%s: the database was replaced while it was written to", store->path);
        status = ERR_STORE;
    }
    return store_settle(store, status);
}

enum status call_run(struct call *call, int64_t *changes)
{
    bool row = false;
    enum status status = db_step(call->statement, &row);
    if (status == OK && changes != NULL) {
        *changes = db_changes(call->store->db);
    }
    return call_end(call, status);
}

enum status call_run_on_one(struct call *call)
{
    int64_t changes = 0;
    enum status status = call_run(call, &changes);
    return status == OK && changes == 0 ? ERR_NOT_FOUND : status;
}

bool call_get_string(struct call *call, int column, char *out, size_t room)
{
    struct text text = db_column_text(call->statement, column);
    if (text.len >= room || text_has_byte(text, '\0')) {
        return false;
    }
    if (text.len > 0) {
        memcpy(out, text.data, text.len);
    }
    out[text.len] = '\0';
    return true;
}

bool call_get_bytes(struct call *call, int column, uint8_t *out, size_t len)
{
    struct text blob = db_column_blob(call->statement, column);
    if (blob.len != len) {
        return false;
    }
    memcpy(out, blob.data, len);
    return true;
}

enum status call_fault_row(struct call *call)
{
    log_error("%s: a row holds what it must not: the database is damaged; restore a backup",
              call->store->path);
    return ERR_STORE;
}

enum status scope_open(struct store *store, bool *own)
{
    store_let_go(store); /* first: it is a transaction too, and would be taken for the caller's */
    *own = store->db == NULL || !db_in_transaction(store->db);
    return *own ? store_begin(store) : OK;
}

enum status scope_close(struct store *store, bool own, enum status status)
{
    return own ? store_end(store, status) : status;
}
