/* Files of a database that are replaced, moved or taken away while it is open. */
#include <errno.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "db/sqlite.h"
#include "in_child.h"
#include "scratch.h"
#include "shell.h"
#include "things.h"

static void a_file_that_goes_or_is_replaced_is_noticed(void **state)
{
    (void)state;
    const char *path = scratch_path("test.db");
    const char *aside = scratch_path("aside.db");
    struct db *db = things_make();
    assert_true(db_is_in_place(db));
    assert_int_equal(rename(path, aside), 0);
    assert_false(db_is_in_place(db));
    assert_int_equal(rename(aside, path), 0);
    assert_true(db_is_in_place(db));
    scratch_shell("cp test.db aside.db");
    assert_int_equal(rename(aside, path), 0);
    assert_false(db_is_in_place(db));
    db_close(&db);
}

static void files_beside_it_that_go_are_noticed(void **state)
{
    (void)state;
    static const char *const names[] = {"test.db-wal", "test.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct db *db = things_make();
        assert_int_equal(things_add(db, "old"), OK);
        assert_true(db_is_in_place(db));
        assert_int_equal(unlink(scratch_path(names[i])), 0);
        assert_false(db_is_in_place(db));
        db_close(&db);
        db = things_open(); /* and nothing is lost with them */
        assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 1);
        db_close(&db);
    }
}

static void the_log_of_a_replaced_file_is_never_applied_to_the_new_one(void **state)
{
    (void)state;
    const char *path = scratch_path("test.db");
    const char *copy = scratch_path("copy.db");
    const char *aside = scratch_path("aside.db");
    (void)unlink(copy);
    struct db *db = things_make();
    assert_int_equal(things_add(db, "old"), OK);
    assert_int_equal(db_copy(db, copy), OK);
    assert_int_equal(things_add(db, "late"), OK); /* stands in the log only */
    assert_int_equal(db_exec(db, "CREATE TABLE late (a TEXT) STRICT"), OK);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(rename(copy, path), 0);
    db_close(&db);

    db = things_open();
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 1);
    assert_int_equal(db_verify(db), OK);
    assert_int_equal(things_add(db, "new"), OK);
    db_close(&db);

    assert_int_equal(rename(aside, path), 0);
    db = things_open(); /* and the old one has lost nothing */
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 2);
    assert_int_equal(things_ask(db, "SELECT count(*) FROM late"), 0);
    assert_int_equal(db_verify(db), OK);
    db_close(&db);
}

/* Of two connections one is closed while its looks at the database, and no others, fail with
 * `code`. */
static int close_blind(int code)
{
    struct db *first = things_open();
    struct db *second = things_open();
    int64_t things = things_ask(first, "SELECT count(*) FROM thing");
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    uint32_t action = SCMP_ACT_ERRNO((uint32_t)code);
    scmp_datum_t path = (scmp_datum_t)(uintptr_t)second->path;
    bool is_blind =
        filter != NULL &&
        seccomp_rule_add(filter, action, SCMP_SYS(stat), 1, SCMP_A0(SCMP_CMP_EQ, path, 0)) == 0 &&
        seccomp_rule_add(filter, action, SCMP_SYS(newfstatat), 1, SCMP_A1(SCMP_CMP_EQ, path, 0)) ==
            0 &&
        seccomp_load(filter) == 0;
    seccomp_release(filter);
    is_blind = is_blind && !db_is_in_place(second);
    db_close(&second);
    return things == 1 && is_blind && db_is_in_place(first) ? 0 : 1;
}

static void a_failed_look_takes_no_log_from_others(void **state)
{
    (void)state;
    static const int codes[] = {EIO, EACCES, ENOENT};
    struct db *db = things_make();
    assert_int_equal(things_add(db, "old"), OK);
    db_close(&db);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(in_child(close_blind, codes[i]), 0);
    }
}

static void a_log_that_another_program_made_anew_is_left_alone(void **state)
{
    (void)state;
    const char *path = scratch_path("test.db");
    const char *copy = scratch_path("copy.db");
    (void)unlink(copy);
    struct db *first = things_make();
    struct db *second = things_open();
    assert_int_equal(things_add(first, "old"), OK);
    assert_int_equal(db_copy(first, copy), OK);
    assert_int_equal(rename(copy, path), 0);
    db_close(&first);
    first = things_open();
    assert_int_equal(things_add(first, "new"), OK); /* stands in the new log */
    db_close(&second);
    assert_true(db_is_in_place(first));
    struct db *third = things_open();
    assert_int_equal(things_ask(third, "SELECT count(*) FROM thing"), 2);
    db_close(&third);
    db_close(&first);
}

