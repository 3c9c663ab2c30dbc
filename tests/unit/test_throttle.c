/* Counting failed attempts, in a real database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "scratch.h"
#include "store/throttle.h"

#define NAMES 100000

static struct store *store;

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    store = database_open(STORE_ROLE_LOGIN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

/* Three are free, then 15 s, doubling, up to 100 s. */
static struct throttle_count count_of(int number)
{
    struct throttle_count count = {
        .kind = THROTTLE_ACCOUNT_AND_NETWORK,
        .account = TEXT("alice"),
        .network = TEXT("192.0.2.7/32"),
        .free = 3,
        .first_s = 15,
        .longest_s = 100,
        .memory_s = 900,
    };
    (void)snprintf((char *)count.key, sizeof count.key, "%015d", number);
    return count;
}

static struct throttle_admission admit(const struct throttle_count *counts, size_t count,
                                       int64_t now_s)
{
    struct throttle_admission admission;
    assert_int_equal(throttle_admit(store, counts, count, now_s, &admission), OK);
    return admission;
}

static int64_t wait_of(const struct throttle_count *count, int64_t now_s)
{
    return admit(count, 1, now_s).wait_s;
}

static void delays_begin_after_the_free_ones_and_double_up_to_the_longest(void **state)
{
    (void)state;
    static const int64_t delays[] = {0, 0, 15, 30, 60, 100, 100, 100};
    const struct throttle_count count = count_of(1);
    int64_t now_s = NOON;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        struct throttle_admission admission = admit(&count, 1, now_s);
        assert_int_equal(admission.wait_s, 0);
        assert_int_equal(admission.delay_s, delays[i]);
        assert_ptr_equal(admission.began, delays[i] > 0 ? &count : NULL);
        if (delays[i] > 0) {
            assert_int_equal(wait_of(&count, now_s), delays[i]);
            assert_int_equal(wait_of(&count, now_s + delays[i] - 1), 1);
        }
        now_s += delays[i];
    }
}

static void whoever_waits_is_refused_without_a_write(void **state)
{
    (void)state;
    const struct throttle_count count = count_of(1);
    for (int i = 0; i < 3; i++) {
        (void)admit(&count, 1, NOON);
    }
    struct store *writer = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_begin(writer), OK); /* nobody else can write now */
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(wait_of(&count, NOON + 1), 14);
    assert_true(clock_monotonic_ms() - before_ms < DB_WAIT_MS / 2);
    store_rollback(writer);
    store_close(&writer);
    assert_int_equal(database_ask("SELECT failures FROM throttle"), 3);
}

static void one_count_that_waits_keeps_all_others_as_they_are(void **state)
{
    (void)state;
    struct throttle_count counts[] = {count_of(1), count_of(2), count_of(3)};
    counts[1].free = 1;
    counts[1].first_s = 40;
    counts[2].free = 1;
    struct throttle_admission admission = admit(counts, 3, NOON);
    assert_ptr_equal(admission.began, &counts[1]); /* the longest */
    assert_int_equal(admission.delay_s, 40);
    admission = admit(counts, 3, NOON + 10);
    assert_int_equal(admission.wait_s, 30);
    assert_null(admission.began);
    assert_int_equal(database_ask("SELECT sum(failures) FROM throttle"), 3);
    assert_int_equal(wait_of(&counts[0], NOON + 10), 0);
}

static void what_was_right_is_cleared_and_what_was_none_taken_back(void **state)
{
    (void)state;
    const struct throttle_count count = count_of(1);
    for (int i = 0; i < 3; i++) {
        (void)admit(&count, 1, NOON);
    }
    assert_int_equal(throttle_release(store, &count), OK);
    assert_int_equal(wait_of(&count, NOON), 0); /* the third again */
    assert_int_equal(wait_of(&count, NOON), 15);
    assert_int_equal(throttle_clear(store, &count), OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wait_of(&count, NOON), 0);
    }
    assert_int_equal(wait_of(&count, NOON), 15);
    /* Never below nothing, and nothing is made. */
    const struct throttle_count other = count_of(2);
    assert_int_equal(throttle_release(store, &other), OK);
    (void)admit(&other, 1, NOON);
    assert_int_equal(throttle_release(store, &other), OK);
    assert_int_equal(throttle_release(store, &other), OK);
    assert_int_equal(database_ask("SELECT min(failures) FROM throttle"), 0);
}

