/* The database of users and sessions as a whole: connection, schema, transactions, copies.
 *
 * A connection is opened when first needed. Before each use it is asked whether its file is still
 * the one in its place; after a fault that may have spoiled it, it is closed. Either way the next
 * call opens what is there then, so that a database may be repaired, restored or moved back without
 * a restart. No call is tried twice: whoever asked is told ERR_STORE and answers 503.
 *
 * A write is answered only if the file was still in its place afterwards. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/cache_file.h"
#include "store/generation.h"
#include "store/internal.h"
#include "store/schema.h"
#include "store/snapshot.h"

enum status store_open(const char *path, const char *generation, enum store_role role,
                       struct store **out)
{
    struct store *store = calloc(1, sizeof *store);
    enum status status = ERR_MEMORY;
    if (store != NULL) {
        store->role = role;
        store->path = strdup(path);
        status = store->path != NULL ? OK : ERR_MEMORY;
    }
    if (status == OK && generation != NULL) {
        status = generation_open(generation, &store->generation);
    }
    if (status != OK) {
        store_close(&store);
        return status;
    }
    *out = store;
    return OK;
}

enum status store_open_cache(const char *path, uint64_t size_bytes, enum store_role role,
                             struct store **out)
{
    struct store *store = NULL;
    enum status status = store_open(path, NULL, role, &store);
    if (status == OK) {
        store->cache_bytes = size_bytes;
        *out = store;
    }
    return status;
}

void store_close(struct store **store)
{
    if (*store != NULL) {
        store_disconnect(*store);
        generation_close(&(*store)->generation);
        free((*store)->path);
        free(*store);
        *store = NULL;
    }
}

void store_disconnect(struct store *store)
{
    snapshot_end(store);
    for (size_t i = 0; i < STATEMENTS; i++) {
        db_statement_free(&store->statements[i]);
    }
    db_close(&store->db);
    store->looked = 0;
}

enum status store_exists(const struct store *store, bool *exists)
{
    struct stat found;
    *exists = stat(store->path, &found) == 0;
    if (*exists || errno == ENOENT || errno == ENOTDIR) {
        return OK;
    }
    log_error("%s: cannot tell whether there is such a file: %s", store->path, strerror(errno));
    return ERR_STORE;
}

void store_stat(const struct store *store, struct stat *out)
{
    if (stat(store->path, out) != 0) {
        *out = (struct stat){0};
    }
}

int store_schema_number(void)
{
    return schema_number(embedded_schema);
}

static enum status refuse_newer(const struct store *store, int version)
{
    if (version <= store_schema_number()) {
        return OK;
    }
    log_error("%s: the database has schema %d of a newer program, this one knows %d; update "
              "this program",
              store->path, version, store_schema_number());
    return ERR_SCHEMA_NEW;
}

static enum status check_version(const struct store *store)
{
    int version = 0;
    int known = store_schema_number();
    enum status status = db_get_version(store->db, &version);
    if (status == OK && version < known) {
        log_error("%s: the database has schema %d, this program needs %d; run `latchkey migrate`",
                  store->path, version, known);
        status = ERR_SCHEMA_OLD;
    }
    return status == OK ? refuse_newer(store, version) : status;
}

/* Whether the role writes nothing that anybody was promised: it only notes uses. */
static bool is_durable(enum store_role role)
{
    return role != STORE_ROLE_GATE;
}

static enum status open_database(struct store *store)
{
    struct db_settings settings = {
        .path = store->path,
        .kind = DB_MAIN,
        .mode = DB_EXISTING,
        .durable = is_durable(store->role),
    };
    enum status status = db_open(&settings, &store->db);
    return status == OK ? check_version(store) : status;
}

void store_watch(struct store *store, uint64_t changes)
{
    store->changes = changes;
    store->reuses = false;
    store->snapshot.is_old = true;
}

void store_reuse(struct store *store)
{
    store->reuses = true;
}

/* The number is older than the look, so that what changes in between is seen the next time. */
static bool is_in_place(struct store *store)
{
    if (store->changes != 0 && store->changes == store->looked) {
        return true;
    }
    bool found = db_is_in_place(store->db);
    store->looked = found ? store->changes : 0;
    return found;
}

enum status store_connect(struct store *store)
{
    bool is_cache = store->cache_bytes != 0;
    if (store->db != NULL && !db_is_sound(store->db)) { /* a snapshot could not be ended */
        if (store->calls > 0) {
            return ERR_STORE;
        }
        store_disconnect(store);
    }
    if (store->db != NULL) {
        if (db_in_transaction(store->db) || is_in_place(store)) {
            return OK;
        }
        if (store->calls > 0) {
            log_error("%s: was replaced or moved while it was read", store->path);
            return ERR_STORE;
        }
        log_warning("%s: it or its log was replaced or moved; opening what is there now%s",
                    store->path, is_cache ? " (the sessions of the cache before are gone)" : "");
        store_disconnect(store);
    }
    enum status status = is_cache ? cache_file_open(store->path, store->cache_bytes, &store->db)
                                  : open_database(store);
    if (status == OK) {
        statement_limit(store->db, store->role, is_cache);
    } else {
        store_disconnect(store);
    }
    return status;
}

