/* Uses of sessions: written together, seldom, and never at somebody else's cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "pause.h"
#include "session/uses.h"

static struct store *store;
static struct store *gate;
static struct user alice;
static struct session_row first;
static struct session_row second;
static struct uses uses;

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    gate = database_open(STORE_ROLE_GATE);
    alice = database_add_user(store, "alice");
    first = database_add_session(store, &alice, 'a');
    second = database_add_session(store, &alice, 'b');
    uses = (struct uses){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    store_close(&gate);
    return 0;
}

static int64_t seen(const struct session_row *row)
{
    struct session_row found = {0};
    assert_int_equal(sessions_find(store, row->key, &found), OK);
    return found.seen_s;
}

static void nothing_that_waits_is_nothing_to_do(void **state)
{
    (void)state;
    database_hide();
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(uses_write(&uses, gate, USES_NOW), -1);
    database_show();
}

static void what_waits_is_written_together_and_once(void **state)
{
    (void)state;
    assert_true(uses_add(&uses, first.key, NOON + 10, false));
    assert_true(uses_add(&uses, second.key, NOON + 20, false));
    assert_true(uses_add(&uses, first.key, NOON + 5, false)); /* an answer that took longer */
    assert_int_equal(seen(&first), NOON);
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(uses.count, 0);
    assert_int_equal(seen(&first), NOON + 10);
    assert_int_equal(seen(&second), NOON + 20);
    database_exec("UPDATE session SET seen_s = 1800000000");
    assert_int_equal(uses_write(&uses, gate, USES_NOW), -1);
    assert_int_equal(seen(&first), NOON);
}

static void the_next_batch_waits_for_its_time_unless_the_program_leaves(void **state)
{
    (void)state;
    assert_true(uses_add(&uses, first.key, NOON + 10, false));
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_true(uses_add(&uses, first.key, NOON + 20, false));
    int wait_ms = uses_write(&uses, gate, USES_WHEN_DUE);
    assert_true(wait_ms > 0 && wait_ms <= USES_PAUSE_MS);
    assert_int_equal(seen(&first), NOON + 10);
    assert_int_equal(uses_write(&uses, gate, USES_NOW), -1);
    assert_int_equal(seen(&first), NOON + 20);
    assert_true(uses_add(&uses, first.key, NOON + 30, false));
    wait_ms = uses_write(&uses, gate, USES_WHEN_DUE);
    pause_ms(USES_PAUSE_MS + 1);
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(seen(&first), NOON + 30);
}

static void who_writes_meanwhile_is_not_waited_for(void **state)
{
    (void)state;
    assert_true(uses_add(&uses, first.key, NOON + 10, false));
    assert_int_equal(store_begin(store), OK);
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), USES_RETRY_MS);
    assert_true(uses_write(&uses, gate, USES_WHEN_DUE) > 0);
    assert_int_equal(uses_write(&uses, gate, USES_NOW), USES_RETRY_MS);
    assert_true(clock_monotonic_ms() - before_ms < 1000);
    assert_int_equal(uses.count, 1);
    store_rollback(store);
    assert_int_equal(uses_write(&uses, gate, USES_NOW), -1);
    assert_int_equal(seen(&first), NOON + 10);
}

static void who_leaves_waits_for_another_for_a_moment_only(void **state)
{
    (void)state;
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t writer = fork();
    if (writer == 0) {
        struct store *own = database_open(STORE_ROLE_ADMIN);
        bool begun = store_begin(own) == OK && write(ready[1], "b", 1) == 1;
        pause_ms(40);
        store_close(&own);
        _exit(begun ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(uses_add(&uses, first.key, NOON + 10, false));
    assert_int_equal(uses_write(&uses, gate, USES_AT_LAST), -1);
    assert_int_equal(seen(&first), NOON + 10);
    assert_int_equal(waitpid(writer, NULL, 0), writer);

    assert_true(uses_add(&uses, first.key, NOON + 20, false));
    assert_int_equal(store_begin(store), OK);
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(uses_write(&uses, gate, USES_AT_LAST), -1);
    assert_in_range(clock_monotonic_ms() - before_ms, 90, 1000);
    assert_int_equal(uses.count, 0);
    store_rollback(store);
    assert_int_equal(seen(&first), NOON + 10);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void a_failing_store_is_given_up_on(void **state)
{
    (void)state;
    assert_true(uses_add(&uses, first.key, NOON + 10, false));
    store_disconnect(store);
    database_hide();
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(uses.count, 0);
    database_show();
    assert_int_equal(seen(&first), NOON);
}

static void what_is_over_the_room_is_refused_and_the_rest_is_kept(void **state)
{
    (void)state;
    for (int i = 0; i < USES_MAX; i++) {
        bool is_late = i >= USES_ORDINARY;
        assert_true(uses_add(&uses, i == 0 ? first.key : second.key, NOON + i, is_late));
    }
    assert_false(uses_add(&uses, first.key, NOON + 5000, true));
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(seen(&first), NOON);
    assert_int_equal(seen(&second), NOON + USES_MAX - 1);
    assert_true(uses_add(&uses, first.key, NOON + 5000, false));
}

static void who_is_late_finds_a_place_when_others_do_not(void **state)
{
    (void)state;
    for (int i = 0; i < USES_ORDINARY; i++) {
        assert_true(uses_add(&uses, second.key, NOON + i, false));
    }
    assert_false(uses_add(&uses, first.key, NOON + 500, false));
    assert_true(uses_add(&uses, first.key, NOON + 500, true));
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(seen(&first), NOON + 500);
}

static void a_session_that_ended_meanwhile_does_not_come_back(void **state)
{
    (void)state;
    assert_true(uses_add(&uses, first.key, NOON + 10, false));
    assert_true(uses_add(&uses, second.key, NOON + 10, false));
    assert_int_equal(sessions_end(store, first.key, NOON + 1000), OK);
    assert_int_equal(uses_write(&uses, gate, USES_WHEN_DUE), -1);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 1);
    assert_int_equal(seen(&second), NOON + 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_that_waits_is_nothing_to_do),
        TEST(what_waits_is_written_together_and_once),
        TEST(the_next_batch_waits_for_its_time_unless_the_program_leaves),
        TEST(who_writes_meanwhile_is_not_waited_for),
        TEST(who_leaves_waits_for_another_for_a_moment_only),
        TEST(a_failing_store_is_given_up_on),
        TEST(what_is_over_the_room_is_refused_and_the_rest_is_kept),
        TEST(who_is_late_finds_a_place_when_others_do_not),
        TEST(a_session_that_ended_meanwhile_does_not_come_back),
    };
    log_open("test_uses", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