static void a_count_is_forgotten_some_time_after_the_last_failure_and_its_delay(void **state)
{
    (void)state;
    const struct throttle_count count = count_of(1);
    for (int i = 0; i < 3; i++) {
        (void)admit(&count, 1, NOON);
    }
    int64_t end_s = NOON + 15 + 900;
    assert_int_equal(admit(&count, 1, end_s - 1).delay_s, 30);
    assert_int_equal(admit(&count, 1, end_s + 30 + 900).delay_s, 0);
    assert_int_equal(database_ask("SELECT failures FROM throttle"), 1);
}

static void a_restart_forgets_nothing(void **state)
{
    (void)state;
    const struct throttle_count count = count_of(1);
    for (int i = 0; i < 3; i++) {
        (void)admit(&count, 1, NOON);
    }
    store_close(&store);
    store = database_open(STORE_ROLE_LOGIN);
    assert_int_equal(wait_of(&count, NOON), 15);
}

static void a_clock_that_was_set_back_locks_nobody_out(void **state)
{
    (void)state;
    const struct throttle_count count = count_of(1);
    int64_t future_s = NOON + INT64_C(10) * 365 * 86400;
    for (int i = 0; i < 3; i++) {
        (void)admit(&count, 1, future_s);
    }
    /* A small step back is none. */
    assert_int_equal(wait_of(&count, future_s - CLOCK_SKEW_S), 15 + CLOCK_SKEW_S);
    struct throttle_admission admission = admit(&count, 1, NOON);
    assert_int_equal(admission.wait_s, 0);
    assert_int_equal(admission.delay_s, 30); /* what was counted still counts */
    assert_int_equal(wait_of(&count, NOON), 30);
}

static void counts_and_times_do_not_overflow(void **state)
{
    (void)state;
    struct throttle_count count = count_of(1);
    count.first_s = INT64_MAX / 2;
    count.longest_s = INT64_MAX;
    count.memory_s = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        (void)admit(&count, 1, NOON);
    }
    assert_true(wait_of(&count, NOON) > INT64_MAX / 4);
    database_exec("UPDATE throttle SET failures = 9223372036854775806, until_s = 0");
    struct throttle_admission admission = admit(&count, 1, NOON);
    assert_true(admission.delay_s > INT64_MAX / 2);
}

static void a_damaged_row_lets_nobody_try(void **state)
{
    (void)state;
    struct throttle_admission admission;
    const struct throttle_count count = count_of(1);
    (void)admit(&count, 1, NOON);
    database_exec("PRAGMA ignore_check_constraints = ON; UPDATE throttle SET failures = -1000");
    assert_int_equal(throttle_admit(store, &count, 1, NOON, &admission), ERR_STORE);
    assert_true(admission.wait_s > 0);
    assert_null(admission.began);
}

static void a_store_that_cannot_answer_lets_nobody_try(void **state)
{
    (void)state;
    struct throttle_admission admission;
    const struct throttle_count count = count_of(1);
    database_hide();
    assert_int_equal(throttle_admit(store, &count, 1, NOON, &admission), ERR_STORE);
    assert_true(admission.wait_s > 0);
    assert_int_equal(throttle_clear(store, &count), ERR_STORE);
    assert_int_equal(throttle_release(store, &count), ERR_STORE);
    database_show();
    assert_int_equal(wait_of(&count, NOON), 0);
}

