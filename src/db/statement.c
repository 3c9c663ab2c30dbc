/* Prepared statements: parameters, steps, columns.
 *
 * Parameters are bound without a copy, so that a password hash lies in no memory of SQLite's but
 * the pages of the file itself; they are forgotten at each reset. */
#include <stdlib.h>

#include "db/sqlite.h"

struct db_statement {
    struct db *db; /* borrowed */
    sqlite3_stmt *handle;
    int failure; /* SQLite's code of the first binding that failed */
};

enum status db_prepare(struct db *db, const char *sql, struct db_statement **out)
{
    struct db_statement *statement = calloc(1, sizeof *statement);
    if (statement == NULL) {
        return ERR_MEMORY;
    }
    statement->db = db;
    int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &statement->handle, NULL);
    if (code != SQLITE_OK) {
        free(statement);
        return db_fault(db, code, "a statement cannot be prepared");
    }
    *out = statement;
    return OK;
}

void db_statement_free(struct db_statement **statement)
{
    if (*statement != NULL) {
        (void)sqlite3_finalize((*statement)->handle);
        free(*statement);
        *statement = NULL;
    }
}

static void note_binding(struct db_statement *statement, int code)
{
    if (code != SQLITE_OK && statement->failure == SQLITE_OK) {
        statement->failure = code;
    }
}

void db_bind_int64(struct db_statement *statement, int number, int64_t value)
{
    note_binding(statement, sqlite3_bind_int64(statement->handle, number, value));
}

void db_bind_text(struct db_statement *statement, int number, struct text value)
{
    /* A NULL pointer would be the SQL value NULL. */
    note_binding(statement, sqlite3_bind_text64(statement->handle, number, text_bytes(value),
                                                value.len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db_statement *statement, int number, const void *bytes, size_t len)
{
    note_binding(statement, sqlite3_bind_blob64(statement->handle, number,
                                                bytes != NULL ? bytes : "", len, SQLITE_STATIC));
}

enum status db_step(struct db_statement *statement, bool *row)
{
    *row = false;
    if (statement->failure != SQLITE_OK) {
        return db_fault(statement->db, statement->failure, "a parameter was refused");
    }
    int code = sqlite3_step(statement->handle);
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *row = code == SQLITE_ROW;
        return OK;
    }
    return db_fault(statement->db, code, "cannot answer");
}

void db_rewind(struct db_statement *statement)
{
    (void)sqlite3_reset(statement->handle);
}

void db_reset(struct db_statement *statement)
{
    (void)sqlite3_reset(statement->handle); /* repeats the failure that the step reported */
    (void)sqlite3_clear_bindings(statement->handle);
    statement->failure = SQLITE_OK;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_column_int64(struct db_statement *statement, int number)
{
    return sqlite3_column_int64(statement->handle, number);
}

static struct text column(struct db_statement *statement, int number, const void *data)
{
    int len = sqlite3_column_bytes(statement->handle, number);
    return (struct text){data, data != NULL && len > 0 ? (size_t)len : 0};
}

struct text db_column_text(struct db_statement *statement, int number)
{
    /* As it lies there: sqlite3_column_text would copy it for the sake of a NUL behind it. */
    return column(statement, number, sqlite3_column_blob(statement->handle, number));
}

struct text db_column_blob(struct db_statement *statement, int number)
{
    return column(statement, number, sqlite3_column_blob(statement->handle, number));
}
