/* The audit log: what is written into it, and what leaves it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit_log.h"
#include "base/log.h"
#include "capture.h"
#include "scratch.h"
#include "tables.h"

#define ROWS    6
#define WRITERS 4
#define EACH    25

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
    audit_log_write(NOON, 2);
    assert_int_equal(audit_list(audit.store, TEXT(""), 0, keep_row, NULL), OK);
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
    audit_log_expect_whole(2);
}

static void lists_are_by_time_name_account_and_number(void **state)
{
    static const struct audit_event of_bob = {.user_id = 8, .user = TEXT_INIT("bob")};
    (void)state;
    audit_log_write(NOON, 3);
    assert_int_equal(audit_note(&audit, NOON + 10, &of_bob), OK);
    row_count = 0;
    assert_int_equal(audit_list(audit.store, TEXT("ALICE"), NOON + 1, keep_row, NULL), OK);
    assert_int_equal(row_count, 2);
    row_count = 0;
    assert_int_equal(audit_list(audit.store, TEXT("nobody"), 0, keep_row, NULL), OK);
    assert_int_equal(audit_list(audit.store, TEXT(""), NOON + 11, keep_row, NULL), OK);
    assert_int_equal(audit_list_last(audit.store, 9, 2, keep_row, NULL), OK);
    assert_int_equal(row_count, 0);
    assert_int_equal(audit_list_last(audit.store, 7, 2, keep_row, NULL), OK);
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
    assert_int_equal(audit_list(audit.store, TEXT(""), 0, keep_row, NULL), OK);
    assert_int_equal(strlen(rows[0].detail), AUDIT_DETAIL_MAX - 2); /* one character of two bytes */
    assert_memory_equal(rows[0].detail, "?[2J????\"'x", 10);
    assert_int_equal(strlen(rows[0].user), USER_NAME_MAX);
    assert_int_equal(strlen(rows[0].address), SESSION_ADDRESS_MAX);
    assert_int_equal(strlen(rows[0].program), AUDIT_PROGRAM_MAX);
    assert_string_equal(rows[1].program, "-");
    audit_log_expect_whole(2);
}

static void rows_that_others_wrote_do_not_reach_a_terminal_either(void **state)
{
    (void)state;
    audit_log_write(NOON, 1);
    database_exec("UPDATE audit SET detail = char(27) || '[2J' || char(10), user = char(155)");
    row_count = 0;
    assert_int_equal(audit_list(audit.store, TEXT(""), 0, keep_row, NULL), OK);
    assert_string_equal(rows[0].detail, "?[2J?");
    assert_string_equal(rows[0].user, "?");
}

static void nothing_is_written_where_it_is_switched_off(void **state)
{
    (void)state;
    audit.is_on = false;
    audit_log_write(NOON, 2);
    audit_log_expect_whole(0);
}

static void without_a_secret_nothing_is_written(void **state)
{
    (void)state;
    capture_start();
    assert_int_equal(unlink(audit_log_secret()), 0);
    enum status status = audit_log_note(NOON, "");
    capture_end();
    assert_int_equal(status, ERR_NOT_FOUND);
    assert_int_equal(database_ask("SELECT count(*) FROM audit"), 0);
}

static void a_caller_that_rolls_back_takes_the_row_with_it(void **state)
{
    (void)state;
    audit_log_write(NOON, 2);
    assert_int_equal(store_begin(audit.store), OK);
    assert_int_equal(audit_log_note(NOON, "never"), OK);
    assert_int_equal(audit_log_note(NOON, "never"), OK);
    store_rollback(audit.store);
    audit_log_expect_whole(2);
    assert_int_equal(store_begin(audit.store), OK);
    assert_int_equal(audit_log_note(NOON, "third"), OK);
    assert_int_equal(audit_log_note(NOON, "fourth"), OK);
    assert_int_equal(store_commit(audit.store), OK);
    audit_log_expect_whole(4);
    assert_int_equal(audit_log_is_marked(3), 0);
}

static void programs_of_each_role_that_writes_may_write(void **state)
{
    static const enum store_role roles[] = {STORE_ROLE_LOGIN, STORE_ROLE_LOGOUT, STORE_ROLE_ACCOUNT,
                                            STORE_ROLE_ADMIN};
    struct store *admin = audit.store;
    (void)state;
    for (size_t i = 0; i < COUNT(roles); i++) {
        audit.store = database_open(roles[i]);
        audit_log_write(NOON + (int64_t)i * 2 * AUDIT_LOG_KEEP_S,
                        2); /* and take away what is old */
        store_close(&audit.store);
    }
    audit.store = admin;
    audit_log_expect_whole(2);
    capture_start();
    audit.store = database_open(STORE_ROLE_GATE);
    enum status status = audit_log_note(NOON, "");
    store_close(&audit.store);
    audit.store = admin;
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
        int failed = keyring_open(audit_log_secret(), KEYS_ALL, &own) != OK;
        audit.keyring = own;
        audit.store = database_open(STORE_ROLE_LOGIN);
        for (int i = 0; i < EACH && failed == 0; i++) {
            failed = audit_log_note(NOON + i, "one of many") != OK;
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
    store_disconnect(audit.store);
    for (int i = 0; i < WRITERS; i++) {
        children[i] = start_writer();
    }
    assert_int_equal(keyring_rotate(audit_log_secret()), OK);
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    audit_log_expect_whole((int64_t)WRITERS * EACH);
    assert_int_equal(database_ask("SELECT count(*) FROM audit WHERE broken = 1"), 0);
}

/* ---- what goes ---- */

static void what_was_kept_for_long_enough_goes_and_the_rest_is_whole(void **state)
{
    (void)state;
    audit_log_write(NOON, 10);
    assert_int_equal(audit_log_note(NOON + AUDIT_LOG_KEEP_S + 5, ""), OK); /* 5 are older by then */
    audit_log_expect_whole(6);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 6);
    assert_int_equal(audit_log_note(NOON + 3 * AUDIT_LOG_KEEP_S, ""), OK); /* all are */
    audit_log_expect_whole(1);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 12);
    audit_log_write(NOON + 3 * AUDIT_LOG_KEEP_S, 3);
    audit_log_expect_whole(4);
}