/* Not while a call is going on within which this one was made: it ends its own. */
static void give_up_if_spoiled(struct store *store)
{
    if (store->db != NULL && store->calls == 0 && !db_is_sound(store->db)) {
        store_disconnect(store);
    }
}

void store_let_go(struct store *store)
{
    snapshot_end(store);
    give_up_if_spoiled(store);
}

/* A cache makes room for whatever is written (cache.c), so when it has none, its file system is
 * full. */
static enum status explain_size(const struct store *store, enum status status)
{
    if (status != ERR_TOO_LARGE || store->cache_bytes == 0) {
        return status;
    }
    log_error("%s: nothing can be written though there is room in the cache; is its file system "
              "full?",
              store->path);
    return ERR_STORE;
}

enum status store_settle(struct store *store, enum status status)
{
    status = explain_size(store, status);
    bool failed =
        status != OK && status != ERR_NOT_FOUND && status != ERR_EXISTS && status != ERR_BUSY;
    if (store->db != NULL && failed) {
        store->snapshot.is_open = false; /* it goes with what is rolled back */
        db_rollback(store->db);
        if (db_is_damaged(store->db)) {
            cache_file_discard(store->path, store->db);
        }
    }
    give_up_if_spoiled(store);
    return status;
}

static enum status begin(struct store *store, bool patient)
{
    store->looked = 0;
    snapshot_end(store);
    enum status status = store_connect(store);
    if (status != OK) {
        return status;
    }
    if (db_in_transaction(store->db)) {
        log_error("%s: a transaction was begun within another one", store->path);
        return store_settle(store, ERR_STORE);
    }
    status = db_trim_log(store->db, patient);
    return store_settle(store, status == OK ? db_begin(store->db, patient) : status);
}

enum status store_begin(struct store *store)
{
    return begin(store, true);
}

enum status store_try_begin(struct store *store)
{
    return begin(store, false);
}

enum status store_commit(struct store *store)
{
    if (store->db == NULL || !db_in_transaction(store->db)) {
        log_error("%s: nothing was written: the transaction was given up before", store->path);
        return ERR_STORE;
    }
    enum status status = db_commit(store->db);
    if (status == OK && !db_is_in_place(store->db)) {
        log_error("%s: the database was replaced while it was written to", store->path);
        status = ERR_STORE;
    }
    if (status != OK) {
        db_rollback(store->db); /* whatever it failed of: nobody else would end it */
    }
    return store_settle(store, status);
}

void store_rollback(struct store *store)
{
    if (store->db != NULL) {
        db_rollback(store->db);
        give_up_if_spoiled(store);
    }
}

enum status store_end(struct store *store, enum status status)
{
    if (status == OK) {
        return store_commit(store);
    }
    store_rollback(store);
    return status;
}

static enum status require_admin(const struct store *store, const char *what)
{
    if (store->role == STORE_ROLE_ADMIN) {
        return OK;
    }
    log_error("%s: this program's role may not %s the database", store->path, what);
    return ERR_PERMISSION;
}

enum status store_migrate(struct store *store, int *from, int *to)
{
    struct db *db = NULL;
    int before = 0;
    enum status status = require_admin(store, "migrate");
    if (status == OK && store->cache_bytes != 0) {
        log_error("%s: a cache has no versions to go through", store->path);
        status = ERR_PERMISSION;
    }
    if (status != OK) {
        return status;
    }
    store_disconnect(store);
    struct db_settings settings = {
        .path = store->path,
        .kind = DB_MAIN,
        .mode = DB_CREATE,
        .durable = true,
    };
    status = db_open(&settings, &db);
    if (status == OK) {
        status = db_get_version(db, &before);
    }
    if (status == OK) {
        status = refuse_newer(store, before);
    }
    if (status == OK) {
        status = schema_apply(db, embedded_schema);
    }
    db_close(&db);
    if (status == OK) {
        *from = before;
        *to = store_schema_number();
    }
    return status;
}

enum status store_verify(struct store *store)
{
    enum status status = require_admin(store, "verify");
    if (status == OK) {
        status = store_connect(store);
    }
    if (status == OK) {
        status = store_settle(store, db_verify(store->db));
    }
    return status;
}

enum status store_backup(struct store *store, const char *path)
{
    enum status status = require_admin(store, "copy");
    if (status == OK) {
        status = store_connect(store);
    }
    if (status == OK) {
        status = store_settle(store, db_copy(store->db, path));
    }
    return status;
}
