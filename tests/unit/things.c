#include "things.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "database.h"
#include "scratch.h"

#define TABLE                                                                                      \
    "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, secret TEXT,"          \
    " CHECK (length(name) < 10)) STRICT"

const char *things_remove(void)
{
    const char *path = scratch_path("test.db");
    (void)unlink(path);
    (void)unlink(scratch_path("test.db-wal"));
    (void)unlink(scratch_path("test.db-shm"));
    return path;
}

struct db *things_make(void)
{
    struct db *db = NULL;
    assert_int_equal(database_connect(things_remove(), DB_CREATE, &db), OK);
    assert_int_equal(db_exec(db, TABLE), OK);
    assert_int_equal(db_set_version(db, 1), OK);
    return db;
}

struct db *things_open(void)
{
    struct db *db = NULL;
    assert_int_equal(database_connect(scratch_path("test.db"), DB_EXISTING, &db), OK);
    return db;
}

int64_t things_ask(struct db *db, const char *sql)
{
    struct db_statement *statement = NULL;
    bool row = false;
    assert_int_equal(db_prepare(db, sql, &statement), OK);
    assert_int_equal(db_step(statement, &row), OK);
    assert_true(row);
    int64_t value = db_column_int64(statement, 0);
    db_statement_free(&statement);
    return value;
}

enum status things_add(struct db *db, const char *name)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_prepare(db, "INSERT INTO thing (name) VALUES (?1)", &statement);
    if (status == OK) {
        db_bind_text(statement, 1, text_of(name));
        status = db_step(statement, &row);
        db_reset(statement);
    }
    db_statement_free(&statement);
    return status;
}
