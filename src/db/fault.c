/* SQLite's failures in words for the person who has to mend them.
 *
 * Only a lock held by somebody else, a refused statement and a broken constraint leave a connection
 * as it was. After anything else it is closed and opened again: SQLite may have cached what is no
 * longer so, and the file may be another one by the time that somebody has repaired it.
 *
 * SQLite's own messages name tables and columns, never values, so they may go to the log. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "db/sqlite.h"

static const struct remedy {
    int code;
    const char *remedy;
} remedies[] = {
    {SQLITE_BUSY, "another program keeps it locked; this passes when that one is done"},
    {SQLITE_LOCKED, "another program keeps it locked; this passes when that one is done"},
    {SQLITE_READONLY, "let the user who runs this program write the file and its folder "
                      "(chown, chmod u+w)"},
    {SQLITE_PERM, "let the user who runs this program read and write the file (chown, chmod u+rw)"},
    {SQLITE_CANTOPEN, "let the user who runs this program read and write the file and its folder "
                      "(chown, chmod u+rwx)"},
    {SQLITE_CORRUPT, "restore a backup"},
    {SQLITE_NOTADB, "restore a backup, or move the file away and run `latchkey init`"},
    {SQLITE_FULL, "make room on the disk"},
    {SQLITE_IOERR, "look at the disk and the system's log"},
    {SQLITE_NOMEM, "the machine is out of memory"},
    {SQLITE_ERROR, "run `latchkey check`"},
};

static const char *remedy_for(int primary)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
        if (remedies[i].code == primary) {
            return remedies[i].remedy;
        }
    }
    return "run `latchkey check`";
}

/* What is in a cache may be lost, so its damage is not for people to mend. */
static enum status note_damage(struct db *db, int code)
{
    log_warning("%s: the cache is damaged: %s (%d)", db->path, sqlite3_errstr(code), code);
    db->spoiled = true;
    db->damaged = true;
    return ERR_STORE;
}

static bool spoils(int primary)
{
    return primary != SQLITE_BUSY && primary != SQLITE_LOCKED && primary != SQLITE_CONSTRAINT &&
           primary != SQLITE_AUTH;
}

enum status db_fault(struct db *db, int code, const char *doing)
{
    int primary = code & 0xff;
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return ERR_EXISTS;
    }
    if (primary == SQLITE_FULL && db->max_pages != 0) {
        return ERR_TOO_LARGE;
    }
    if (db->kind == DB_CACHE && (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)) {
        return note_damage(db, code);
    }
    if (primary == SQLITE_AUTH) {
        log_error("%s: refused in this program's role: %s", db->path, sqlite3_errmsg(db->handle));
        return ERR_PERMISSION;
    }
    int cause = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN
                    ? sqlite3_system_errno(db->handle)
                    : 0;
    const char *words = db->handle != NULL && sqlite3_extended_errcode(db->handle) == code
                            ? sqlite3_errmsg(db->handle)
                            : sqlite3_errstr(code);
    log_error("%s: %s: %s%s%s (%d); %s", db->path, doing, words, cause != 0 ? ", " : "",
              cause != 0 ? strerror(cause) : "", code, remedy_for(primary));
    db->spoiled = db->spoiled || spoils(primary);
    return ERR_STORE;
}
