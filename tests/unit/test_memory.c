/* A worker's memory: never older than what was answered, never one user's for another. */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/watch.h"
#include "database.h"
#include "pause.h"
#include "scratch.h"
#include "session/memory.h"

#define UNTIL (NOON + 1000)

static struct store *store; /* of somebody who revokes */
static struct store *gate;
static struct memory *memory;
static struct watch *watch; /* of a worker that watches the files, else NULL */
static struct user alice;
static struct user bob;

/* As each request does it. */
static bool refresh(void)
{
    uint64_t changes = watch != NULL ? watch_count_changes(watch) : 0;
    return memory_refresh(memory, gate, changes);
}

/* As a worker is after its first two requests. */
static void open_memory(void)
{
    revocations_mend(store);
    assert_int_equal(memory_open(&memory), OK);
    assert_false(refresh());
    assert_true(refresh());
}

static int set_up(void **state)
{
    (void)state;
    (void)unlink(scratch_path("generation"));
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    gate = database_open(STORE_ROLE_GATE);
    alice = database_add_user(store, "alice");
    bob = database_add_user(store, "bob");
    open_memory();
    return 0;
}

static int set_up_watched(void **state)
{
    static char paths[2][PATH_MAX];
    (void)snprintf(paths[0], sizeof paths[0], "%s", scratch_path("latchkey.db"));
    (void)snprintf(paths[1], sizeof paths[1], "%s", scratch_path("generation"));
    const struct watch_file files[] = {{paths[0], WATCH_NAME}, {paths[1], WATCH_CONTENT}};
    assert_int_equal(watch_open(files, 2, &watch), OK);
    (void)watch_count_changes(watch);
    return set_up(state);
}

static int tear_down(void **state)
{
    (void)state;
    watch_close(&watch);
    memory_close(&memory);
    store_close(&store);
    store_close(&gate);
    return 0;
}

static bool knows_user(const struct user *user)
{
    struct user found = {0};
    return memory_get_user(memory, user->id, &found);
}

static bool knows_session(const struct session_row *row)
{
    struct session_row found;
    return memory_get_session(memory, TOKEN_STORED, row->key, &found);
}

static bool is_ended(const struct session_row *row)
{
    return memory_is_ended(memory, row->key, row->expires_s);
}

static struct session_row put_session(const struct user *user, char byte)
{
    struct session_row row = database_add_session(store, user, byte);
    memory_put_session(memory, TOKEN_STORED, &row);
    memory_put_user(memory, user);
    return row;
}

static void nothing_is_asked_while_nothing_ends(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    store_disconnect(gate);
    database_hide(); /* whoever asks it now fails */
    for (int i = 0; i < 100; i++) {
        assert_true(refresh());
        assert_true(knows_session(&row) && knows_user(&alice) && !is_ended(&row));
    }
    database_show();
    assert_true(refresh());
}

static void files_are_looked_at_when_their_number_is_another_one(void **state)
{
    (void)state;
    char away[PATH_MAX];
    (void)snprintf(away, sizeof away, "%s", scratch_path("away"));
    struct session_row row = put_session(&alice, 'a');
    assert_true(memory_refresh(memory, gate, 7));
    assert_int_equal(rename(scratch_path("generation"), away), 0);
    assert_true(memory_refresh(memory, gate, 7));
    assert_true(knows_session(&row));
    assert_false(memory_refresh(memory, gate, 0));
    /* What was found to be wrong is looked at again, whatever the number. */
    assert_true(memory_refresh(memory, gate, 7)); /* it was mended */
    assert_int_equal(revocations_begin(store), OK);
    assert_false(memory_refresh(memory, gate, 8));
    assert_false(memory_refresh(memory, gate, 8));
    assert_int_equal(revocations_end(store, OK), OK);
    assert_true(memory_refresh(memory, gate, 8));
}

static void a_row_comes_back_as_it_was_put_but_for_where_it_came_from(void **state)
{
    (void)state;
    struct session_row found;
    struct session_row row = put_session(&alice, 'a');
    row.remember = true;
    row.seen_s += 7;
    memory_put_session(memory, TOKEN_STORED, &row);
    assert_true(memory_get_session(memory, TOKEN_STORED, row.key, &found));
    assert_memory_equal(found.key, row.key, sizeof row.key);
    assert_memory_equal(found.salt, row.salt, sizeof row.salt);
    assert_int_equal(found.user_id, alice.id);
    assert_int_equal(found.created_s, row.created_s);
    assert_int_equal(found.seen_s, NOON + 7);
    assert_int_equal(found.idle_s, row.idle_s);
    assert_int_equal(found.expires_s, row.expires_s);
    assert_true(found.remember);
    assert_string_equal(found.address, "");
    assert_string_equal(found.user, "");
    assert_false(memory_get_session(memory, TOKEN_CACHED, row.key, &found));
    assert_false(memory_get_session(memory, TOKEN_NONE, row.key, &found));
    row.key[31] ^= 1;
    assert_false(memory_get_session(memory, TOKEN_STORED, row.key, &found));
    memory_drop_session(memory, row.key);
    row.key[31] ^= 1;
    assert_true(knows_session(&row));
    memory_drop_session(memory, row.key);
    assert_false(knows_session(&row));
}

