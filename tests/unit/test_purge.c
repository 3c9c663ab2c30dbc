/* Removing rows of sessions that may be very many. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "database.h"
#include "native.h"
#include "store/purge.h"

#define MANY 3000

static struct store *store;
static struct user alice;
static struct user bob;

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    alice = database_add_user(store, "alice");
    bob = database_add_user(store, "bob");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

static int64_t count(void)
{
    return database_ask("SELECT count(*) FROM session");
}

static void add(const struct user *user, int how_many, int64_t idle_s)
{
    struct session_row row = {.user_id = user->id,
                              .created_s = NOON,
                              .seen_s = NOON,
                              .idle_s = idle_s,
                              .expires_s = NOON + 100000};
    memcpy(row.salt, user->salt, sizeof row.salt);
    assert_int_equal(store_begin(store), OK);
    for (int i = 0; i < how_many; i++) {
        assert_int_equal(random_fill(row.key, sizeof row.key), OK);
        assert_int_equal(sessions_add(store, &row), OK);
    }
    assert_int_equal(store_commit(store), OK);
}

static void all_that_is_over_goes_and_nothing_else(void **state)
{
    (void)state;
    static const int numbers[] = {0, 1, PURGE_STEP - 1, PURGE_STEP, PURGE_STEP + 1, MANY};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t removed = -1;
        int64_t before = count();
        add(&alice, numbers[i], 10);
        add(&alice, numbers[i] / 2, 1000);
        assert_int_equal(purge_dead(store, NOON + 10, &removed), OK);
        assert_int_equal(removed, numbers[i]);
        assert_int_equal(count(), before + numbers[i] / 2);
    }
}

static void what_is_bound_to_an_earlier_salt_counts_for_nothing(void **state)
{
    (void)state;
    int64_t removed = -1;
    add(&alice, 100, 1000);
    add(&bob, 100, 1000);
    database_exec("UPDATE user SET salt = randomblob(32) WHERE name = 'alice'");
    assert_int_equal(purge_dead(store, NOON, &removed), OK);
    assert_int_equal(removed, 100);
    assert_int_equal(database_ask("SELECT count(DISTINCT user_id) FROM session"), 1);
}

static void a_user_of_many_sessions_loses_all_of_them_and_others_none(void **state)
{
    (void)state;
    int64_t ended = -1;
    add(&alice, MANY, 1000);
    add(&bob, 100, 1000);
    assert_int_equal(purge_user(store, alice.id, &ended), OK); /* not bound otherwise */
    assert_int_equal(ended, 0);
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_int_equal(ended, MANY);
    assert_int_equal(count(), 100);
    assert_int_equal(users_find_by_id(store, alice.id, &alice), OK);
    add(&alice, MANY, 1000);
    assert_int_equal(users_set_password(store, alice.id, "$x$", NOON), OK);
    assert_int_equal(count(), 100);
    assert_int_equal(users_find_by_id(store, alice.id, &alice), OK);
    add(&alice, MANY, 1000);
    assert_int_equal(users_remove(store, alice.id), OK);
    assert_int_equal(count(), 100);
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    assert_int_equal(ended, 100);
}

/* Another program that removes what is over, as long as it is let. */
static pid_t start_purge(void)
{
    store_disconnect(store);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int64_t removed = 0;
        struct store *own = database_open(STORE_ROLE_ADMIN);
        enum status status = purge_dead(own, NOON + 10, &removed);
        store_close(&own);
        _exit(status == OK ? 0 : 1);
    }
    return child;
}

static void sign_ins_go_on_meanwhile(void **state)
{
    (void)state;
    int between = 0;
    int status = -1;
    int64_t longest_ms = 0;
    skip_unless_native("speed");
    add(&alice, 10 * MANY, 10);
    pid_t child = start_purge();
    while (waitpid(child, &status, WNOHANG) == 0) {
        int64_t rows = count();
        int64_t begun_ms = clock_monotonic_ms();
        add(&bob, 1, 1000);
        int64_t took_ms = clock_monotonic_ms() - begun_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
        between += rows > 100 && rows < 10 * MANY ? 1 : 0;
    }
    assert_int_equal(status, 0);
    assert_true(between > 10);
    assert_true(longest_ms < 1000); /* of 5000 until it would have failed */
    assert_int_equal(database_ask("SELECT count(*) FROM session WHERE idle_s = 10"), 0);
    assert_true(count() > 10);
}

static void who_is_killed_has_removed_a_part(void **state)
{
    (void)state;
    int status = 0;
    int64_t removed = 0;
    add(&alice, 10 * MANY, 10);
    add(&bob, 100, 1000);
    pid_t child = start_purge();
    while (count() > 9 * MANY) {
        assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(store_verify(store), OK);
    assert_true(count() > 100);
    assert_int_equal(purge_dead(store, NOON + 10, &removed), OK);
    assert_true(removed > 0 && removed <= 9 * MANY);
    assert_int_equal(count(), 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_is_over_goes_and_nothing_else),
        TEST(what_is_bound_to_an_earlier_salt_counts_for_nothing),
        TEST(a_user_of_many_sessions_loses_all_of_them_and_others_none),
        TEST(sign_ins_go_on_meanwhile),
        TEST(who_is_killed_has_removed_a_part),
    };
    log_open("test_purge", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