static void many_old_rows_go_a_few_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(store_begin(audit.store), OK);
    audit_log_write(NOON, 100);
    assert_int_equal(store_commit(audit.store), OK);
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(audit_log_note(NOON + 2 * AUDIT_LOG_KEEP_S, ""), OK);
        audit_log_expect_whole(i <= 3 ? 100 - 32 * i + i : 4);
    }
}

/* A million rows would take long: the numbers alone count. */
static void rows_beyond_the_greatest_number_go_however_new(void **state)
{
    (void)state;
    audit_log_write(NOON, 3);
    database_exec(
        "UPDATE audit SET id = 1000001 WHERE id = 3; UPDATE audit_ends SET last = 1000001");
    audit_log_note_quietly();
    assert_int_equal(database_ask("SELECT min(id) FROM audit"), 2);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 2);
}

/* Whether a warning of loss comes with the row of that number, when the log has one row that is out
 * of it by then. */
static bool is_loss_told(int number, int64_t now_s)
{
    char script[128];
    const char *line = NULL;
    bool told = false;
    (void)snprintf(script, sizeof script,
                   "UPDATE audit SET id = %d WHERE id = 2; UPDATE audit_ends SET last = %d",
                   number - 1, number - 1);
    database_exec(script);
    capture_start();
    enum status status = audit_log_note(now_s, "");
    while (*(line = capture_next()) != '\0') {
        told = told || strstr(line, "younger than log.keep") != NULL;
    }
    capture_end();
    assert_int_equal(status, OK);
    return told;
}

static void a_row_that_leaves_before_its_time_is_told_of_once_in_a_thousand(void **state)
{
    static const struct {
        int number, later_s;
        bool warned;
    } cases[] = {
        {1002000, 50, true},
        {1002001, 50, false},                   /* not for each row */
        {1002000, AUDIT_LOG_KEEP_S + 1, false}, /* kept for long enough */
        {1000, 50, false},                      /* nothing leaves */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)audit_log_close(state);
        (void)audit_log_open(state);
        audit_log_write(NOON, 2);
        assert_int_equal(is_loss_told(cases[i].number, NOON + cases[i].later_s), cases[i].warned);
    }
}

/* Two programs wrote them, the second of which had looked at the clock before. */
static void a_row_that_leaves_with_an_older_one_behind_it_is_no_loss(void **state)
{
    (void)state;
    audit_log_write(NOON, 1);
    audit_log_write(NOON - 1, 1);
    assert_false(is_loss_told(1000, NOON + AUDIT_LOG_KEEP_S));
    assert_int_equal(database_ask("SELECT min(id) FROM audit"), 1000);
}

static void rows_that_were_made_to_look_old_do_not_go_unnoticed(void **state)
{
    (void)state;
    audit_log_write(NOON, 5);
    database_exec("UPDATE audit SET at_s = 1 WHERE id <= 2");
    audit_log_note_quietly();
    assert_int_equal(audit_log_is_marked(6), 1);
    audit_log_expect_bad(6, "was written after a break", "making rows look old");
    (void)audit_log_close(state);
    (void)audit_log_open(state);
    audit_log_write(NOON, ROWS);
    database_exec("INSERT INTO audit SELECT -1, 1, act, outcome, user_id, user, address, program,"
                  " detail, broken, secret_id, digest, tag FROM audit WHERE id = 1");
    audit_log_note_quietly();
    assert_int_equal(audit_log_is_marked(7), 1);
    assert_int_equal(database_ask("SELECT first FROM audit_ends"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, audit_log_open, audit_log_close)

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
        TEST(what_was_kept_for_long_enough_goes_and_the_rest_is_whole),
        TEST(many_old_rows_go_a_few_at_a_time),
        TEST(rows_beyond_the_greatest_number_go_however_new),
        TEST(a_row_that_leaves_before_its_time_is_told_of_once_in_a_thousand),
        TEST(a_row_that_leaves_with_an_older_one_behind_it_is_no_loss),
        TEST(rows_that_were_made_to_look_old_do_not_go_unnoticed),
    };
    log_open("test_audit", LOG_LEVEL_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
