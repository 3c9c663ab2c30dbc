/* One small interface over the database engine; SQLite behind it stays in this folder.
 *
 * A failure is logged here with the file, what was wrong and what mends it. After one that may have
 * spoiled the connection db_is_sound answers false: close it and open another. */
#ifndef LATCHKEY_DB_DB_H
#define LATCHKEY_DB_DB_H

#include "base/text.h"

struct db;
struct db_statement;

enum db_kind {
    DB_MAIN,  /* users, and what must not be lost */
    DB_CACHE, /* what may be lost: a power cut spoils it */
};

enum db_mode {
    DB_EXISTING, /* the file must be there and be of that kind */
    DB_CREATE,   /* made with mode 0600 when missing; may be empty */
};

struct db_settings {
    const char *path;
    enum db_kind kind; /* marked in the file; one kind is never taken for the other */
    enum db_mode mode;
    bool durable;       /* DB_MAIN: a commit that was answered survives a power cut; without, the
                           last ones may be undone by it, and nothing worse */
    uint64_t max_bytes; /* of the file and the log beside it; 0: no bound. See bound.c */
};

/* Opens the database file. ERR_STORE: missing, not readable or writable, corrupt, locked for too
 * long, not a database of that kind. ERR_MEMORY, and with DB_CREATE ERR_SYSTEM. Of DB_CACHE, what
 * only a new file mends is not logged: ERR_NOT_FOUND when it is missing, ERR_INPUT when it is
 * corrupt, empty, larger than max_bytes or of another program. Close with db_close. */
enum status db_open(const struct db_settings *settings, struct db **out) MUST_USE;

/* Closes; *db becomes NULL. NULL is allowed. Every statement must have been freed before. When the
 * path leads elsewhere by now, what the log beside it still holds is written into the file that was
 * opened first, and the log is taken away, so that it is never applied to the other file; see
 * displaced.c. */
void db_close(struct db **db);

/* Whether the connection may be used on. */
bool db_is_sound(const struct db *db);

/* Whether a file of kind DB_CACHE was found to be corrupt. */
bool db_is_damaged(const struct db *db);

/* Whether the path, and those of the log and its index beside it, still lead to the files that were
 * opened. Three system calls, about two microseconds. */
bool db_is_in_place(const struct db *db);

/* What a connection may do, and whose: a bit for each kind of program, as db_limit is told. A
 * column NULL stands for all. */
enum db_action { DB_READ, DB_INSERT, DB_UPDATE, DB_DELETE };
struct db_grant {
    unsigned whose;
    enum db_action action;
    const char *table; /* NULL ends the list */
    const char *column;
};

/* From now on statements that need anything but transactions and those of `grants` that have the
 * bit `who` are refused when they are prepared, with ERR_PERMISSION. Borrowed until db_close. NULL
 * lifts it. */
void db_limit(struct db *db, const struct db_grant *grants, unsigned who);

/* How long a call waits for another writer before it fails. */
#define DB_WAIT_MS 5000

/* The number of the schema, 0 in an empty database; setting it marks the database as ours. */
enum status db_get_version(struct db *db, int *out) MUST_USE;
enum status db_set_version(struct db *db, int version) MUST_USE;

/* Runs a script of statements without parameters. */
enum status db_exec(struct db *db, const char *script) MUST_USE;

/* A transaction, taken for writing at once. Without `patient`, ERR_BUSY (not logged) when another
 * program is writing now. Rolling back never fails; it does nothing when there is none. */
enum status db_begin(struct db *db, bool patient) MUST_USE;
enum status db_commit(struct db *db) MUST_USE;
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* A read transaction: all reads see the state that the first of them saw; others may write
 * meanwhile, this connection does not. ERR_STORE. If ending it fails (logged), the connection is
 * spoiled. */
enum status db_begin_reading(struct db *db) MUST_USE;
void db_end_reading(struct db *db);

/* How many bytes are in use by rows and their indexes, and how many may be; for a database with a
 * bound. What would need more fails with ERR_TOO_LARGE, which is not logged and gives up the
 * transaction. ERR_STORE. */
enum status db_get_use(struct db *db, uint64_t *used_bytes, uint64_t *most_bytes) MUST_USE;

/* Makes sure, before something is written, that the log beside a database with a bound is within
 * its share. ERR_STORE: it is not, because another program has been reading for too long; without
 * `patient`, ERR_BUSY (not logged) when it could not be emptied at once. */
enum status db_trim_log(struct db *db, bool patient) MUST_USE;

/* Whether the structure and the references are sound: ERR_STORE (logged) when not. */
enum status db_verify(struct db *db) MUST_USE;

/* Writes a consistent copy into the new file `path`, mode 0600, durable. ERR_EXISTS (logged),
 * ERR_STORE, ERR_SYSTEM; no file is left then. */
enum status db_copy(struct db *db, const char *path) MUST_USE;

/* One statement, prepared once and used many times. ERR_STORE, ERR_PERMISSION, ERR_MEMORY. */
enum status db_prepare(struct db *db, const char *sql, struct db_statement **out) MUST_USE;
void db_statement_free(struct db_statement **statement);

/* Parameters, numbered from 1. Bytes are borrowed until db_reset. A failure is kept and reported by
 * the next step. */
void db_bind_int64(struct db_statement *statement, int number, int64_t value);
void db_bind_text(struct db_statement *statement, int number, struct text value);
void db_bind_blob(struct db_statement *statement, int number, const void *bytes, size_t len);

/* Goes to the next row; *row: whether there is one. ERR_EXISTS: a row of that key or name is there
 * already (not logged). ERR_STORE. */
enum status db_step(struct db_statement *statement, bool *row) MUST_USE;

/* Back before the first row; the parameters stay. */
void db_rewind(struct db_statement *statement);

/* Ends a run and lets go of rows, parameters and locks. */
void db_reset(struct db_statement *statement);

/* How many rows the last statement of this connection inserted, changed or removed itself. */
int64_t db_changes(const struct db *db);

/* Columns of the present row, numbered from 0. Text and blob are borrowed until the next step or
 * reset; a NULL is 0 or empty. */
int64_t db_column_int64(struct db_statement *statement, int number);
struct text db_column_text(struct db_statement *statement, int number);
struct text db_column_blob(struct db_statement *statement, int number);

#endif
