/* The engine under the store: settings, faults, transactions, copies. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "db/db.h"
#include "scratch.h"
#include "things.h"

static void a_missing_file_is_never_made_by_accident(void **state)
{
    (void)state;
    struct db *db = NULL;
    const char *path = things_remove();
    assert_int_equal(database_connect(path, DB_EXISTING, &db), ERR_STORE);
    assert_null(db);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_new_file_is_private_whatever_the_umask(void **state)
{
    (void)state;
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm"};
    mode_t before = umask(0);
    struct db *db = things_make();
    (void)umask(before);
    for (size_t i = 0; i < 3; i++) {
        struct stat found;
        assert_int_equal(stat(scratch_path(names[i]), &found), 0);
        assert_int_equal(found.st_mode & 07777, 0600);
    }
    db_close(&db);
    assert_null(db);
}

static void every_setting_is_in_force(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int64_t wanted;
    } cases[] = {
        {"PRAGMA foreign_keys", 1},
        {"PRAGMA secure_delete", 1},
        {"PRAGMA cell_size_check", 1},
        {"PRAGMA trusted_schema", 0},
        {"PRAGMA temp_store", 2},
        {"PRAGMA synchronous", 2},
        {"SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1},
    };
    struct db *db = things_make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t found = things_ask(db, cases[i].sql);
        if (found != cases[i].wanted) {
            fail_msg("%s gave %lld", cases[i].sql, (long long)found);
        }
    }
    db_close(&db);
    assert_int_equal(
        db_open(&(struct db_settings){.path = scratch_path("test.db"), .mode = DB_EXISTING}, &db),
        OK);
    assert_int_equal(things_ask(db, "PRAGMA synchronous"), 1);
    db_close(&db);
}

static void files_that_are_not_ours_are_refused_untouched(void **state)
{
    (void)state;
    struct db *db = things_make();
    const char *path = scratch_path("test.db");
    assert_int_equal(db_exec(db, "PRAGMA application_id = 7"), OK);
    db_close(&db);
    assert_int_equal(database_connect(path, DB_EXISTING, &db), ERR_STORE);
    assert_int_equal(database_connect(path, DB_CREATE, &db), ERR_STORE);

    path = scratch_write("text.db", "This is a shopping list and no database at all, whatever else "
                                    "it is, and longer than a header of 100 bytes.");
    assert_int_equal(database_connect(path, DB_EXISTING, &db), ERR_STORE);
    assert_int_equal(database_connect(path, DB_CREATE, &db), ERR_STORE);

    path = scratch_write("empty.db", "");
    assert_int_equal(database_connect(path, DB_EXISTING, &db), ERR_STORE);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, 0);

    assert_int_equal(database_connect(scratch_folder(), DB_EXISTING, &db), ERR_STORE);
    assert_null(db);
}

static void parameters_and_columns_keep_their_bytes(void **state)
{
    (void)state;
    static const char bytes[] = {'a', '\0', 'b'};
    struct db *db = things_make();
    struct db_statement *statement = NULL;
    bool row = false;
    assert_int_equal(db_prepare(db, "SELECT ?1, ?2, ?3, ?4, typeof(?5)", &statement), OK);
    for (int round = 0; round < 2; round++) {
        db_bind_int64(statement, 1, INT64_MIN);
        db_bind_text(statement, 2, TEXT("it's"));
        db_bind_blob(statement, 3, bytes, sizeof bytes);
        db_bind_text(statement, 4, (struct text){0});
        db_bind_blob(statement, 5, NULL, 0);
        assert_int_equal(db_step(statement, &row), OK);
        assert_true(row);
        assert_true(db_column_int64(statement, 0) == INT64_MIN);
        assert_true(text_is(db_column_text(statement, 1), "it's"));
        struct text blob = db_column_blob(statement, 2);
        assert_int_equal(blob.len, sizeof bytes);
        assert_memory_equal(blob.data, bytes, sizeof bytes);
        assert_int_equal(db_column_text(statement, 3).len, 0);
        assert_true(text_is(db_column_text(statement, 4), "blob"));
        assert_int_equal(db_step(statement, &row), OK);
        assert_false(row);
        db_reset(statement);
    }
    db_bind_int64(statement, 7, 1);
    assert_int_equal(db_step(statement, &row), ERR_STORE);
    db_statement_free(&statement);
    assert_null(statement);
    db_close(&db);
}

static void a_taken_name_is_told_from_a_fault(void **state)
{
    (void)state;
    struct db *db = things_make();
    assert_int_equal(things_add(db, "one"), OK);
    assert_int_equal(db_changes(db), 1);
    assert_int_equal(things_add(db, "one"), ERR_EXISTS);
    assert_int_equal(things_add(db, "much too long a name"), ERR_STORE);
    assert_true(db_is_sound(db));
    assert_int_equal(things_add(db, "two"), OK);
    db_close(&db);
}

static void a_transaction_is_whole_or_nothing(void **state)
{
    (void)state;
    struct db *db = things_make();
    assert_int_equal(db_begin(db, true), OK);
    assert_true(db_in_transaction(db));
    assert_int_equal(things_add(db, "one"), OK);
    db_rollback(db);
    assert_false(db_in_transaction(db));
    db_rollback(db);
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 0);
    assert_int_equal(db_begin(db, true), OK);
    assert_int_equal(things_add(db, "one"), OK);
    assert_int_equal(db_commit(db), OK);
    assert_int_equal(db_begin(db, true), OK);
    assert_int_equal(things_add(db, "two"), OK);
    db_close(&db);
    db = things_open();
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 1);
    db_close(&db);
}

static void grants_hold_by_table_and_column(void **state)
{
    (void)state;
    static const struct db_grant grants[] = {
        {1, DB_READ, "thing", "id"},     {3, DB_READ, "thing", "name"},
        {5, DB_UPDATE, "thing", "name"}, {2, DB_READ, "thing", "secret"},
        {6, DB_DELETE, "thing", NULL},   {0},
    };
    static const struct {
        const char *sql;
        enum status wanted;
    } cases[] = {
        {"SELECT id, name FROM thing", OK},
        {"SELECT count(*) FROM thing", OK},
        {"UPDATE thing SET name = 'x' WHERE id = 1", OK},
        {"BEGIN IMMEDIATE", OK},
        {"SELECT secret FROM thing", ERR_PERMISSION},
        {"SELECT id FROM thing WHERE secret = 'x'", ERR_PERMISSION},
        {"SELECT * FROM thing", ERR_PERMISSION},
        {"UPDATE thing SET secret = 'x'", ERR_PERMISSION},
        {"UPDATE thing SET name = secret", ERR_PERMISSION},
        {"DELETE FROM thing", ERR_PERMISSION},
        {"INSERT INTO thing (name) VALUES ('x')", ERR_PERMISSION},
        {"SELECT sql FROM sqlite_schema", ERR_PERMISSION},
        {"DROP TABLE thing", ERR_PERMISSION},
        {"CREATE TEMP TABLE t (a)", ERR_PERMISSION},
        {"ATTACH 'other.db' AS other", ERR_PERMISSION},
        {"PRAGMA foreign_keys = OFF", ERR_PERMISSION},
    };
    struct db *db = things_make();
    db_limit(db, grants, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct db_statement *statement = NULL;
        enum status status = db_prepare(db, cases[i].sql, &statement);
        if (status != cases[i].wanted) {
            fail_msg("%s: %s", cases[i].sql, status_text(status));
        }
        db_statement_free(&statement);
    }
    assert_true(db_is_sound(db));
    db_close(&db);
}

static void a_locked_file_fails_in_time_and_stays_usable(void **state)
{
    (void)state;
    struct db *db = things_make();
    struct db *other = things_open();
    assert_int_equal(db_begin(other, true), OK);
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 0);
    assert_int_equal(db_begin(db, false), ERR_BUSY);
    assert_true(db_is_sound(db));
    assert_false(db_in_transaction(db));
    int64_t begun_ms = clock_monotonic_ms();
    assert_int_equal(things_add(db, "one"), ERR_STORE);
    assert_true(clock_monotonic_ms() - begun_ms >= DB_WAIT_MS - 500);
    assert_true(db_is_sound(db));
    db_rollback(other);
    assert_int_equal(things_add(db, "one"), OK);
    db_close(&other);
    db_close(&db);
}

static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    struct db *db = things_make();
    assert_int_equal(things_add(db, "one"), OK);
    int64_t pages = things_ask(db, "PRAGMA max_page_count = 1");
    assert_true(pages > 1);
    assert_int_equal(
        db_exec(db, "INSERT INTO thing (name, secret) VALUES ('big', hex(zeroblob(100000)))"),
        ERR_STORE);
    assert_false(db_is_sound(db));
    db_close(&db);
    db = things_open();
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 1);
    assert_int_equal(things_add(db, "two"), OK);
    db_close(&db);
}

static void damage(const char *path, off_t from, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(pwrite(fd, "\xa5", 1, from + (off_t)i), 1);
    }
    assert_int_equal(close(fd), 0);
}

static void corrupt_pages_are_found_by_use_and_by_verifying(void **state)
{
    (void)state;
    struct db *db = things_make();
    struct db_statement *statement = NULL;
    bool row = false;
    assert_int_equal(things_add(db, "one"), OK);
    assert_int_equal(db_verify(db), OK);
    db_close(&db);
    damage(scratch_path("test.db"), 4096, 4096); /* the root page of the table */
    db = things_open();
    assert_int_equal(db_verify(db), ERR_STORE);
    assert_int_equal(db_prepare(db, "SELECT name FROM thing WHERE id = 1", &statement), OK);
    assert_int_equal(db_step(statement, &row), ERR_STORE);
    assert_false(row);
    assert_false(db_is_sound(db));
    db_statement_free(&statement);
    db_close(&db);
    damage(scratch_path("test.db"), 0, 100); /* the header */
    assert_int_equal(database_connect(scratch_path("test.db"), DB_EXISTING, &db), ERR_STORE);
}

