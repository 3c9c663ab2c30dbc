/* The audit log: what it finds of all that can be done to its rows, and what it lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "capture.h"
#include "database.h"
#include "scratch.h"
#include "store/audit.h"
#include "tables.h"

#define KEEP_S  1000
#define ROWS    6
#define WRITERS 4
#define EACH    25

static struct store *store;
static struct keyring *keyring;
static struct audit audit;

static const char *secret_path(void)
{
    return scratch_path("secret");
}

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    (void)unlink(secret_path());
    assert_int_equal(keyring_create(secret_path()), OK);
    assert_int_equal(keyring_open(secret_path(), &keyring), OK);
    store = database_open(STORE_ROLE_ADMIN);
    audit = (struct audit){
        .store = store,
        .keyring = keyring,
        .program = TEXT("login"),
        .keep_s = KEEP_S,
        .is_on = true,
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    keyring_free(&keyring);
    return 0;
}

static enum status note_at(int64_t now_s, const char *detail)
{
    const struct audit_event event = {
        .act = AUDIT_SIGN_IN,
        .outcome = AUDIT_DONE,
        .user_id = 7,
        .user = TEXT("alice"),
        .address = TEXT("192.0.2.7"),
        .detail = text_of(detail),
    };
    return audit_note(&audit, now_s, &event);
}

static void write_rows(int64_t now_s, int count)
{
    for (int i = 0; i < count; i++) {
        char detail[20];
        (void)snprintf(detail, sizeof detail, "row %d", i + 1);
        assert_int_equal(note_at(now_s + i, detail), OK);
    }
}

static struct audit_finding verify(void)
{
    struct audit_finding finding = {.rows = -1};
    struct keyring *present = NULL;
    assert_int_equal(keyring_open(secret_path(), &present), OK);
    assert_int_equal(audit_verify(store, present, &finding), OK);
    keyring_free(&present);
    return finding;
}

static void assert_whole(int64_t rows)
{
    struct audit_finding finding = verify();
    if (finding.what != NULL) {
        fail_msg("row %lld %s", (long long)finding.bad, finding.what);
    }
    assert_int_equal(finding.rows, rows);
}

static void assert_bad(int64_t number, const char *what, const char *because)
{
    struct audit_finding finding = verify();
    if (finding.what == NULL || finding.bad != number || strstr(finding.what, what) == NULL) {
        fail_msg("after %s: row %lld %s, not row %lld %s", because, (long long)finding.bad,
                 finding.what != NULL ? finding.what : "(whole)", (long long)number, what);
    }
}

/* What is in the log, without lines of the log on standard error. */
static void quietly(enum status (*task)(void))
{
    capture_start();
    enum status status = task();
    capture_end();
    assert_int_equal(status, OK);
}

static enum status note_next(void)
{
    return note_at(NOON + 50, "the next");
}

static int64_t is_marked(int64_t id)
{
    char sql[100];
    (void)snprintf(sql, sizeof sql, "SELECT broken FROM audit WHERE id = %lld", (long long)id);
    return database_ask(sql);
}

/* ---- what is written ---- */

static struct audit_row rows[ROWS];
static int row_count;

static bool keep_row(void *context, const struct audit_row *row)
{
    (void)context;
    assert_in_range(row_count, 0, ROWS - 1);
    rows[row_count++] = *row;
    return row_count < ROWS;
}

static void what_happened_is_listed_as_it_was_written(void **state)
{
    (void)state;
    row_count = 0;
    write_rows(NOON, 2);
    assert_int_equal(audit_list(store, TEXT(""), 0, keep_row, NULL), OK);
    assert_int_equal(row_count, 2);
    assert_int_equal(rows[0].id, 1);
    assert_int_equal(rows[0].at_s, NOON);
    assert_int_equal(rows[0].user_id, 7);
    assert_string_equal(rows[0].act, "sign-in");
    assert_string_equal(rows[0].outcome, "done");
    assert_string_equal(rows[0].user, "alice");
    assert_string_equal(rows[0].address, "192.0.2.7");
    assert_string_equal(rows[0].program, "login");
    assert_string_equal(rows[0].detail, "row 1");
    assert_false(rows[0].broken);
    assert_string_equal(rows[1].detail, "row 2");
    assert_whole(2);
}

