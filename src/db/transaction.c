/* Transactions of a connection. */
#include "base/log.h"
#include "db/sqlite.h"

/* What failed to begin may have begun all the same, and nobody would end it. */
static enum status begin(struct db *db, const char *how)
{
    int code = sqlite3_exec(db->handle, how, NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        db_rollback(db);
    }
    if ((code & 0xff) == SQLITE_BUSY && db->wait_ms == 0) {
        return ERR_BUSY;
    }
    return code == SQLITE_OK ? OK : db_fault(db, code, "cannot be changed");
}

enum status db_begin(struct db *db, bool patient)
{
    db->wait_ms = patient ? DB_WAIT_MS : 0;
    enum status status = begin(db, "BEGIN IMMEDIATE");
    db->wait_ms = DB_WAIT_MS;
    return status;
}

enum status db_begin_reading(struct db *db)
{
    return begin(db, "BEGIN");
}

void db_end_reading(struct db *db)
{
    int code = sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        log_error("%s: a transaction cannot be ended: %s", db->path, sqlite3_errmsg(db->handle));
        db->spoiled = true; /* closing the connection ends it */
    }
}

enum status db_commit(struct db *db)
{
    return db_exec(db, "COMMIT");
}

void db_rollback(struct db *db)
{
    if (db_in_transaction(db) &&
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK) {
        db->spoiled = true; /* closing the connection rolls back */
    }
}

bool db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}
