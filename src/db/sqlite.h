/* What the files of this folder share. Nothing outside includes it. */
#ifndef LATCHKEY_DB_SQLITE_H
#define LATCHKEY_DB_SQLITE_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "db/db.h"

struct db {
    sqlite3 *handle;
    char *path;
    char *wal_path;   /* the write-ahead log beside it */
    char *index_path; /* the index of the log, which programs share, with their locks */
    char *aside_path; /* where a log goes that must not stay and could not be saved */
    enum db_kind kind;
    uint64_t max_pages, max_log_bytes; /* 0: no bound */
    struct stat file;                  /* of the file that was opened */
    struct stat wal, index;            /* of the files beside it */
    const struct db_grant *grants;     /* borrowed; NULL: everything */
    int wait_ms;                       /* for locks of other programs */
    unsigned who;                      /* the bit of those grants that count */
    bool spoiled;
    bool damaged; /* DB_CACHE: only a new file helps */
};

/* Logs a failure with the remedy, notes whether it spoiled the connection, and gives the status:
 * ERR_PERMISSION for what db_limit refused, ERR_EXISTS (unlogged) for a key that is taken, else
 * ERR_STORE. `doing`: "cannot be read" and the like. */
enum status db_fault(struct db *db, int code, const char *doing) MUST_USE;

/* The single value of a statement: a number, or (unless NULL) a short word. */
enum status db_ask(struct db *db, const char *sql, int64_t *number, char word[16]) MUST_USE;

/* Sets up how large the file and the log may become; gives SQLite's code. */
int db_bound(struct db *db, uint64_t max_bytes) MUST_USE;

/* Before closing: makes the log short if it has a bound and nobody else uses it. */
void db_leave_log(struct db *db);

/* Before closing a connection whose files are not all in their places: keeps what they hold, and
 * SQLite from doing anything to what is there instead. */
void db_part(struct db *db);

/* The authorizer behind db_limit; `context` is the struct db. */
int db_authorize(void *context, int action, const char *first, const char *second,
                 const char *database, const char *trigger);

#endif
