/* The rows of the memory cache: bounded, and who goes when it is full. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "scratch.h"
#include "small_cache.h"
#include "store/internal.h"
#include "tables.h"

#define MANY    100000
#define WRITERS 4

static struct store *store;

static int set_up(void **state)
{
    (void)state;
    store = small_cache_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

static void sessions_are_found_touched_and_removed(void **state)
{
    (void)state;
    struct session_row added = small_cache_row(0, 7);
    struct session_row found = {0};
    int64_t removed = -1;
    int64_t newest = 0;
    added.remember = true;
    assert_int_equal(cache_add(store, &added), OK);
    assert_int_equal(cache_add(store, &added), ERR_EXISTS);
    assert_int_equal(database_touch(store, &added, NOON + 60), OK);
    assert_int_equal(sessions_find(store, added.key, &found), OK);
    assert_int_equal(found.seen_s, NOON + 60);
    assert_int_equal(found.user_id, added.user_id);
    assert_int_equal(found.created_s, added.created_s);
    assert_int_equal(found.idle_s, added.idle_s);
    assert_int_equal(found.expires_s, added.expires_s);
    assert_true(found.remember);
    assert_memory_equal(found.salt, added.salt, sizeof found.salt);
    assert_string_equal(found.address, added.address);
    assert_string_equal(found.agent, added.agent);
    assert_int_equal(sessions_remove(store, added.key), OK);
    assert_int_equal(sessions_find(store, added.key, &found), ERR_NOT_FOUND);
    small_cache_fill(store, 0, 100);
    assert_int_equal(sessions_purge(store, NOON + 1000000 + 59, 0, &removed), OK);
    assert_int_equal(removed, 60);
    assert_int_equal(cache_get_newest(store, &newest), OK);
    assert_int_equal(cache_remove(store, 0, newest, &removed), OK);
    assert_int_equal(removed, 40);
    assert_int_equal(small_cache_use(store).sessions, 0);
    assert_int_equal(small_cache_use(store).evicted, 0);
}

/* Ending many sessions takes a while, in which people sign in anew. */
static void who_signs_in_while_sessions_end_stays(void **state)
{
    (void)state;
    struct session_row row = small_cache_row(0, 0);
    int64_t newest = -1;
    int64_t removed = 0;
    assert_int_equal(cache_get_newest(store, &newest), OK);
    assert_int_equal(newest, 0);
    small_cache_fill(store, 0, 500);
    assert_int_equal(cache_get_newest(store, &newest), OK);
    small_cache_fill(store, 500, 510); /* of the users who have the first ones */
    assert_int_equal(cache_remove(store, row.user_id, newest, &removed), OK);
    assert_int_equal(removed, 1);
    assert_false(small_cache_holds(store, 0, 0));
    assert_true(small_cache_holds(store, 0, 500));
    assert_int_equal(cache_remove(store, 0, newest, &removed), OK);
    assert_int_equal(removed, 499);
    assert_int_equal(small_cache_use(store).sessions, 10);
}

static void statements_of_one_kind_are_not_for_the_other(void **state)
{
    (void)state;
    (void)database_make();
    struct store *users = database_open(STORE_ROLE_ADMIN);
    struct session_row row = small_cache_row(0, 0);
    struct cache_use use = {.sessions = 7};
    int from = 0;
    int to = 0;
    assert_int_equal(cache_add(users, &row), ERR_PERMISSION);
    assert_int_equal(cache_get_use(users, &use), ERR_PERMISSION);
    assert_int_equal(use.sessions, 7);
    assert_int_equal(cache_make_room(users, NOON, SMALL_CACHE_BYTES), OK);
    store_close(&users);
    assert_int_equal(store_migrate(store, &from, &to), ERR_PERMISSION);
    assert_int_equal(sessions_add(store, &row), ERR_STORE);
    assert_int_equal(cache_add(store, &row), OK);
}

/* One letter for each of gate, login, logout (o), account (s), an application (p) and admin. */
static const struct {
    enum statement which;
    const char *may;
    const char *refused; /* by the engine, which knows tables and columns only */
} permissions[] = {
    {SESSION_FIND, "glospa", ""},     {SESSION_TOUCH, "glospa", ""},
    {SESSION_REMOVE, "losa", ""},     {SESSION_DATA_PUT, "lspa", "go"},
    {CACHE_ADD, "lsa", "gop"},        {CACHE_EXPIRE, "glospa", ""},
    {CACHE_EVICT, "glospa", ""},      {CACHE_NOTE_EVICTED, "glospa", ""},
    {CACHE_NOTE_TOLD, "glospa", ""},  {CACHE_GET_USE, "a", ""},
    {CACHE_GET_NEWEST, "sa", ""},     {CACHE_REMOVE_ALL, "sa", ""},
    {CACHE_REMOVE_OF_USER, "sa", ""},
};