/* Whether one of the next lines that were caught has these words. */
static bool was_told(const char *words)
{
    const char *line = capture_next();
    while (line[0] != '\0' && strstr(line, words) == NULL) {
        line = capture_next();
    }
    return line[0] != '\0';
}

/* What another program does that has the database open for a moment. The log was carried over when
 * it was taken away, so that it finds the tables. */
static void let_another_write(struct db *db, const char *script)
{
    char command[512];
    (void)things_ask(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)snprintf(command, sizeof command, "rm test.db-wal test.db-shm && sqlite3 test.db '%s'",
                   script);
    scratch_shell(command);
    assert_int_equal(access(scratch_path("test.db-wal"), F_OK), 0);
}

static void who_closes_takes_no_log_that_another_program_made(void **state)
{
    (void)state;
    struct db *db = things_make();
    assert_int_equal(things_add(db, "old"), OK);
    let_another_write(db, "INSERT INTO thing (name) VALUES (\"new\")");
    assert_false(db_is_in_place(db));
    capture_start();
    db_close(&db);
    assert_true(was_told("its log was taken away"));
    capture_end();
    db = things_open();
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing WHERE name = 'new'"), 1);
    db_close(&db);
}

#define MANY(table, from, to)                                                                      \
    "INSERT INTO " table " WITH RECURSIVE n (i) AS (SELECT " from                                  \
    " UNION ALL SELECT i + 1 FROM n WHERE i < " to ") SELECT i, hex(i) FROM n"

/* Pages of two logs, carried over one after the other, would be parts of two databases. */
static void a_log_without_a_name_is_not_carried_over_under_another_one(void **state)
{
    (void)state;
    struct db *db = things_make();
    assert_int_equal(db_exec(db, MANY("thing (id, name)", "1", "2000")), OK);
    (void)things_ask(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(db_exec(db, MANY("thing (id, name)", "2001", "2300")), OK);
    scratch_shell("rm test.db-wal test.db-shm && sqlite3 test.db 'CREATE TABLE other (a, b); " MANY(
        "other", "1", "300") "'");
    capture_start();
    db_close(&db);
    capture_end();
    db = things_open();
    assert_int_equal(db_verify(db), OK);
    assert_int_equal(things_ask(db, "SELECT count(*) FROM other"), 300);
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 2000);
    db_close(&db);
}

static void a_log_that_cannot_be_saved_is_kept_where_it_does_no_harm(void **state)
{
    (void)state;
    const char *copy = scratch_path("copy.db");
    (void)unlink(copy);
    struct db *db = things_make();
    assert_int_equal(things_add(db, "old"), OK);
    assert_int_equal(db_copy(db, copy), OK);
    struct db *reader = things_open();
    assert_int_equal(db_begin_reading(reader), OK);
    assert_int_equal(things_ask(reader, "SELECT count(*) FROM thing"), 1);
    assert_int_equal(things_add(db, "late"), OK);
    assert_int_equal(rename(copy, scratch_path("test.db")), 0);
    db->wait_ms = 0;
    capture_start();
    db_close(&db);
    assert_true(was_told("the log could not be saved: database is locked"));
    assert_true(was_told("test.db-wal.unsaved; to use it"));
    capture_end();
    assert_int_equal(access(scratch_path("test.db-wal.unsaved"), F_OK), 0);

    db = things_open();
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 1);
    assert_int_equal(db_verify(db), OK);
    assert_int_equal(things_add(db, "new"), OK);
    db_end_reading(reader);
    db_close(&reader);
    assert_true(db_is_in_place(db));
    assert_int_equal(things_ask(db, "SELECT count(*) FROM thing"), 2);
    db_close(&db);
    assert_int_equal(unlink(scratch_path("test.db-wal.unsaved")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_goes_or_is_replaced_is_noticed),
        cmocka_unit_test(files_beside_it_that_go_are_noticed),
        cmocka_unit_test(the_log_of_a_replaced_file_is_never_applied_to_the_new_one),
        cmocka_unit_test(a_failed_look_takes_no_log_from_others),
        cmocka_unit_test(a_log_that_another_program_made_anew_is_left_alone),
        cmocka_unit_test(who_closes_takes_no_log_that_another_program_made),
        cmocka_unit_test(a_log_without_a_name_is_not_carried_over_under_another_one),
        cmocka_unit_test(a_log_that_cannot_be_saved_is_kept_where_it_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
