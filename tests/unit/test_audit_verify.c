/* The audit log: what a verification finds of all that can be done to it, and what it lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit_log.h"
#include "base/log.h"
#include "capture.h"
#include "scratch.h"
#include "tables.h"

#define ROWS 6

struct harm {
    const char *sql;
    int64_t bad; /* the row that is named */
    const char *what;
};

static const struct harm to_a_row[] = {
    {"UPDATE audit SET at_s = at_s + 1 WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET act = 'sign-out' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET outcome = 'refused' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET user_id = 8 WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET user = 'Alice' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET address = '192.0.2.8' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET program = 'logon' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET detail = '' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET detail = 'row 3' || char(0) WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET broken = 1 WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET secret_id = secret_id + 1 WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET secret_id = -1 WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET digest = zeroblob(32) WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET tag = zeroblob(32) WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET id = 33 WHERE id = 3", 3, "is missing"},
    {"UPDATE audit SET act = 'sign-i', outcome = 'ndone' WHERE id = 3", 3, "was altered"},
    {"UPDATE audit SET detail = 'row 1' WHERE id = 1", 0, NULL}, /* nothing was changed */
    {"DELETE FROM audit WHERE id = 3", 3, "is missing"},
    {"DELETE FROM audit WHERE id = 1", 1, "is missing"},
    {"DELETE FROM audit WHERE id IN (2, 3)", 2, "is missing"},
    {"UPDATE audit SET id = 0 WHERE id = 3;"
     "UPDATE audit SET id = 3 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 0",
     3, "was altered"},
    {"UPDATE audit SET id = -id; UPDATE audit SET id = 7 + id", 1, "was altered"},
    {"UPDATE audit SET id = id + 10 WHERE id > 3; UPDATE audit SET id = id - 9 WHERE id > 10;"
     "INSERT INTO audit SELECT 4, at_s, act, outcome, user_id, user, address, program, detail,"
     " broken, secret_id, digest, tag FROM audit WHERE id = 3",
     4, "was altered"},
    {"INSERT INTO audit SELECT 0, at_s, act, outcome, user_id, user, address, program, detail,"
     " broken, secret_id, digest, tag FROM audit WHERE id = 1",
     0, "stands before the beginning of the log"},
};

/* Such as whoever adds the next row finds as well. */
static const struct harm to_the_end[] = {
    {"DELETE FROM audit WHERE id = 6", 6, "is missing"},
    {"DELETE FROM audit WHERE id > 2", 3, "is missing"},
    {"DELETE FROM audit", 1, "is missing"},
    {"UPDATE audit SET detail = '' WHERE id = 6", 6, "was altered"},
    {"UPDATE audit SET tag = zeroblob(32) WHERE id = 6", 6, "was altered"},
    {"UPDATE audit SET secret_id = secret_id + 1 WHERE id = 6", 6, "was altered"},
    {"UPDATE audit SET digest = zeroblob(32) WHERE id = 5", 5, "was altered"},
    {"INSERT INTO audit SELECT 7, at_s, act, outcome, user_id, user, address, program, detail,"
     " broken, secret_id, digest, tag FROM audit WHERE id = 6",
     7, "stands behind the end"},
    {"DELETE FROM audit_ends", 1, "is there, but where the log begins"},
    {"UPDATE audit_ends SET first = 2", 1, "stands before the beginning"},
    {"UPDATE audit_ends SET first = 2; DELETE FROM audit WHERE id = 1", 2, "was altered"},
    {"UPDATE audit_ends SET first = 2, before = (SELECT digest FROM audit WHERE id = 1);"
     "DELETE FROM audit WHERE id = 1",
     6, "what is recorded of the end was altered"},
    {"UPDATE audit_ends SET last = 5, digest = (SELECT digest FROM audit WHERE id = 5);"
     "DELETE FROM audit WHERE id = 6",
     5, "what is recorded of the end was altered"},
    {"UPDATE audit_ends SET last = 5", 6, "stands behind the end"},
    {"UPDATE audit_ends SET last = 7", 7, "is missing"},
    {"UPDATE audit_ends SET digest = zeroblob(32)", 6, "the end was altered"},
    {"UPDATE audit_ends SET tag = zeroblob(32)", 6, "the end was altered"},
    {"UPDATE audit_ends SET secret_id = secret_id + 1", 6, "the secret that says so is gone"},
};

