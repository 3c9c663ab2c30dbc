/* Revocations: rows and generation together, whoever dies and whatever is in the way. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
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
#include "database.h"
#include "scratch.h"
#include "store/revocations.h"

#define UNTIL (NOON + 1000) /* when sessions of database_add_session are over at the latest */

static struct store *store;
static struct store *gate;
static struct user alice;

static int set_up(void **state)
{
    (void)state;
    (void)unlink(scratch_path("generation"));
    (void)rmdir(scratch_path("generation"));
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    gate = database_open(STORE_ROLE_GATE);
    alice = database_add_user(store, "alice");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    store_close(&gate);
    return 0;
}

static bool is_doubted(void)
{
    struct generation_mark mark;
    return revocations_mark(gate, &mark) == ERR_NOT_FOUND;
}

static uint64_t marked(void)
{
    struct generation_mark mark = {0};
    assert_int_equal(revocations_mark(gate, &mark), OK);
    return mark.sequence;
}

static bool is_revoked(const struct session_row *row)
{
    bool revoked = false;
    assert_int_equal(revocations_has(gate, row->key, row->expires_s, &revoked), OK);
    return revoked;
}

struct list {
    size_t count;
    struct revocation rows[8];
};

static bool collect(void *context, const struct revocation *revocation)
{
    struct list *list = context;
    assert_true(list->count < 8);
    list->rows[list->count++] = *revocation;
    return true;
}

static struct revocation_state read_from(uint64_t known, struct list *list)
{
    struct revocation_state state = {0};
    *list = (struct list){0};
    assert_int_equal(revocations_read(gate, known, &state, collect, list), OK);
    return state;
}

static void what_ends_is_numbered_announced_and_read_in_order(void **state)
{
    (void)state;
    struct list list;
    int64_t ended = 0;
    struct session_row first = database_add_session(store, &alice, 'a');
    struct session_row second = database_add_session(store, &alice, 'b');
    assert_int_equal(read_from(0, &list).sequence, 0);
    assert_int_equal(list.count, 0);
    assert_true(is_doubted()); /* nobody made the file yet */
    assert_int_equal(sessions_end(store, first.key, UNTIL), OK);
    assert_int_equal(marked(), 1);
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_int_equal(ended, 1);
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    assert_int_equal(marked(), 3);
    assert_int_equal(read_from(0, &list).sequence, 3);
    assert_int_equal(list.count, 3);
    assert_true(list.rows[0].of_session);
    assert_memory_equal(list.rows[0].key, first.key, sizeof first.key);
    assert_true(!list.rows[1].of_session && list.rows[1].user_id == alice.id);
    assert_true(!list.rows[2].of_session && list.rows[2].user_id == 0);
    assert_int_equal(read_from(2, &list).sequence, 3);
    assert_int_equal(list.count, 1);
    assert_int_equal(read_from(3, &list).sequence, 3);
    assert_int_equal(read_from(UINT64_MAX >> 1, &list).sequence, 3);
    assert_int_equal(list.count, 0);
    assert_true(is_revoked(&first));
    assert_false(is_revoked(&second)); /* by its salt, not by its key */
}

static bool refuse(void *context, const struct revocation *revocation)
{
    (void)revocation;
    return ++*(int *)context < 2;
}

static void a_reading_that_is_broken_off_says_nothing(void **state)
{
    (void)state;
    struct revocation_state read = {.sequence = 77};
    int calls = 0;
    int64_t ended;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    }
    assert_int_equal(revocations_read(gate, 0, &read, refuse, &calls), ERR_MEMORY);
    assert_int_equal(calls, 2);
    assert_int_equal(read.sequence, 77);
}

static void it_is_doubted_from_beginning_to_end(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(revocations_begin(store), OK);
    assert_true(is_doubted());
    assert_int_equal(revocations_add_session(store, row.key, UNTIL), OK);
    assert_true(is_doubted());
    assert_false(is_revoked(&row));
    assert_int_equal(revocations_end(store, OK), OK);
    assert_int_equal(marked(), 1);
    assert_true(is_revoked(&row));
}