static void what_ends_is_known_at_the_next_request(void **state)
{
    (void)state;
    int64_t ended = 0;
    struct session_row first = put_session(&alice, 'a');
    struct session_row second = put_session(&bob, 'b');
    assert_int_equal(sessions_end(store, first.key, UNTIL), OK);
    assert_true(refresh());
    assert_true(is_ended(&first) && !knows_session(&first));
    assert_true(!is_ended(&second) && knows_session(&second));
    assert_true(knows_user(&alice) && knows_user(&bob));
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_true(refresh());
    assert_true(!knows_user(&alice) && knows_user(&bob));
    memory_put_user(memory, &alice);
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    assert_true(refresh());
    assert_true(!knows_user(&alice) && !knows_user(&bob));
    assert_true(is_ended(&first)); /* still */
}

static void whatever_changes_a_user_is_known_at_the_next_request(void **state)
{
    (void)state;
    memory_put_user(memory, &alice);
    assert_int_equal(users_set_password(store, alice.id, "$new$", NOON), OK);
    assert_true(refresh());
    assert_false(knows_user(&alice));
    memory_put_user(memory, &alice);
    assert_int_equal(users_set_locked(store, alice.id, true), OK);
    assert_true(refresh());
    assert_false(knows_user(&alice));
    memory_put_user(memory, &alice);
    assert_int_equal(users_set_locked(store, alice.id, false), OK);
    assert_true(refresh());
    assert_false(knows_user(&alice));
    memory_put_user(memory, &alice);
    assert_int_equal(users_remove(store, alice.id), OK);
    assert_true(refresh());
    assert_false(knows_user(&alice));
}

static void nothing_counts_while_a_revocation_is_written(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    assert_int_equal(revocations_begin(store), OK);
    assert_false(refresh());
    assert_int_equal(revocations_add_session(store, row.key, UNTIL), OK);
    assert_false(refresh());
    assert_int_equal(revocations_end(store, OK), OK);
    assert_true(refresh());
    assert_true(is_ended(&row));
    assert_int_equal(revocations_begin(store), OK);
    assert_false(refresh());
    assert_int_equal(revocations_end(store, ERR_STORE), ERR_STORE); /* rolled back */
    assert_true(refresh());
    assert_true(knows_user(&alice));
}

static void damage_of_the_file_is_doubted_then_mended(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "noise", NULL};
    struct session_row row = put_session(&alice, 'a');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        memory_close(&memory);
        open_memory();
        memory_put_user(memory, &alice);
        if (contents[i] != NULL) {
            (void)scratch_write("generation", contents[i]);
        } else {
            assert_int_equal(unlink(scratch_path("generation")), 0);
        }
        assert_false(refresh()); /* and mends */
        assert_true(refresh());
        assert_true(is_ended(&row) && knows_user(&alice));
        (void)scratch_write("generation", "noise");
        assert_false(refresh());
        assert_false(refresh()); /* mending is not tried all the time */
        pause_ms(1050);
        assert_false(refresh());
        assert_true(refresh());
    }
}

static void a_number_that_is_not_the_databases_is_doubted(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    struct generation *liar = NULL;
    assert_int_equal(generation_open(scratch_path("generation"), &liar), OK);
    assert_int_equal(generation_lock(liar, true), OK);
    assert_int_equal(generation_settle(liar, 0), OK); /* one too few */
    assert_false(refresh());
    generation_close(&liar);
    pause_ms(1050);
    assert_false(refresh());
    assert_true(refresh());
    assert_true(is_ended(&row));
}