/* A process of its own; its exit status tells how many of its attempts were let through. */
static pid_t start_attempts(int attempts)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    const struct throttle_count count = count_of(1);
    struct throttle_admission admission;
    int let_through = 0;
    struct store *own = NULL;
    if (store_open(scratch_path("latchkey.db"), NULL, STORE_ROLE_LOGIN, &own) != OK) {
        _exit(255);
    }
    for (int i = 0; i < attempts; i++) {
        if (throttle_admit(own, &count, 1, NOON, &admission) != OK) {
            _exit(255);
        }
        let_through += admission.wait_s == 0 ? 1 : 0;
    }
    store_close(&own);
    _exit(let_through);
}

static void of_200_attempts_at_once_no_more_than_the_free_ones_are_let_through(void **state)
{
    (void)state;
    pid_t pids[20];
    int let_through = 0;
    store_disconnect(store);
    for (size_t i = 0; i < 20; i++) {
        pids[i] = start_attempts(10);
        assert_true(pids[i] > 0);
    }
    for (size_t i = 0; i < 20; i++) {
        int status = 0;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), 255);
        let_through += WEXITSTATUS(status);
    }
    assert_int_equal(let_through, 3);
    assert_int_equal(database_ask("SELECT failures FROM throttle"), 3);
}

static void add_rows(int rows, const char *failures)
{
    char script[512];
    (void)snprintf(script, sizeof script,
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT %d)"
                   " INSERT INTO throttle SELECT randomblob(16), 1, '', '', %s, %lld, 0, %lld"
                   " FROM n",
                   rows, failures, (long long)NOON, (long long)NOON + 900);
    database_exec(script);
}

static void made_up_names_push_each_other_out_and_not_who_failed_most(void **state)
{
    (void)state;
    add_rows(NAMES, "1");
    add_rows(100, "4");
    for (int i = 0; i < 2000; i++) {
        const struct throttle_count count = count_of(i);
        (void)admit(&count, 1, NOON + 1);
    }
    /* It is measured about each 64th time. */
    assert_true(database_ask("SELECT count(*) FROM throttle") < THROTTLE_ROWS_MAX + 1000);
    assert_int_equal(database_ask("SELECT count(*) FROM throttle WHERE failures = 4"), 100);
    assert_true(database_ask("SELECT count(*) FROM throttle WHERE failed_s > 1800000000") > 1900);
}

static void a_table_full_of_others_does_not_lose_the_count_of_an_account(void **state)
{
    (void)state;
    struct throttle_count account = count_of(0);
    account.kind = THROTTLE_ACCOUNT;
    (void)admit(&account, 1, NOON);
    add_rows(THROTTLE_ROWS_MAX, "2"); /* each of them failed more than the account */
    for (int i = 1; i <= 2000; i++) {
        const struct throttle_count count = count_of(i);
        (void)admit(&count, 1, NOON + 1);
    }
    /* All others may go, and some did. */
    assert_true(database_ask("SELECT count(*) FROM throttle") < THROTTLE_ROWS_MAX + 1000);
    assert_int_equal(database_ask("SELECT failures FROM throttle WHERE kind = 3"), 1);
    (void)admit(&account, 1, NOON + 1);
    assert_int_equal(admit(&account, 1, NOON + 1).delay_s, account.first_s);
}

static void counts_of_accounts_push_out_nobody(void **state)
{
    (void)state;
    add_rows(THROTTLE_ROWS_MAX, "1");
    database_exec("UPDATE throttle SET kind = 3");
    for (int i = 0; i < 1000; i++) {
        const struct throttle_count count = count_of(i);
        (void)admit(&count, 1, NOON + 1);
    }
    assert_int_equal(database_ask("SELECT count(*) FROM throttle WHERE kind = 1"), 1000);
    assert_int_equal(database_ask("SELECT count(*) FROM throttle WHERE kind = 3"),
                     THROTTLE_ROWS_MAX);
}

static void what_is_forgotten_goes_with_the_attempts_of_others(void **state)
{
    (void)state;
    add_rows(100, "3");
    for (int i = 0; i < 20; i++) {
        const struct throttle_count count = count_of(i);
        (void)admit(&count, 1, NOON + 900);
    }
    assert_int_equal(database_ask("SELECT count(*) FROM throttle"), 20);
}