static void start_afresh(void **state)
{
    (void)audit_log_close(state);
    (void)audit_log_open(state);
    audit_log_write(NOON, ROWS);
}

static void each_change_to_a_row_is_found(void **state)
{
    for (size_t i = 0; i < COUNT(to_a_row); i++) {
        start_afresh(state);
        database_exec(to_a_row[i].sql);
        if (to_a_row[i].what == NULL) {
            audit_log_expect_whole(ROWS);
        } else {
            audit_log_expect_bad(to_a_row[i].bad, to_a_row[i].what, to_a_row[i].sql);
        }
    }
}

static void each_change_at_the_end_is_found_also_by_who_writes_next(void **state)
{
    for (size_t i = 0; i < COUNT(to_the_end); i++) {
        start_afresh(state);
        database_exec(to_the_end[i].sql);
        audit_log_expect_bad(to_the_end[i].bad, to_the_end[i].what, to_the_end[i].sql);
        audit_log_note_quietly();
        assert_int_equal(database_ask("SELECT broken FROM audit ORDER BY id DESC LIMIT 1"), 1);
        assert_non_null(audit_log_verify().what);
        assert_int_equal(audit_log_note(NOON, "the one after"), OK); /* it goes on */
        assert_int_equal(database_ask("SELECT broken FROM audit ORDER BY id DESC LIMIT 1"), 0);
        assert_non_null(audit_log_verify().what);
    }
}

static void the_log_tells_of_a_break(void **state)
{
    char line[1000];
    (void)state;
    audit_log_write(NOON, 2);
    database_exec("DELETE FROM audit WHERE id = 2");
    capture_start();
    enum status status = audit_log_note(NOON + 50, "the next");
    (void)snprintf(line, sizeof line, "%s", capture_next());
    capture_end();
    assert_int_equal(status, OK);
    assert_non_null(strstr(line, "the audit log is not as it was left"));
    assert_non_null(strstr(line, "latchkey audit verify"));
    audit_log_expect_bad(2, "is missing", "removing the last row");
    database_exec("UPDATE audit_ends SET first = 3, before = zeroblob(32);"
                  "DELETE FROM audit WHERE id = 1");
    assert_non_null(audit_log_verify().what);
}

static void ends_that_are_put_back_with_rows_behind_them_are_found(void **state)
{
    (void)state;
    audit_log_write(NOON, 3);
    database_exec("CREATE TABLE kept AS SELECT * FROM audit_ends");
    audit_log_write(NOON, 2);
    database_exec("DELETE FROM audit_ends; INSERT INTO audit_ends SELECT * FROM kept");
    audit_log_expect_bad(4, "stands behind the end", "putting the ends back");
    audit_log_note_quietly();
    assert_int_equal(audit_log_is_marked(6), 1);
}

static void rows_of_another_log_are_none_of_this_one(void **state)
{
    (void)state;
    audit_log_write(NOON, 4);
    database_exec("CREATE TABLE other AS SELECT * FROM audit;"
                  "DELETE FROM audit; DELETE FROM audit_ends");
    audit_log_write(NOON + 5, 4); /* with the same secret */
    audit_log_expect_whole(4);
    database_exec("DELETE FROM audit WHERE id = 2; INSERT INTO audit SELECT * FROM other"
                  " WHERE id = 2");
    audit_log_expect_bad(2, "was altered", "taking a row of another log");
}