/* Ends the session, but is killed before anybody is told. */
static void revoke_and_die(const struct session_row *row)
{
    store_disconnect(store);
    store_disconnect(gate);
    pid_t child = fork();
    if (child == 0) {
        struct store *own = database_open(STORE_ROLE_LOGOUT);
        if (revocations_begin(own) == OK && revocations_add_session(own, row->key, UNTIL) == OK &&
            store_commit(own) == OK) {
            (void)raise(SIGKILL);
        }
        _Exit(1);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
}

static void what_a_killed_writer_committed_is_known_once_memory_counts(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    revoke_and_die(&row);
    assert_false(refresh()); /* and mends */
    assert_true(refresh());
    assert_true(is_ended(&row));
}

static void who_sleeps_while_rows_of_users_go_forgets_the_users(void **state)
{
    (void)state;
    int64_t ended = 0;
    for (int round = 0; round < 2; round++) { /* from the number 0, and from a later one */
        memory_put_user(memory, &alice);
        memory_put_user(memory, &bob);
        assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
        database_exec("UPDATE revocation SET until_s = 1800000000");
        database_revoke_another(store);
        assert_int_equal(revocations_purge(store, NOON + 3600), OK);
        assert_int_equal(database_ask("SELECT count(*) FROM revocation"), 1);
        assert_true(refresh());
        assert_false(knows_user(&alice));
    }
}

static void who_sleeps_while_rows_of_sessions_go_knows_their_end(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    struct session_row other = put_session(&bob, 'b');
    other.expires_s = UNTIL + 1;
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, UNTIL + 3600), OK);
    assert_true(refresh());
    assert_true(is_ended(&row));
    assert_false(is_ended(&other));
    memory_close(&memory); /* a worker that begins after that, with a clock that went back */
    open_memory();
    assert_true(is_ended(&row));
}

/* Otherwise a cookie that has signed out could be sent until no worker remembers anybody. */
static void copies_that_sign_out_again_cost_nobody_the_memory(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    struct session_row other = put_session(&bob, 'b');
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
        assert_true(refresh());
    }
    assert_true(is_ended(&row) && knows_session(&other) && knows_user(&bob));
}

static void a_row_that_is_kept_for_good_costs_nobody_the_memory(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    struct session_row other = put_session(&bob, 'b');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_true(refresh());
    assert_int_equal(revocations_keep_session(store, row.key), OK);
    database_revoke_another(store);
    assert_true(refresh());
    assert_true(is_ended(&row) && knows_session(&other) && knows_user(&bob));
}

static void the_last_row_that_is_over_costs_nobody_the_memory(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    struct session_row other = put_session(&bob, 'b');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_true(refresh());
    assert_int_equal(revocations_purge(store, UNTIL + 3600), OK);
    database_revoke_another(store);
    assert_true(refresh());
    assert_true(is_ended(&row) && knows_session(&other) && knows_user(&bob));
}

/* Many sessions end, one of which has a key of that byte; those before are over by themselves. */
static void end_many(char byte)
{
    char script[512];
    (void)snprintf(script, sizeof script,
                   "DELETE FROM revocation WHERE sequence < (SELECT sequence FROM generation);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                   " INSERT INTO revocation (sequence, key, until_s)"
                   " SELECT sequence + i, CASE i WHEN 1 THEN CAST(printf('%%.32c', '%c') AS BLOB)"
                   " ELSE randomblob(32) END, 1800000500 FROM n, generation;"
                   "UPDATE generation SET sequence = sequence + 3000",
                   byte);
    database_exec(script);
    assert_int_equal(users_set_locked(store, bob.id, false), OK); /* to be told of */
}

static void keys_of_sessions_that_are_over_do_not_pile_up(void **state)
{
    (void)state;
    struct session_row row = {.expires_s = NOON + 500};
    for (char byte = 'a'; byte < 'g'; byte++) {
        memory_put_user(memory, &alice);
        end_many(byte);
        assert_true(refresh());
        memset(row.key, byte, sizeof row.key);
        assert_true(is_ended(&row));
    }
    memset(row.key, 'a', sizeof row.key);
    assert_false(is_ended(&row));
}

static void keep_old_copy(void)
{
    (void)unlink(scratch_path("old.db"));
    assert_int_equal(store_backup(store, scratch_path("old.db")), OK);
}

static void put_old_copy_back(void)
{
    store_disconnect(store);
    assert_int_equal(rename(scratch_path("old.db"), scratch_path("latchkey.db")), 0);
    (void)unlink(scratch_path("latchkey.db-wal"));
    (void)unlink(scratch_path("latchkey.db-shm"));
}