static void lists_are_by_time_name_account_and_number(void **state)
{
    static const struct audit_event of_bob = {.user_id = 8, .user = TEXT_INIT("bob")};
    (void)state;
    write_rows(NOON, 3);
    assert_int_equal(audit_note(&audit, NOON + 10, &of_bob), OK);
    row_count = 0;
    assert_int_equal(audit_list(store, TEXT("ALICE"), NOON + 1, keep_row, NULL), OK);
    assert_int_equal(row_count, 2);
    row_count = 0;
    assert_int_equal(audit_list(store, TEXT("nobody"), 0, keep_row, NULL), OK);
    assert_int_equal(audit_list(store, TEXT(""), NOON + 11, keep_row, NULL), OK);
    assert_int_equal(audit_list_last(store, 9, 2, keep_row, NULL), OK);
    assert_int_equal(row_count, 0);
    assert_int_equal(audit_list_last(store, 7, 2, keep_row, NULL), OK);
    assert_int_equal(row_count, 2);
    assert_string_equal(rows[0].detail, "row 3");
    assert_string_equal(rows[1].detail, "row 2");
}

static void long_and_evil_texts_are_cut_between_characters_and_cleaned(void **state)
{
    char detail[AUDIT_DETAIL_MAX + 10];
    (void)state;
    memset(detail, 'x', sizeof detail);
    memcpy(detail, "\033[2J\x7f\xff\xc2\x9b\n\"'", 11);
    memcpy(detail + AUDIT_DETAIL_MAX - 1, "\xe2\x82\xac", 3); /* the euro does not fit */
    const struct audit_event event = {
        .act = AUDIT_REVOKE,
        .outcome = AUDIT_REFUSED,
        .user = {detail, sizeof detail},
        .address = {detail, sizeof detail},
        .detail = {detail, sizeof detail},
    };
    audit.program = (struct text){detail, sizeof detail};
    row_count = 0;
    assert_int_equal(audit_note(&audit, NOON, &event), OK);
    audit.program = TEXT("");
    assert_int_equal(audit_note(&audit, NOON, &(struct audit_event){.act = AUDIT_LINK}), OK);
    assert_int_equal(audit_list(store, TEXT(""), 0, keep_row, NULL), OK);
    assert_int_equal(strlen(rows[0].detail), AUDIT_DETAIL_MAX - 2); /* one character of two bytes */
    assert_memory_equal(rows[0].detail, "?[2J????\"'x", 10);
    assert_int_equal(strlen(rows[0].user), USER_NAME_MAX);
    assert_int_equal(strlen(rows[0].address), SESSION_ADDRESS_MAX);
    assert_int_equal(strlen(rows[0].program), AUDIT_PROGRAM_MAX);
    assert_string_equal(rows[1].program, "-");
    assert_whole(2);
}

static void rows_that_others_wrote_do_not_reach_a_terminal_either(void **state)
{
    (void)state;
    write_rows(NOON, 1);
    database_exec("UPDATE audit SET detail = char(27) || '[2J' || char(10), user = char(155)");
    row_count = 0;
    assert_int_equal(audit_list(store, TEXT(""), 0, keep_row, NULL), OK);
    assert_string_equal(rows[0].detail, "?[2J?");
    assert_string_equal(rows[0].user, "?");
}

static void nothing_is_written_where_it_is_switched_off(void **state)
{
    (void)state;
    audit.is_on = false;
    write_rows(NOON, 2);
    assert_whole(0);
}

static void without_a_secret_nothing_is_written(void **state)
{
    (void)state;
    capture_start();
    assert_int_equal(unlink(secret_path()), 0);
    enum status status = note_at(NOON, "");
    capture_end();
    assert_int_equal(status, ERR_NOT_FOUND);
    assert_int_equal(database_ask("SELECT count(*) FROM audit"), 0);
}

