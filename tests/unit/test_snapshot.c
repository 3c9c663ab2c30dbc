/* Reads that go on in the state of the database that an earlier request saw. */
#include "store/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/log.h"
#include "database.h"
#include "pause.h"
#include "scratch.h"

#define TRIES 200 /* until nothing comes between two steps that must follow one another at once */

static struct store *admin, *gate;
static struct user alice;
static struct session_row known;

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    admin = database_open(STORE_ROLE_ADMIN);
    gate = database_open(STORE_ROLE_GATE);
    alice = database_add_user(admin, "alice");
    known = database_add_session(admin, &alice, 'k');
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&gate);
    store_close(&admin);
    return 0;
}

/* Reads the session's last use as a request of the number `changes` does; 0 when it is not there.
 */
static int64_t read_seen(const struct session_row *row, uint64_t changes, bool reuses)
{
    struct session_row found;
    store_watch(gate, changes);
    if (reuses) {
        store_reuse(gate);
    }
    enum status status = sessions_find(gate, row->key, &found);
    assert_true(status == OK || status == ERR_NOT_FOUND);
    return status == OK ? found.seen_s : 0;
}

/* Has `gate` go on reading in a state in which the use at the given time is not there yet; other
 * programs have noted it. */
static void keep_state_before(int64_t seen_s)
{
    for (int i = 0; i < TRIES; i++) {
        (void)read_seen(&known, 0, false);
        int64_t before_s = read_seen(&known, 1, true);
        assert_int_equal(database_touch(admin, &known, seen_s + i), OK);
        if (read_seen(&known, 1, true) == before_s) {
            return;
        }
        pause_ms(3);
    }
    fail_msg("no state is kept");
}

/* Whether something keeps the log from being emptied. */
static bool is_log_held(void)
{
    struct db *db = NULL;
    struct db_statement *statement = NULL;
    bool row = false;
    assert_int_equal(database_connect(scratch_path("latchkey.db"), DB_EXISTING, &db), OK);
    assert_int_equal(db_exec(db, "PRAGMA busy_timeout = 0"), OK);
    assert_int_equal(db_prepare(db, "PRAGMA wal_checkpoint(TRUNCATE)", &statement), OK);
    assert_int_equal(db_step(statement, &row), OK);
    bool is_busy = db_column_int64(statement, 0) != 0;
    db_statement_free(&statement);
    db_close(&db);
    return is_busy;
}

static void requests_of_one_number_see_one_state(void **state)
{
    (void)state;
    keep_state_before(NOON + 10);
    assert_true(read_seen(&known, 2, true) >= NOON + 10);
}

static void who_may_not_or_does_not_watch_sees_what_is_there(void **state)
{
    (void)state;
    keep_state_before(NOON + 10);
    assert_true(read_seen(&known, 1, false) >= NOON + 10);
    keep_state_before(NOON + 500);
    assert_true(read_seen(&known, 0, true) >= NOON + 500);
}

static void what_was_read_can_be_asked_for_anew(void **state)
{
    (void)state;
    keep_state_before(NOON + 10);
    assert_true(store_renew(gate));
    assert_false(store_renew(gate));
    struct session_row found;
    assert_int_equal(sessions_find(gate, known.key, &found), OK);
    assert_true(found.seen_s >= NOON + 10);
    assert_false(store_renew(gate));
}

static void what_came_meanwhile_is_found(void **state)
{
    (void)state;
    keep_state_before(NOON + 10);
    struct session_row late = database_add_session(admin, &alice, 'l');
    assert_int_equal(read_seen(&late, 1, true), NOON);
    keep_state_before(NOON + 500);
    struct user bob = database_add_user(admin, "bob");
    struct user found;
    store_watch(gate, 1);
    store_reuse(gate);
    assert_int_equal(users_find_by_id(gate, bob.id, &found), OK);
    struct session_row missing = {.key = "nobody's"};
    assert_int_equal(read_seen(&missing, 1, true), 0);
}

static void a_state_is_kept_for_a_moment_only(void **state)
{
    (void)state;
    keep_state_before(NOON + 10);
    pause_ms(40);
    assert_true(read_seen(&known, 1, true) >= NOON + 10);
}

static void who_rests_is_in_nobodys_way(void **state)
{
    bool was_held = false;
    (void)state;
    for (int i = 0; i < TRIES && !was_held; i++) {
        keep_state_before(NOON + 10);
        was_held = is_log_held();
    }
    assert_true(was_held);
    int wait_ms = store_rest(gate);
    assert_in_range(wait_ms + 1, 0, 32);
    pause_ms(wait_ms > 0 ? wait_ms : 0);
    assert_int_equal(store_rest(gate), -1);
    assert_false(is_log_held());
    keep_state_before(NOON + 500);
    store_disconnect(gate);
    assert_false(is_log_held());
}

static void who_writes_writes_to_what_is_there(void **state)
{
    (void)state;
    keep_state_before(NOON + 10);
    assert_int_equal(database_touch(gate, &known, NOON + 5), OK);
    assert_true(read_seen(&known, 0, false) >= NOON + 10);
    keep_state_before(NOON + 500);
    assert_int_equal(store_try_begin(gate), OK);
    store_rollback(gate);
}

static void a_database_that_was_moved_away_is_missed_at_the_next_number(void **state)
{
    struct session_row found;
    (void)state;
    log_open("test_snapshot", LOG_LEVEL_ERROR);
    keep_state_before(NOON + 10);
    database_hide();
    store_watch(gate, 2);
    store_reuse(gate);
    assert_int_equal(sessions_find(gate, known.key, &found), ERR_STORE);
    assert_int_equal(sessions_find(gate, known.key, &found), ERR_STORE);
    database_show();
    assert_true(read_seen(&known, 2, true) >= NOON + 10);
}

/* Nothing can be had from memory: not even what it takes to end a transaction. */
static void what_cannot_be_ended_is_not_read_on_in(void **state)
{
    struct session_row found;
    (void)state;
    keep_state_before(NOON + 10);
    (void)sqlite3_hard_heap_limit64(1);
    store_watch(gate, 2);
    enum status status = sessions_find(gate, known.key, &found);
    (void)sqlite3_hard_heap_limit64(0);
    assert_true(status == ERR_STORE || (status == OK && found.seen_s >= NOON + 10));
    assert_true(read_seen(&known, 2, true) >= NOON + 10);
    /* Asked first, for what is kept may be over while one looks at the log. */
    bool keeps = store_rest(gate) >= 0;
    assert_true(keeps || !is_log_held());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_of_one_number_see_one_state),
        TEST(who_may_not_or_does_not_watch_sees_what_is_there),
        TEST(what_was_read_can_be_asked_for_anew),
        TEST(what_came_meanwhile_is_found),
        TEST(a_state_is_kept_for_a_moment_only),
        TEST(who_rests_is_in_nobodys_way),
        TEST(who_writes_writes_to_what_is_there),
        TEST(a_database_that_was_moved_away_is_missed_at_the_next_number),
        TEST(what_cannot_be_ended_is_not_read_on_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