static void an_older_database_in_the_place_of_the_known_one_is_another_one(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    keep_old_copy();
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    assert_true(refresh());
    put_old_copy_back();
    assert_false(refresh()); /* its number is lower: mended */
    assert_true(refresh());
    assert_false(knows_user(&alice) || is_ended(&row)); /* what the backup says */
    /* The same number as before, for another thing. */
    struct session_row other = database_add_session(store, &bob, 'b');
    assert_int_equal(sessions_end(store, other.key, UNTIL), OK);
    assert_true(refresh());
    assert_true(is_ended(&other) && !is_ended(&row));
}

static void a_database_of_the_same_number_in_its_place_is_noticed(void **state)
{
    (void)state;
    (void)put_session(&alice, 'a');
    assert_int_equal(users_set_locked(store, bob.id, false), OK);
    assert_true(refresh());
    keep_old_copy();
    put_old_copy_back();
    assert_true(refresh());
    assert_false(knows_user(&alice));
}

static void a_missing_database_is_doubted_as_soon_as_anything_ended(void **state)
{
    (void)state;
    struct session_row row = put_session(&alice, 'a');
    assert_int_equal(sessions_end(store, row.key, UNTIL), OK);
    store_disconnect(store);
    store_disconnect(gate);
    database_hide();
    assert_false(refresh());
    assert_false(refresh());
    database_show();
    pause_ms(1050);
    assert_true(refresh());
    assert_true(is_ended(&row));
}

#define WRITERS 3
#define ROUNDS  12

/* Ends sessions of its own and says after each which one. The file may be exchanged too often to
 * tell of a revocation: that one is tried again. */
static void revoke_many(char mark, int answers)
{
    struct store *own = database_open(STORE_ROLE_LOGOUT);
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t key[SESSION_KEY_BYTES];
        memset(key, mark, sizeof key);
        key[0] = (uint8_t)i;
        enum status status;
        do {
            status = sessions_end(own, key, UNTIL);
        } while (status == ERR_SYSTEM);
        if (status != OK || write(answers, key, sizeof key) != (ssize_t)sizeof key) {
            _Exit(1);
        }
    }
    _Exit(0);
}

static void what_was_answered_is_ended_even_if_the_file_keeps_going_away(void **state)
{
    (void)state;
    int answers[2];
    pid_t children[WRITERS];
    uint8_t keys[WRITERS * ROUNDS][SESSION_KEY_BYTES];
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
    for (size_t i = 0; i < WRITERS * ROUNDS; i++) {
        assert_int_equal(read(answers[0], keys[i], sizeof keys[i]), sizeof keys[i]);
        if (i % 3 == 1) {
            (void)unlink(scratch_path("generation"));
            revocations_mend(gate);
        }
        if (refresh()) {
            for (size_t j = 0; j <= i; j++) {
                assert_true(memory_is_ended(memory, keys[j], UNTIL));
            }
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int how = 0;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    pause_ms(1050);
    assert_true(refresh() || refresh());
    for (size_t j = 0; j < WRITERS * ROUNDS; j++) {
        assert_true(memory_is_ended(memory, keys[j], UNTIL));
    }
    (void)close(answers[0]);
}

/* All of it holds whether the files are looked at or watched. */
#define TEST(name)                                                                                 \
    {#name, name, set_up, tear_down, NULL},                                                        \
    {                                                                                              \
#name "_watched", name, set_up_watched, tear_down, NULL                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked_while_nothing_ends),
        TEST(files_are_looked_at_when_their_number_is_another_one),
        TEST(a_row_comes_back_as_it_was_put_but_for_where_it_came_from),
        TEST(what_ends_is_known_at_the_next_request),
        TEST(whatever_changes_a_user_is_known_at_the_next_request),
        TEST(nothing_counts_while_a_revocation_is_written),
        TEST(damage_of_the_file_is_doubted_then_mended),
        TEST(a_number_that_is_not_the_databases_is_doubted),
        TEST(what_a_killed_writer_committed_is_known_once_memory_counts),
        TEST(who_sleeps_while_rows_of_users_go_forgets_the_users),
        TEST(who_sleeps_while_rows_of_sessions_go_knows_their_end),
        TEST(copies_that_sign_out_again_cost_nobody_the_memory),
        TEST(a_row_that_is_kept_for_good_costs_nobody_the_memory),
        TEST(the_last_row_that_is_over_costs_nobody_the_memory),
        TEST(keys_of_sessions_that_are_over_do_not_pile_up),
        TEST(an_older_database_in_the_place_of_the_known_one_is_another_one),
        TEST(a_database_of_the_same_number_in_its_place_is_noticed),
        TEST(a_missing_database_is_doubted_as_soon_as_anything_ended),
        TEST(what_was_answered_is_ended_even_if_the_file_keeps_going_away),
    };
    log_open("test_memory", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