static void a_caller_that_rolls_back_takes_the_row_with_it(void **state)
{
    (void)state;
    write_rows(NOON, 2);
    assert_int_equal(store_begin(store), OK);
    assert_int_equal(note_at(NOON, "never"), OK);
    assert_int_equal(note_at(NOON, "never"), OK);
    store_rollback(store);
    assert_whole(2);
    assert_int_equal(store_begin(store), OK);
    assert_int_equal(note_at(NOON, "third"), OK);
    assert_int_equal(note_at(NOON, "fourth"), OK);
    assert_int_equal(store_commit(store), OK);
    assert_whole(4);
    assert_int_equal(is_marked(3), 0);
}

static void programs_of_each_role_that_writes_may_write(void **state)
{
    static const enum store_role roles[] = {STORE_ROLE_LOGIN, STORE_ROLE_LOGOUT, STORE_ROLE_ACCOUNT,
                                            STORE_ROLE_ADMIN};
    (void)state;
    for (size_t i = 0; i < COUNT(roles); i++) {
        audit.store = database_open(roles[i]);
        write_rows(NOON + (int64_t)i * 2 * KEEP_S, 2); /* and take away what is old */
        store_close(&audit.store);
    }
    assert_whole(2);
    capture_start();
    audit.store = database_open(STORE_ROLE_GATE);
    enum status status = note_at(NOON, "");
    store_close(&audit.store);
    capture_end();
    assert_int_equal(status, ERR_PERMISSION);
}

/* A program with a store and a keyring of its own. */
static pid_t start_writer(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct keyring *own = NULL;
        int failed = keyring_open(secret_path(), &own) != OK;
        audit.keyring = own;
        audit.store = database_open(STORE_ROLE_LOGIN);
        for (int i = 0; i < EACH && failed == 0; i++) {
            failed = note_at(NOON + i, "one of many") != OK;
        }
        store_close(&audit.store);
        keyring_free(&own);
        _exit(failed);
    }
    return child;
}

static void many_writers_make_one_chain_while_secrets_change(void **state)
{
    pid_t children[WRITERS];
    (void)state;
    store_disconnect(store);
    for (int i = 0; i < WRITERS; i++) {
        children[i] = start_writer();
    }
    assert_int_equal(keyring_rotate(secret_path()), OK);
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_whole((int64_t)WRITERS * EACH);
    assert_int_equal(database_ask("SELECT count(*) FROM audit WHERE broken = 1"), 0);
}

/* ---- what is found ---- */

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
    (void)tear_down(state);
    (void)set_up(state);
    write_rows(NOON, ROWS);
}

static void each_change_to_a_row_is_found(void **state)
{
    for (size_t i = 0; i < COUNT(to_a_row); i++) {
        start_afresh(state);
        database_exec(to_a_row[i].sql);
        if (to_a_row[i].what == NULL) {
            assert_whole(ROWS);
        } else {
            assert_bad(to_a_row[i].bad, to_a_row[i].what, to_a_row[i].sql);
        }
    }
}

static void each_change_at_the_end_is_found_also_by_who_writes_next(void **state)
{
    for (size_t i = 0; i < COUNT(to_the_end); i++) {
        start_afresh(state);
        database_exec(to_the_end[i].sql);
        assert_bad(to_the_end[i].bad, to_the_end[i].what, to_the_end[i].sql);
        quietly(note_next);
        assert_int_equal(database_ask("SELECT broken FROM audit ORDER BY id DESC LIMIT 1"), 1);
        assert_non_null(verify().what);
        assert_int_equal(note_at(NOON, "the one after"), OK); /* it goes on */
        assert_int_equal(database_ask("SELECT broken FROM audit ORDER BY id DESC LIMIT 1"), 0);
        assert_non_null(verify().what);
    }
}

static void the_log_tells_of_a_break(void **state)
{
    char line[1000];
    (void)state;
    write_rows(NOON, 2);
    database_exec("DELETE FROM audit WHERE id = 2");
    capture_start();
    enum status status = note_next();
    (void)snprintf(line, sizeof line, "%s", capture_next());
    capture_end();
    assert_int_equal(status, OK);
    assert_non_null(strstr(line, "the audit log was altered"));
    assert_non_null(strstr(line, "latchkey audit verify"));
    assert_bad(2, "is missing", "removing the last row");
    database_exec("UPDATE audit_ends SET first = 3, before = zeroblob(32);"
                  "DELETE FROM audit WHERE id = 1");
    assert_non_null(verify().what);
}