static void references_to_nobody_are_found_by_verifying(void **state)
{
    (void)state;
    struct db *db = things_make();
    assert_int_equal(db_exec(db, "CREATE TABLE part (thing INTEGER REFERENCES thing (id)) STRICT;"
                                 "PRAGMA foreign_keys = OFF;"
                                 "INSERT INTO part VALUES (99)"),
                     OK);
    assert_int_equal(db_verify(db), ERR_STORE);
    db_close(&db);
}

static void a_file_that_is_cut_short_fails_without_a_crash(void **state)
{
    (void)state;
    struct db *db = things_make();
    struct db_statement *statement = NULL;
    bool row = false;
    assert_int_equal(things_add(db, "one"), OK);
    db_close(&db);
    assert_int_equal(truncate(scratch_path("test.db"), 4096), 0);
    enum status status = database_connect(scratch_path("test.db"), DB_EXISTING, &db);
    if (status == OK) {
        status = db_prepare(db, "SELECT name FROM thing", &statement);
    }
    if (status == OK) {
        status = db_step(statement, &row);
    }
    assert_int_equal(status, ERR_STORE);
    db_statement_free(&statement);
    db_close(&db);
}

static void a_copy_is_private_whole_and_never_overwrites(void **state)
{
    (void)state;
    const char *copy = scratch_path("copy.db");
    struct stat found;
    (void)unlink(copy);
    struct db *db = things_make();
    assert_int_equal(things_add(db, "one"), OK);
    mode_t before = umask(0);
    assert_int_equal(db_copy(db, copy), OK);
    (void)umask(before);
    assert_int_equal(stat(copy, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(db_copy(db, copy), ERR_EXISTS);
    assert_int_equal(db_copy(db, scratch_path("nowhere/copy.db")), ERR_SYSTEM);
    db_close(&db);
    int version = 0;
    assert_int_equal(database_connect(copy, DB_EXISTING, &db), OK);
    assert_int_equal(db_get_version(db, &version), OK);
    assert_int_equal(version, 1);
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 1);
    db_close(&db);
}

static void removed_content_leaves_the_file(void **state)
{
    (void)state;
    char page[4096];
    ssize_t got;
    struct db *db = things_make();
    assert_int_equal(db_exec(db, "INSERT INTO thing (name, secret) VALUES ('a', 'TELLTALE');"
                                 "DELETE FROM thing"),
                     OK);
    db_close(&db);
    int fd = open(scratch_path("test.db"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    while ((got = read(fd, page, sizeof page)) > 0) {
        for (size_t i = 0; i + 8 <= (size_t)got; i++) {
            assert_false(memcmp(page + i, "TELLTALE", 8) == 0);
        }
    }
    assert_int_equal(close(fd), 0);
}

/* While the file `name` of the database cannot be written it is not opened; after that it is. */
static void assert_refused_at_once(const char *name)
{
    static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm"};
    struct db *db = things_make();
    struct db *other = NULL;
    bool root = geteuid() == 0;
    if (root) { /* whom no mode keeps from writing */
        assert_int_equal(chown(scratch_folder(), 65534, 65534), 0);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(chown(scratch_path(names[i]), 65534, 65534), 0);
        }
        assert_int_equal(seteuid(65534), 0);
    }
    assert_int_equal(chmod(scratch_path(name), 0400), 0);
    enum status status = database_connect(scratch_path("test.db"), DB_EXISTING, &other);
    assert_int_equal(chmod(scratch_path(name), 0600), 0);
    db_close(&other);
    enum status later = database_connect(scratch_path("test.db"), DB_EXISTING, &other);
    db_close(&other);
    if (root) {
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(chown(scratch_folder(), 0, 0), 0);
    }
    db_close(&db);
    assert_int_equal(status, ERR_STORE);
    assert_int_equal(later, OK);
}

static void a_file_that_cannot_be_written_is_refused_at_once(void **state)
{
    (void)state;
    assert_refused_at_once("test.db");
}

static void a_log_that_cannot_be_written_is_refused_at_once(void **state)
{
    (void)state;
    assert_refused_at_once("test.db-wal");
}

static void a_database_that_another_writes_now_can_be_opened(void **state)
{
    (void)state;
    struct db *other = NULL;
    struct db *db = things_make();
    assert_int_equal(db_begin(db, true), OK);
    int64_t begun_ms = clock_monotonic_ms();
    assert_int_equal(database_connect(scratch_path("test.db"), DB_EXISTING, &other), OK);
    assert_true(clock_monotonic_ms() - begun_ms < DB_WAIT_MS / 2);
    db_rollback(db);
    db_close(&other);
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_file_is_never_made_by_accident),
        cmocka_unit_test(a_new_file_is_private_whatever_the_umask),
        cmocka_unit_test(every_setting_is_in_force),
        cmocka_unit_test(files_that_are_not_ours_are_refused_untouched),
        cmocka_unit_test(parameters_and_columns_keep_their_bytes),
        cmocka_unit_test(a_taken_name_is_told_from_a_fault),
        cmocka_unit_test(a_transaction_is_whole_or_nothing),
        cmocka_unit_test(grants_hold_by_table_and_column),
        cmocka_unit_test(a_locked_file_fails_in_time_and_stays_usable),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(corrupt_pages_are_found_by_use_and_by_verifying),
        cmocka_unit_test(references_to_nobody_are_found_by_verifying),
        cmocka_unit_test(a_file_that_is_cut_short_fails_without_a_crash),
        cmocka_unit_test(a_copy_is_private_whole_and_never_overwrites),
        cmocka_unit_test(removed_content_leaves_the_file),
        cmocka_unit_test(a_file_that_cannot_be_written_is_refused_at_once),
        cmocka_unit_test(a_log_that_cannot_be_written_is_refused_at_once),
        cmocka_unit_test(a_database_that_another_writes_now_can_be_opened),
    };
    log_open("test_db", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