static void what_is_rolled_back_is_not_announced_as_done(void **state)
{
    (void)state;
    struct list list;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(revocations_begin(store), OK);
    assert_int_equal(revocations_add_session(store, row.key, UNTIL), OK);
    assert_int_equal(revocations_end(store, ERR_CRYPTO), ERR_CRYPTO);
    assert_int_equal(marked(), 0);
    assert_int_equal(read_from(0, &list).sequence, 0);
    assert_false(is_revoked(&row));
    assert_int_equal(users_remove(store, 4711), ERR_NOT_FOUND);
    assert_int_equal(marked(), 0);
}

static void nothing_is_revoked_within_a_transaction(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    int64_t ended = 0;
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    struct generation_mark before = {0};
    struct generation_mark after = {0};
    assert_int_equal(revocations_mark(gate, &before), OK);
    assert_int_equal(store_begin(store), OK);
    assert_int_equal(sessions_remove(store, row.key), OK);
    assert_int_equal(sessions_end(store, row.key, UNTIL), ERR_STORE);
    assert_int_equal(revocations_mark(gate, &after), OK);
    assert_true(generation_is_same(&before, &after));
    assert_int_equal(store_commit(store), ERR_STORE); /* it was given up */
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
}

enum step { BEGUN, ADDED, COMMITTED, ENDED };

/* A program that goes so far with a revocation, says so, and waits to be killed. */
static pid_t start_revoker(const struct session_row *row, enum step last, int ready)
{
    pid_t child = fork();
    if (child == 0) {
        struct store *own = database_open(STORE_ROLE_LOGOUT);
        if (revocations_begin(own) != OK ||
            (last >= ADDED && (sessions_remove(own, row->key) != OK ||
                               revocations_add_session(own, row->key, UNTIL) != OK)) ||
            (last == COMMITTED && store_commit(own) != OK) ||
            (last == ENDED && revocations_end(own, OK) != OK)) {
            _Exit(1);
        }
        (void)!write(ready, "", 1);
        for (;;) {
            (void)pause();
        }
    }
    return child;
}

static void wait_for(int ready)
{
    char byte;
    assert_int_equal(read(ready, &byte, 1), 1);
}

static void end_child(pid_t child)
{
    int how = 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
}

static void a_writer_that_is_killed_leaves_doubt_until_it_is_mended(void **state)
{
    (void)state;
    static const struct {
        enum step last;
        bool revoked;
    } cases[] = {{BEGUN, false}, {ADDED, false}, {COMMITTED, true}, {ENDED, true}};
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_row row = database_add_session(store, &alice, (char)('a' + i));
        store_disconnect(store); /* nothing of it may cross fork */
        store_disconnect(gate);
        pid_t child = start_revoker(&row, cases[i].last, ready[1]);
        wait_for(ready[0]);
        revocations_mend(gate); /* the writer lives and has the lock: nothing to mend */
        assert_int_equal(is_doubted(), cases[i].last != ENDED);
        end_child(child);
        assert_int_equal(is_doubted(), cases[i].last != ENDED);
        revocations_mend(gate);
        assert_int_equal(marked(), database_ask("SELECT sequence FROM generation"));
        assert_int_equal(is_revoked(&row), cases[i].revoked);
        struct session_row found;
        assert_int_equal(sessions_find(gate, row.key, &found),
                         cases[i].revoked ? ERR_NOT_FOUND : OK);
        assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
        assert_int_equal(marked(), database_ask("SELECT sequence FROM generation"));
    }
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void mending_brings_any_file_in_line_with_the_database(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    static const char *const contents[] = {"", "noise", "LKgen1\n"};
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        (void)scratch_write("generation", contents[i]);
        assert_true(is_doubted());
        revocations_mend(gate);
        assert_int_equal(marked(), 1);
    }
    assert_int_equal(unlink(scratch_path("generation")), 0);
    assert_true(is_doubted());
    revocations_mend(gate);
    assert_int_equal(marked(), 1);
    database_exec("UPDATE generation SET sequence = 17"); /* as if it were another database */
    assert_int_equal(marked(), 1);
    revocations_mend(gate);
    assert_int_equal(marked(), 17);
    struct generation_mark before = {0};
    struct generation_mark after = {0};
    assert_int_equal(revocations_mark(gate, &before), OK);
    revocations_mend(gate); /* nothing to mend, nothing written */
    assert_int_equal(revocations_mark(gate, &after), OK);
    assert_true(generation_is_same(&before, &after));
}