static void ends_that_are_put_back_with_rows_behind_them_are_found(void **state)
{
    (void)state;
    write_rows(NOON, 3);
    database_exec("CREATE TABLE kept AS SELECT * FROM audit_ends");
    write_rows(NOON, 2);
    database_exec("DELETE FROM audit_ends; INSERT INTO audit_ends SELECT * FROM kept");
    assert_bad(4, "stands behind the end", "putting the ends back");
    quietly(note_next);
    assert_int_equal(is_marked(6), 1);
}

static void rows_of_another_log_are_none_of_this_one(void **state)
{
    (void)state;
    write_rows(NOON, 4);
    database_exec("CREATE TABLE other AS SELECT * FROM audit;"
                  "DELETE FROM audit; DELETE FROM audit_ends");
    write_rows(NOON + 5, 4); /* with the same secret */
    assert_whole(4);
    database_exec("DELETE FROM audit WHERE id = 2; INSERT INTO audit SELECT * FROM other"
                  " WHERE id = 2");
    assert_bad(2, "was altered", "taking a row of another log");
}

static void numbers_that_no_log_reaches_neither_stop_it_nor_pass(void **state)
{
    (void)state;
    write_rows(NOON, 2);
    database_exec("INSERT INTO audit SELECT 9223372036854775807, at_s, act, outcome, user_id, user,"
                  " address, program, detail, broken, secret_id, digest, tag FROM audit"
                  " WHERE id = 1");
    assert_int_equal(note_at(NOON, "goes on"), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM audit"), 4);
    assert_bad(INT64_MAX, "stands behind the end", "a number that is too large");
    database_exec("UPDATE audit_ends SET last = 9223372036854775807");
    quietly(note_next);
    assert_int_equal(is_marked(4), 1);
    database_exec("UPDATE audit SET id = 4611686018427387902 WHERE id = 4");
    capture_start();
    enum status status = note_next();
    capture_end();
    assert_int_equal(status, ERR_STORE);
}

/* ---- secrets ---- */

/* As `latchkey secret` does it. */
static void change_secret(enum status (*change)(const char *path), const struct keyring *former)
{
    struct keyring *fresh = NULL;
    const struct audit_event event = {.act = AUDIT_SECRET, .outcome = AUDIT_DONE};
    assert_int_equal(store_begin(store), OK);
    assert_int_equal(change(secret_path()), OK);
    assert_int_equal(keyring_open(secret_path(), &fresh), OK);
    struct audit changed = audit;
    changed.keyring = fresh;
    changed.former = former;
    assert_int_equal(audit_note(&changed, NOON, &event), OK);
    assert_int_equal(store_commit(store), OK);
    keyring_free(&fresh);
}

static struct keyring *open_secret(void)
{
    struct keyring *opened = NULL;
    assert_int_equal(keyring_open(secret_path(), &opened), OK);
    return opened;
}

static void a_rotated_secret_verifies_what_it_wrote(void **state)
{
    (void)state;
    write_rows(NOON, 2);
    struct keyring *former = open_secret();
    change_secret(keyring_rotate, former);
    keyring_free(&former);
    write_rows(NOON, 2);
    assert_whole(5);
    assert_int_equal(verify().unverified, 0);
    assert_int_equal(database_ask("SELECT count(DISTINCT secret_id) FROM audit"), 2);
}

static void a_later_row_vouches_for_those_of_a_revoked_secret(void **state)
{
    (void)state;
    write_rows(NOON, 3);
    struct keyring *former = open_secret();
    change_secret(keyring_revoke, former);
    keyring_free(&former);
    assert_whole(4);
    assert_int_equal(verify().unverified, 3);
    assert_int_equal(is_marked(4), 0);
    write_rows(NOON, 2);
    assert_whole(6);
    database_exec("UPDATE audit SET detail = 'x' WHERE id = 2");
    assert_bad(2, "was altered", "altering what only others vouch for");
}

static void whoever_still_has_the_old_secret_in_memory_signs_with_the_new_one(void **state)
{
    (void)state;
    write_rows(NOON, 2);
    struct keyring *former = open_secret();
    change_secret(keyring_revoke, former);
    keyring_free(&former);
    write_rows(NOON, 1); /* with the keyring that was opened before */
    assert_whole(4);
    assert_int_equal(database_ask("SELECT count(DISTINCT secret_id) FROM audit WHERE id > 2"), 1);
}

static void a_secret_that_was_lost_leaves_a_break(void **state)
{
    (void)state;
    write_rows(NOON, 2);
    assert_int_equal(keyring_revoke(secret_path()), OK);
    assert_bad(1, "has a tag of a secret that is gone", "losing the secret");
    quietly(note_next);
    assert_int_equal(is_marked(3), 1);
    assert_bad(3, "was written after a break", "losing the secret");
}

static void another_secret_verifies_nothing(void **state)
{
    struct keyring *other = NULL;
    struct audit_finding finding;
    (void)state;
    write_rows(NOON, 2);
    (void)unlink(scratch_path("other"));
    assert_int_equal(keyring_create(scratch_path("other")), OK);
    assert_int_equal(keyring_open(scratch_path("other"), &other), OK);
    assert_int_equal(audit_verify(store, other, &finding), OK);
    keyring_free(&other);
    assert_int_equal(finding.bad, 1);
    assert_non_null(strstr(finding.what, "secret that is gone"));
}

/* ---- what goes ---- */

static void what_was_kept_for_long_enough_goes_and_the_rest_is_whole(void **state)
{
    (void)state;
    write_rows(NOON, 10);
    assert_int_equal(note_at(NOON + KEEP_S + 5, ""), OK); /* 5 are older by then */
    assert_whole(6);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 6);
    assert_int_equal(note_at(NOON + 3 * KEEP_S, ""), OK); /* all are */
    assert_whole(1);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 12);
    write_rows(NOON + 3 * KEEP_S, 3);
    assert_whole(4);
}

