/* One small interface over the database engine; SQLite behind it stays in this folder.
 *
 * A failure is logged here with the file, what was wrong and what mends it. After one that may have
 * spoiled the connection db_is_sound answers false: close it and open another. */
#ifndef LATCHKEY_DB_DB_H
#define LATCHKEY_DB_DB_H

#include "base/text.h"

struct db;
struct db_statement;

enum db_mode {
    DB_EXISTING, /* the file must be there and be ours */
    DB_CREATE,   /* made with mode 0600 when missing; may be empty */
};

/* Opens the database file `path`. With `durable`, a commit that was answered survives a power cut;
 * without, the last ones may be undone by it, and nothing worse. ERR_STORE: missing, not readable
 * or writable, corrupt, locked for too long, not a database of Latchkey. ERR_MEMORY, and with
 * DB_CREATE ERR_SYSTEM. Close with db_close. */
enum status db_open(const char *path, enum db_mode mode, bool durable, struct db **out) MUST_USE;

/* Closes; *db becomes NULL. NULL is allowed. Every statement must have been freed before. When the
 * path leads elsewhere by now, what the log beside it still holds is written into the file that was
 * opened first, and the log is taken away, so that it is never applied to the other file. */
void db_close(struct db **db);

/* Whether the connection may be used on. */
bool db_is_sound(const struct db *db);

/* Whether the path, and that of the log beside it, still lead to the files that were opened. Two
 * system calls, about a microsecond. */
bool db_is_in_place(const struct db *db);

/* What one connection may do. A column NULL stands for all. */
enum db_action { DB_READ, DB_INSERT, DB_UPDATE, DB_DELETE };
struct db_grant {
    enum db_action action;
    const char *table; /* NULL ends the list */
    const char *column;
};

/* From now on statements that need anything but `grants` and transactions are refused when they are
 * prepared, with ERR_PERMISSION. Borrowed until db_close. NULL lifts it. */
void db_limit(struct db *db, const struct db_grant *grants);

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