static void without_the_database_nothing_is_revoked_or_mended(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    bool revoked = false;
    int64_t ended = 0;
    (void)scratch_write("generation", "noise");
    database_hide();
    assert_int_equal(sessions_end(store, row.key, UNTIL), ERR_STORE);
    assert_int_equal(sessions_remove_all(store, &ended), ERR_STORE);
    revocations_mend(gate);
    assert_true(is_doubted());
    assert_int_equal(revocations_has(gate, row.key, row.expires_s, &revoked), ERR_STORE);
    assert_true(revoked);
    database_show();
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_int_equal(marked(), 1);
}

static void what_cannot_be_announced_is_not_revoked(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(mkdir(scratch_path("generation"), 0700), 0);
    assert_int_equal(sessions_end(store, row.key, UNTIL), ERR_SYSTEM);
    assert_int_equal(users_set_locked(store, alice.id, true), ERR_SYSTEM);
    assert_false(is_revoked(&row));
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 1);
    assert_int_equal(database_ask("SELECT count(*) FROM user WHERE locked = 1"), 0);
    assert_int_equal(rmdir(scratch_path("generation")), 0);
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_int_equal(marked(), 1);
}

static void a_busy_database_leaves_no_doubt_behind(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    struct store *other = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_begin(other), OK);
    assert_int_equal(sessions_end(store, row.key, UNTIL), ERR_STORE); /* after DB_WAIT_MS */
    assert_int_equal(marked(), 0);
    store_close(&other);
    assert_false(is_revoked(&row));
}

static void a_revoked_session_never_comes_back(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(sessions_add(store, &row), ERR_EXISTS);
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_int_equal(sessions_add(store, &row), ERR_NOT_FOUND);
    assert_int_equal(database_touch(gate, &row, NOON + 1), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK); /* a copy of the token */
    assert_int_equal(database_ask("SELECT count(*) FROM revocation"), 1);
    assert_int_equal(marked(), 1); /* so that nobody has anything new to read */
    struct session_row other = row;
    other.key[31] ^= 1;
    assert_false(is_revoked(&other));
    assert_int_equal(sessions_add(store, &other), OK);
}

static void rows_stay_until_what_they_ended_is_over_and_a_minute_more(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, UNTIL + 59), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM revocation"), 2);
    assert_int_equal(database_ask("SELECT forgotten_s FROM generation"), 0);
    assert_int_equal(revocations_purge(store, UNTIL + 60), OK);
    assert_int_equal(database_ask("SELECT sequence FROM revocation"), 2);
    assert_int_equal(database_ask("SELECT count(*) FROM revocation"), 1);
    assert_int_equal(database_ask("SELECT forgotten_s FROM generation"), UNTIL);
    assert_int_equal(database_ask("SELECT sequence FROM generation"), 2);
}

static void the_last_row_stays_for_those_who_know_its_number(void **state)
{
    (void)state;
    struct list list;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_int_equal(revocations_purge(store, UNTIL + 60), OK);
    assert_int_equal(read_from(0, &list).forgotten_s, 0);
    assert_int_equal(list.count, 1);
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, UNTIL + 60), OK);
    assert_int_equal(read_from(0, &list).forgotten_s, UNTIL);
    assert_int_equal(list.count, 1);
}

static void a_row_that_is_kept_for_good_outlives_any_clock(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(revocations_keep_session(store, row.key), ERR_NOT_FOUND);
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_int_equal(revocations_keep_session(store, row.key), OK);
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, INT64_MAX - 1), OK);
    row.expires_s = REVOKED_BY_KEY;
    assert_true(is_revoked(&row));
}