static void many_old_rows_go_a_few_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(store_begin(store), OK);
    write_rows(NOON, 100);
    assert_int_equal(store_commit(store), OK);
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(note_at(NOON + 2 * KEEP_S, ""), OK);
        assert_whole(i <= 3 ? 100 - 32 * i + i : 4);
    }
}

/* A million rows would take long: the numbers alone count. */
static void rows_beyond_the_greatest_number_go_however_new(void **state)
{
    (void)state;
    write_rows(NOON, 3);
    database_exec(
        "UPDATE audit SET id = 1000001 WHERE id = 3; UPDATE audit_ends SET last = 1000001");
    quietly(note_next);
    assert_int_equal(database_ask("SELECT min(id) FROM audit"), 2);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 2);
}

static void rows_that_were_made_to_look_old_do_not_go_unnoticed(void **state)
{
    (void)state;
    write_rows(NOON, 5);
    database_exec("UPDATE audit SET at_s = 1 WHERE id <= 2");
    quietly(note_next);
    assert_int_equal(is_marked(6), 1);
    assert_bad(6, "was written after a break", "making rows look old");
    start_afresh(state);
    database_exec("INSERT INTO audit SELECT -1, 1, act, outcome, user_id, user, address, program,"
                  " detail, broken, secret_id, digest, tag FROM audit WHERE id = 1");
    quietly(note_next);
    assert_int_equal(is_marked(7), 1);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_happened_is_listed_as_it_was_written),
        TEST(lists_are_by_time_name_account_and_number),
        TEST(long_and_evil_texts_are_cut_between_characters_and_cleaned),
        TEST(rows_that_others_wrote_do_not_reach_a_terminal_either),
        TEST(nothing_is_written_where_it_is_switched_off),
        TEST(without_a_secret_nothing_is_written),
        TEST(a_caller_that_rolls_back_takes_the_row_with_it),
        TEST(programs_of_each_role_that_writes_may_write),
        TEST(many_writers_make_one_chain_while_secrets_change),
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
        TEST(what_was_kept_for_long_enough_goes_and_the_rest_is_whole),
        TEST(many_old_rows_go_a_few_at_a_time),
        TEST(rows_beyond_the_greatest_number_go_however_new),
        TEST(rows_that_were_made_to_look_old_do_not_go_unnoticed),
    };
    log_open("test_audit", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