struct listed {
    size_t count;
    struct throttle_row rows[8];
};

static bool keep(void *context, const struct throttle_row *row)
{
    struct listed *listed = context;
    listed->rows[listed->count++] = *row;
    return listed->count < 8;
}

static void counts_are_listed_and_forgotten_by_account_and_by_network(void **state)
{
    (void)state;
    struct throttle_count counts[] = {count_of(1), count_of(2), count_of(3), count_of(4)};
    struct listed listed = {0};
    int64_t cleared = 0;
    counts[1].kind = THROTTLE_NETWORK;
    counts[1].account = TEXT("");
    counts[2].kind = THROTTLE_ACCOUNT;
    counts[2].network = TEXT("");
    counts[3].account = TEXT("bob");
    counts[3].network = TEXT("2001:db8::/64");
    for (int i = 0; i < 4; i++) {
        (void)admit(&counts[i], 1, NOON + i);
    }
    struct store *admin = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(throttle_list(admin, NOON, keep, &listed), OK);
    assert_int_equal(listed.count, 4);
    assert_string_equal(listed.rows[0].account, "bob");
    assert_string_equal(listed.rows[0].network, "2001:db8::/64");
    assert_int_equal(listed.rows[0].failed_s, NOON + 3);
    assert_int_equal(listed.rows[1].kind, THROTTLE_ACCOUNT);
    listed.count = 0;
    assert_int_equal(throttle_list(admin, NOON + 901, keep, &listed), OK);
    assert_int_equal(listed.count, 2);

    assert_int_equal(throttle_clear_listed(admin, TEXT("ALICE"), TEXT(""), &cleared), OK);
    assert_int_equal(cleared, 2);
    assert_int_equal(throttle_clear_listed(admin, TEXT(""), TEXT("2001:db8::/64"), &cleared), OK);
    assert_int_equal(cleared, 1);
    assert_int_equal(throttle_clear_listed(admin, TEXT(""), TEXT("203.0.113.1/32"), &cleared), OK);
    assert_int_equal(cleared, 0);
    assert_int_equal(throttle_clear_listed(admin, TEXT(""), TEXT(""), &cleared), OK);
    assert_int_equal(cleared, 1);
    assert_int_equal(database_ask("SELECT count(*) FROM throttle"), 0);
    store_close(&admin);
}

static void the_gate_counts_nothing(void **state)
{
    (void)state;
    struct throttle_admission admission;
    const struct throttle_count count = count_of(1);
    struct store *gate = database_open(STORE_ROLE_GATE);
    assert_int_equal(throttle_admit(gate, &count, 1, NOON, &admission), ERR_PERMISSION);
    assert_true(admission.wait_s > 0);
    assert_int_equal(throttle_clear(gate, &count), ERR_PERMISSION);
    store_close(&gate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delays_begin_after_the_free_ones_and_double_up_to_the_longest),
        TEST(whoever_waits_is_refused_without_a_write),
        TEST(one_count_that_waits_keeps_all_others_as_they_are),
        TEST(what_was_right_is_cleared_and_what_was_none_taken_back),
        TEST(a_count_is_forgotten_some_time_after_the_last_failure_and_its_delay),
        TEST(a_restart_forgets_nothing),
        TEST(a_clock_that_was_set_back_locks_nobody_out),
        TEST(counts_and_times_do_not_overflow),
        TEST(a_damaged_row_lets_nobody_try),
        TEST(a_store_that_cannot_answer_lets_nobody_try),
        TEST(of_200_attempts_at_once_no_more_than_the_free_ones_are_let_through),
        TEST(made_up_names_push_each_other_out_and_not_who_failed_most),
        TEST(a_table_full_of_others_does_not_lose_the_count_of_an_account),
        TEST(counts_of_accounts_push_out_nobody),
        TEST(what_is_forgotten_goes_with_the_attempts_of_others),
        TEST(counts_are_listed_and_forgotten_by_account_and_by_network),
        TEST(the_gate_counts_nothing),
    };
    log_open("test_throttle", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