static void a_clock_that_went_ahead_and_back_brings_nothing_to_life(void **state)
{
    (void)state;
    struct list list;
    struct session_row row = database_add_session(store, &alice, 'a');
    struct session_row longer = database_add_session(store, &alice, 'b');
    longer.expires_s = UNTIL + 1;
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, NOON + 1000000), OK);
    assert_true(is_revoked(&row));
    assert_int_equal(read_from(0, &list).forgotten_s, UNTIL);
    assert_int_equal(list.count, 1);
    assert_false(is_revoked(&longer));
    longer.expires_s = UNTIL; /* cannot be told from one that was revoked */
    assert_true(is_revoked(&longer));
    assert_int_equal(revocations_purge(store, NOON), OK);
    assert_int_equal(read_from(0, &list).forgotten_s, UNTIL); /* never goes back */
}

static void rows_of_users_that_go_are_told_as_forgotten(void **state)
{
    (void)state;
    struct list list;
    int64_t ended = 0;
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    database_exec("UPDATE revocation SET until_s = 1800000500 WHERE sequence = 1;"
                  "UPDATE revocation SET until_s = 1800000600 WHERE sequence = 2");
    assert_int_equal(revocations_purge(store, NOON + 560), OK);
    assert_int_equal(read_from(0, &list).forgotten, 1);
    assert_int_equal(list.count, 2);
    assert_int_equal(revocations_purge(store, NOON + 660), OK);
    struct revocation_state read = read_from(0, &list);
    assert_int_equal(read.forgotten, 2);
    assert_int_equal(read.forgotten_s, 0);
    assert_int_equal(read.sequence, 3);
    assert_int_equal(list.count, 1);
}

static void unlocking_is_announced_to_those_who_remember_the_lock(void **state)
{
    (void)state;
    struct list list;
    assert_int_equal(users_set_locked(store, alice.id, true), OK);
    struct revocation_state locked = read_from(0, &list);
    assert_int_equal(users_set_locked(store, alice.id, false), OK);
    (void)read_from(locked.sequence, &list);
    assert_int_equal(list.count, 1);
    assert_true(!list.rows[0].of_session && list.rows[0].user_id == alice.id);
}

static void a_database_without_its_counter_says_so_and_never_that_it_is_done(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    struct revocation_state read;
    struct list list = {0};
    bool revoked = false;
    int64_t ended = 0;
    database_exec("DELETE FROM generation");
    assert_int_equal(sessions_end(store, row.key, UNTIL), ERR_STORE);
    assert_int_equal(users_renew_salt(store, alice.id, &ended), ERR_STORE);
    assert_int_equal(users_set_locked(store, alice.id, true), ERR_STORE);
    assert_int_equal(sessions_remove_all(store, &ended), ERR_STORE);
    assert_int_equal(revocations_read(gate, 0, &read, collect, &list), ERR_STORE);
    assert_int_equal(revocations_has(gate, row.key, row.expires_s, &revoked), ERR_STORE);
    assert_true(revoked);
    assert_true(is_doubted());
    revocations_mend(gate);
    assert_true(is_doubted());
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 1);
}