static void each_role_may_do_its_part_and_no_other(void **state)
{
    (void)state;
    struct db_settings settings = small_cache_settings();
    assert_int_equal(store_connect(store), OK);
    for (size_t r = 0; r < COUNT(database_roles); r++) {
        struct db *db = NULL;
        assert_int_equal(db_open(&settings, &db), OK);
        statement_limit(db, database_roles[r].role, true);
        for (size_t i = 0; i < sizeof permissions / sizeof *permissions; i++) {
            struct db_statement *statement = NULL;
            const struct statement_rule *rule = &statement_rules[permissions[i].which];
            bool may = strchr(permissions[i].may, database_roles[r].letter) != NULL;
            bool refused = strchr(permissions[i].refused, database_roles[r].letter) != NULL;
            enum status status = db_prepare(db, rule->sql, &statement);
            db_statement_free(&statement);
            if (((rule->roles >> database_roles[r].role & 1U) != 0) != may ||
                status != (refused ? ERR_PERMISSION : OK)) {
                fail_msg("role %c, %s: %s", database_roles[r].letter, rule->sql,
                         status_text(status));
            }
        }
        db_close(&db);
    }
}

static void the_gate_makes_room_but_adds_nothing(void **state)
{
    (void)state;
    int number = small_cache_fill_up(store);
    struct store *gate = small_cache_open(STORE_ROLE_GATE, SMALL_CACHE_BYTES);
    struct session_row row = small_cache_row(1, number);
    int64_t before = small_cache_use(store).evicted;
    assert_int_equal(cache_add(gate, &row), ERR_PERMISSION);
    assert_int_equal(cache_make_room(gate, NOON + number, 100000), OK);
    assert_int_equal(database_touch(gate, &row, NOON), OK);
    assert_true(small_cache_use(store).evicted > before);
    store_close(&gate);
}

static void what_was_not_used_for_the_longest_time_goes_first(void **state)
{
    (void)state;
    int number = 0;
    struct session_row used = small_cache_row(0, 3);
    while (small_cache_use(store).evicted == 0) {
        assert_int_equal(small_cache_add(store, 0, number++), OK);
        if (number % 100 == 4) {
            assert_int_equal(database_touch(store, &used, NOON + number), OK);
        }
    }
    assert_true(small_cache_holds(store, 0, 3));
    int64_t evicted = small_cache_use(store).evicted;
    assert_int_equal(small_cache_use(store).sessions, number - evicted);
    int gone = 0;
    for (int i = 0; i < number; i++) {
        struct session_row found;
        struct session_row row = small_cache_row(0, i);
        bool there = sessions_find(store, row.key, &found) == OK;
        gone += !there;
        /* Those that went are the first ones but the one in use. */
        assert_int_equal(there, i == 3 || i > evicted);
    }
    assert_int_equal(gone, evicted);
}

static void what_is_over_goes_before_what_is_alive(void **state)
{
    (void)state;
    int number = 0;
    for (; number < 500; number++) { /* alive, and not used since */
        assert_int_equal(small_cache_add(store, 0, number), OK);
    }
    for (; number < 100000 &&
           small_cache_use(store).used_bytes * 10 < small_cache_use(store).most_bytes * 9;
         number++) {
        struct session_row row = small_cache_row(0, number);
        row.idle_s = 100000; /* used later, but over before the others */
        assert_int_equal(cache_add(store, &row), OK);
    }
    int64_t sessions = small_cache_use(store).sessions;
    for (int i = 0; i < 4000; i++) {
        struct session_row row = small_cache_row(1, i);
        row.seen_s = NOON + 900000;
        assert_int_equal(cache_add(store, &row), OK);
    }
    assert_int_equal(small_cache_use(store).evicted, 0);
    assert_true(small_cache_use(store).sessions < sessions + 4000);
    for (int i = 0; i < 500; i++) {
        assert_true(small_cache_holds(store, 0, i));
    }
}