static void numbers_that_no_log_reaches_neither_stop_it_nor_pass(void **state)
{
    (void)state;
    audit_log_write(NOON, 2);
    database_exec("INSERT INTO audit SELECT 9223372036854775807, at_s, act, outcome, user_id, user,"
                  " address, program, detail, broken, secret_id, digest, tag FROM audit"
                  " WHERE id = 1");
    assert_int_equal(audit_log_note(NOON, "goes on"), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM audit"), 4);
    audit_log_expect_bad(INT64_MAX, "stands behind the end", "a number that is too large");
    database_exec("UPDATE audit_ends SET last = 9223372036854775807");
    audit_log_note_quietly();
    assert_int_equal(audit_log_is_marked(4), 1);
    database_exec("UPDATE audit SET id = 4611686018427387902 WHERE id = 4");
    capture_start();
    enum status status = audit_log_note(NOON + 50, "the next");
    capture_end();
    assert_int_equal(status, ERR_STORE);
}

/* ---- secrets ---- */

/* As `latchkey secret` does it. */
static void change_secret(enum status (*change)(const char *path), const struct keyring *former)
{
    struct keyring *fresh = NULL;
    const struct audit_event event = {.act = AUDIT_SECRET, .outcome = AUDIT_DONE};
    assert_int_equal(store_begin(audit.store), OK);
    assert_int_equal(change(audit_log_secret()), OK);
    assert_int_equal(keyring_open(audit_log_secret(), KEYS_ALL, &fresh), OK);
    struct audit changed = audit;
    changed.keyring = fresh;
    changed.former = former;
    assert_int_equal(audit_note(&changed, NOON, &event), OK);
    assert_int_equal(store_commit(audit.store), OK);
    keyring_free(&fresh);
}

static struct keyring *open_secret(void)
{
    struct keyring *opened = NULL;
    assert_int_equal(keyring_open(audit_log_secret(), KEYS_ALL, &opened), OK);
    return opened;
}

static void a_rotated_secret_verifies_what_it_wrote(void **state)
{
    (void)state;
    audit_log_write(NOON, 2);
    struct keyring *former = open_secret();
    change_secret(keyring_rotate, former);
    keyring_free(&former);
    audit_log_write(NOON, 2);
    audit_log_expect_whole(5);
    assert_int_equal(audit_log_verify().unverified, 0);
    assert_int_equal(database_ask("SELECT count(DISTINCT secret_id) FROM audit"), 2);
}

static void a_later_row_vouches_for_those_of_a_revoked_secret(void **state)
{
    (void)state;
    audit_log_write(NOON, 3);
    struct keyring *former = open_secret();
    change_secret(keyring_revoke, former);
    keyring_free(&former);
    audit_log_expect_whole(4);
    assert_int_equal(audit_log_verify().unverified, 3);
    assert_int_equal(audit_log_is_marked(4), 0);
    audit_log_write(NOON, 2);
    audit_log_expect_whole(6);
    database_exec("UPDATE audit SET detail = 'x' WHERE id = 2");
    audit_log_expect_bad(2, "was altered", "altering what only others vouch for");
}

static void whoever_still_has_the_old_secret_in_memory_signs_with_the_new_one(void **state)
{
    (void)state;
    audit_log_write(NOON, 2);
    struct keyring *former = open_secret();
    change_secret(keyring_revoke, former);
    keyring_free(&former);
    audit_log_write(NOON, 1); /* with the keyring that was opened before */
    audit_log_expect_whole(4);
    assert_int_equal(database_ask("SELECT count(DISTINCT secret_id) FROM audit WHERE id > 2"), 1);
}

static void a_secret_that_was_lost_leaves_a_break(void **state)
{
    (void)state;
    audit_log_write(NOON, 2);
    assert_int_equal(keyring_revoke(audit_log_secret()), OK);
    audit_log_expect_bad(1, "has a tag of a secret that is gone", "losing the secret");
    audit_log_note_quietly();
    assert_int_equal(audit_log_is_marked(3), 1);
    audit_log_expect_bad(3, "was written after a break", "losing the secret");
}

static void another_secret_verifies_nothing(void **state)
{
    struct keyring *other = NULL;
    struct audit_finding finding;
    (void)state;
    audit_log_write(NOON, 2);
    (void)unlink(scratch_path("other"));
    assert_int_equal(keyring_create(scratch_path("other")), OK);
    assert_int_equal(keyring_open(scratch_path("other"), KEYS_ALL, &other), OK);
    assert_int_equal(audit_verify(audit.store, other, &finding), OK);
    keyring_free(&other);
    assert_int_equal(finding.bad, 1);
    assert_non_null(strstr(finding.what, "secret that is gone"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_log_open, audit_log_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_change_to_a_row_is_found),
        TEST(each_change_at_the_end_is_found_also_by_who_writes_next),
        TEST(the_log_tells_of_a_break),
        TEST(ends_that_are_put_back_with_rows_behind_them_are_found),
        TEST(rows_of_another_log_are_none_of_this_one),
        TEST(numbers_that_no_log_reaches_neither_stop_it_nor_pass),
        TEST(a_rotated_secret_verifies_what_it_wrote),
        TEST(a_later_row_vouches_for_those_of_a_revoked_secret),
        TEST(whoever_still_has_the_old_secret_in_memory_signs_with_the_new_one),
        TEST(a_secret_that_was_lost_leaves_a_break),
        TEST(another_secret_verifies_nothing),
    };
    log_open("test_audit_verify", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