static void who_may_not_revoke_cannot(void **state)
{
    (void)state;
    static const struct {
        enum store_role role;
        enum status session, purge;
    } cases[] = {
        {STORE_ROLE_GATE, ERR_PERMISSION, ERR_PERMISSION},
        {STORE_ROLE_ACCOUNT, OK, OK},
        {STORE_ROLE_APP, ERR_PERMISSION, ERR_PERMISSION},
        {STORE_ROLE_LOGOUT, OK, ERR_PERMISSION},
        {STORE_ROLE_LOGIN, OK, OK},
        {STORE_ROLE_ADMIN, OK, OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_row row = database_add_session(store, &alice, (char)('a' + i));
        struct store *own = database_open(cases[i].role);
        assert_int_equal(sessions_end(own, row.key, UNTIL), cases[i].session);
        assert_int_equal(is_revoked(&row), cases[i].session == OK);
        assert_false(is_doubted());
        assert_int_equal(revocations_purge(own, NOON), cases[i].purge);
        store_close(&own);
    }
}

static void two_installations_do_not_tell_each_other(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    struct store *other = NULL;
    int from;
    int to;
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_int_equal(store_open(scratch_path("other.db"), scratch_path("other-generation"),
                                STORE_ROLE_ADMIN, &other),
                     OK);
    assert_int_equal(store_migrate(other, &from, &to), OK);
    struct user bob = database_add_user(other, "bob");
    int64_t ended = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(users_renew_salt(other, bob.id, &ended), OK);
    }
    struct generation_mark mark = {0};
    assert_int_equal(revocations_mark(other, &mark), OK);
    assert_int_equal(mark.sequence, 5);
    assert_int_equal(marked(), 1);
    store_close(&other);
}

#define WRITERS 3
#define ROUNDS  12

/* Ends sessions of its own and answers by a byte after each. */
static void revoke_many(char mark, int answers)
{
    struct store *own = database_open(STORE_ROLE_LOGOUT);
    uint8_t key[SESSION_KEY_BYTES];
    for (int i = 0; i < ROUNDS; i++) {
        memset(key, mark, sizeof key);
        key[0] = (uint8_t)i;
        if (sessions_end(own, key, UNTIL) != OK || write(answers, "", 1) != 1) {
            _Exit(1);
        }
    }
    _Exit(0);
}

static void what_was_answered_is_never_missing_from_a_clean_reading(void **state)
{
    (void)state;
    int answers[2];
    pid_t children[WRITERS];
    assert_int_equal(pipe(answers), 0);
    store_disconnect(store);
    store_disconnect(gate);
    for (size_t i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            revoke_many((char)('a' + i), answers[1]);
        }
    }
    (void)close(answers[1]);
    for (uint64_t answered = 1; answered <= WRITERS * ROUNDS; answered++) {
        struct generation_mark mark = {0};
        wait_for(answers[0]);
        if (revocations_mark(gate, &mark) == OK) {
            assert_true(mark.sequence >= answered);
            assert_true((int64_t)mark.sequence <= database_ask("SELECT sequence FROM generation"));
        } else {
            revocations_mend(gate); /* the writers are at it, and are not disturbed */
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int how = 0;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    revocations_mend(gate);
    assert_int_equal(marked(), WRITERS * ROUNDS);
    assert_int_equal(database_ask("SELECT count(*) FROM revocation"), WRITERS * ROUNDS);
    (void)close(answers[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_ends_is_numbered_announced_and_read_in_order),
        TEST(a_reading_that_is_broken_off_says_nothing),
        TEST(it_is_doubted_from_beginning_to_end),
        TEST(what_is_rolled_back_is_not_announced_as_done),
        TEST(nothing_is_revoked_within_a_transaction),
        TEST(a_writer_that_is_killed_leaves_doubt_until_it_is_mended),
        TEST(mending_brings_any_file_in_line_with_the_database),
        TEST(without_the_database_nothing_is_revoked_or_mended),
        TEST(what_cannot_be_announced_is_not_revoked),
        TEST(a_busy_database_leaves_no_doubt_behind),
        TEST(a_revoked_session_never_comes_back),
        TEST(rows_stay_until_what_they_ended_is_over_and_a_minute_more),
        TEST(the_last_row_stays_for_those_who_know_its_number),
        TEST(a_row_that_is_kept_for_good_outlives_any_clock),
        TEST(a_clock_that_went_ahead_and_back_brings_nothing_to_life),
        TEST(rows_of_users_that_go_are_told_as_forgotten),
        TEST(unlocking_is_announced_to_those_who_remember_the_lock),
        TEST(a_database_without_its_counter_says_so_and_never_that_it_is_done),
        TEST(who_may_not_revoke_cannot),
        TEST(two_installations_do_not_tell_each_other),
        TEST(what_was_answered_is_never_missing_from_a_clean_reading),
    };
    log_open("test_revocations", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