static void of_the_same_second_the_first_one_goes(void **state)
{
    (void)state;
    int number = 0;
    for (; small_cache_use(store).evicted < 100; number++) {
        struct session_row row = small_cache_row(0, number);
        row.seen_s = NOON + 200000;
        assert_int_equal(cache_add(store, &row), OK);
    }
    int evicted = (int)small_cache_use(store).evicted;
    for (int i = 0; i < number; i++) {
        struct session_row found;
        struct session_row row = small_cache_row(0, i);
        assert_int_equal(sessions_find(store, row.key, &found), i < evicted ? ERR_NOT_FOUND : OK);
    }
}

static int count_lines(const char *what)
{
    int count = 0;
    for (const char *line = capture_next(); line[0] != '\0'; line = capture_next()) {
        count += strstr(line, what) != NULL;
    }
    return count;
}

static void the_log_tells_of_evictions_once_an_hour(void **state)
{
    (void)state;
    int from = 0;
    capture_start();
    while (small_cache_use(store).evicted == 0) {
        assert_int_equal(small_cache_add(store, 0, from++ % 3000 == 0 ? from : from), OK);
    }
    int first = count_lines("is full");
    int to = from + 3000; /* seconds, since each has its own */
    for (int i = from; i < to; i++) {
        (void)small_cache_add(store, 0, i);
    }
    int again = count_lines("is full");
    for (int i = to; i < to + 1000; i++) {
        (void)small_cache_add(store, 0, i);
    }
    int later = count_lines("is full");
    capture_end();
    assert_int_equal(first, 1);
    assert_int_equal(again, 0);
    assert_int_equal(later, 1);
}

static void data_takes_room_and_gives_it_back(void **state)
{
    (void)state;
    char value[50000];
    memset(value, 'x', sizeof value);
    struct db_settings settings = small_cache_settings();
    for (int i = 0; i < 200; i++) {
        struct session_row row = small_cache_row(0, i);
        struct db *db = NULL;
        struct db_statement *statement = NULL;
        bool more = false;
        assert_int_equal(cache_add(store, &row), OK);
        assert_int_equal(cache_make_room(store, row.seen_s, sizeof value), OK);
        assert_int_equal(db_open(&settings, &db), OK);
        assert_int_equal(db_prepare(db, statement_rules[SESSION_DATA_PUT].sql, &statement), OK);
        session_key_bind(statement, row.key);
        db_bind_text(statement, 3, TEXT("cart"));
        db_bind_blob(statement, 4, value, sizeof value);
        assert_int_equal(db_step(statement, &more), OK);
        db_statement_free(&statement);
        db_close(&db);
        assert_true(small_cache_size() <= SMALL_CACHE_BYTES);
    }
    assert_true(small_cache_holds(store, 0, 199));
    assert_true(small_cache_use(store).evicted > 100);
    assert_int_equal(cache_make_room(store, NOON, SMALL_CACHE_BYTES), ERR_STORE);
}

static void a_hundred_thousand_sessions_fit_into_four_megabytes(void **state)
{
    (void)state;
    uint64_t most = 0;
    int running = WRITERS;
    for (int i = 0; i < WRITERS; i++) {
        (void)small_cache_start_writer(i, 0, MANY / WRITERS);
    }
    while (running > 0) {
        int status = -1;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        assert_true(ended >= 0);
        if (ended > 0) {
            assert_int_equal(status, 0);
            running--;
        }
        uint64_t now = small_cache_size();
        most = now > most ? now : most;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    /* File, log and index: all that the cache takes. */
    print_message("# %llu bytes at most, %lld sessions left\n", (unsigned long long)most,
                  (long long)small_cache_use(store).sessions);
    assert_true(most <= SMALL_CACHE_BYTES);
    assert_true(small_cache_use(store).sessions > 6000);
    assert_int_equal(small_cache_use(store).sessions + small_cache_use(store).evicted, MANY);
    assert_int_equal(store_verify(store), OK);
    for (int i = 0; i < WRITERS; i++) {
        for (int back = 1; back <= 100; back++) {
            assert_true(small_cache_holds(store, i, MANY / WRITERS - back));
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sessions_are_found_touched_and_removed),
        TEST(who_signs_in_while_sessions_end_stays),
        TEST(statements_of_one_kind_are_not_for_the_other),
        TEST(each_role_may_do_its_part_and_no_other),
        TEST(the_gate_makes_room_but_adds_nothing),
        TEST(what_was_not_used_for_the_longest_time_goes_first),
        TEST(what_is_over_goes_before_what_is_alive),
        TEST(of_the_same_second_the_first_one_goes),
        TEST(the_log_tells_of_evictions_once_an_hour),
        TEST(data_takes_room_and_gives_it_back),
        TEST(a_hundred_thousand_sessions_fit_into_four_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
