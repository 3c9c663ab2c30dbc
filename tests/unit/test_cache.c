/* The memory cache of sessions: bounded, shared by many programs, and made anew when need be. */
#include <limits.h>
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

#include "base/log.h"
#include "capture.h"
#include "crypto/random.h"
#include "database.h"
#include "scratch.h"
#include "store/cache.h"
#include "store/statements.h"

#define MIB        ((uint64_t)1 << 20)
#define SIZE       (4 * MIB)
#define MANY       100000
#define WRITERS    4
#define HEADER_MAX 4096

static struct store *store;

static struct store *open_cache(enum store_role role, uint64_t size)
{
    struct store *opened = NULL;
    assert_int_equal(store_open_cache(scratch_path("cache.db"), size, role, &opened), OK);
    return opened;
}

/* The cache past the store. */
static struct db_settings get_settings(void)
{
    static char path[PATH_MAX]; /* scratch_path's soon serve others */
    (void)snprintf(path, sizeof path, "%s", scratch_path("cache.db"));
    return (struct db_settings){.path = path, .kind = DB_CACHE, .max_bytes = SIZE};
}

static void remove_cache(void)
{
    (void)unlink(scratch_path("cache.db"));
    (void)unlink(scratch_path("cache.db-wal"));
    (void)unlink(scratch_path("cache.db-shm"));
}

static int set_up(void **state)
{
    (void)state;
    remove_cache();
    store = open_cache(STORE_ROLE_ADMIN, SIZE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

/* A session of `writer` with the number `number`, added at that second. */
static struct session_row make_row(int writer, int number)
{
    struct session_row row = {
        .user_id = 1 + number % 500,
        .created_s = NOON + number,
        .seen_s = NOON + number,
        .idle_s = 1000000,
        .expires_s = NOON + number + 10000000,
        .address = "192.0.2.77",
        .agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                 "Chrome/126.0.0.0 Safari/537.36",
    };
    uint64_t mixed = ((uint64_t)writer << 32 | (uint64_t)number) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < sizeof row.key; i++) { /* spread as hashes are */
        row.key[i] = (uint8_t)(mixed >> (56 - 8 * (i % 8)));
    }
    memset(row.salt, number & 0xff, sizeof row.salt);
    return row;
}

static enum status add(int writer, int number)
{
    struct session_row row = make_row(writer, number);
    return cache_add(store, &row);
}

static bool is_in(struct store *cache, int writer, int number)
{
    struct session_row row = make_row(writer, number);
    struct session_row found = {0};
    enum status status = sessions_find(cache, row.key, &found);
    assert_true(status == OK || status == ERR_NOT_FOUND);
    return status == OK;
}

static bool is_there(int writer, int number)
{
    return is_in(store, writer, number);
}

static enum status touch(struct store *cache, const struct session_row *row, int64_t seen_s)
{
    return database_touch(cache, row, seen_s);
}

static struct cache_use get_use(void)
{
    struct cache_use use = {0};
    assert_int_equal(cache_get_use(store, &use), OK);
    return use;
}

static uint64_t size_of(const char *name)
{
    struct stat found;
    return stat(scratch_path(name), &found) == 0 ? (uint64_t)found.st_size : 0;
}

static uint64_t size_of_all(void)
{
    return size_of("cache.db") + size_of("cache.db-wal") + size_of("cache.db-shm");
}

static void fill(int from, int to)
{
    for (int i = from; i < to; i++) {
        assert_int_equal(add(0, i), OK);
    }
}

/* Adds until the first session had to go. */
static int fill_up(void)
{
    int number = 0;
    while (number % 64 != 0 || get_use().evicted == 0) {
        assert_int_equal(add(0, number++), OK);
        assert_true(number < MANY);
    }
    return number;
}

static void a_cache_is_made_when_it_is_first_used(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(access(scratch_path("cache.db"), F_OK), -1);
    assert_int_equal(store_check(store), OK);
    assert_int_equal(stat(scratch_path("cache.db"), &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(stat(scratch_path("cache.db-wal"), &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    struct cache_use use = get_use();
    assert_int_equal(use.sessions, 0);
    assert_int_equal(use.evicted, 0);
    assert_true(use.used_bytes > 0 && use.used_bytes < use.most_bytes && use.most_bytes < SIZE);
    assert_int_equal(store_verify(store), OK);
}

static void sessions_are_found_touched_and_removed(void **state)
{
    (void)state;
    struct session_row added = make_row(0, 7);
    struct session_row found = {0};
    int64_t removed = -1;
    added.remember = true;
    assert_int_equal(cache_add(store, &added), OK);
    assert_int_equal(cache_add(store, &added), ERR_EXISTS);
    assert_int_equal(touch(store, &added, NOON + 60), OK);
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
    fill(0, 100);
    assert_int_equal(sessions_purge(store, NOON + 1000000 + 59, 0, &removed), OK);
    assert_int_equal(removed, 60);
    assert_int_equal(sessions_remove_rows(store, 0, &removed), OK);
    assert_int_equal(removed, 40);
    assert_int_equal(get_use().sessions, 0);
    assert_int_equal(get_use().evicted, 0);
}

static void statements_of_one_kind_are_not_for_the_other(void **state)
{
    (void)state;
    (void)database_make();
    struct store *users = database_open(STORE_ROLE_ADMIN);
    struct session_row row = make_row(0, 0);
    struct cache_use use = {.sessions = 7};
    int from = 0;
    int to = 0;
    assert_int_equal(cache_add(users, &row), ERR_PERMISSION);
    assert_int_equal(cache_get_use(users, &use), ERR_PERMISSION);
    assert_int_equal(use.sessions, 7);
    assert_int_equal(cache_make_room(users, NOON, MIB), OK);
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
    {SESSION_FIND, "glospa", ""},    {SESSION_TOUCH, "glospa", ""},
    {SESSION_REMOVE, "loa", ""},     {SESSION_DATA_PUT, "lpa", "gos"},
    {CACHE_ADD, "la", "gosp"},       {CACHE_EXPIRE, "glospa", ""},
    {CACHE_EVICT, "glospa", ""},     {CACHE_NOTE_EVICTED, "glospa", ""},
    {CACHE_NOTE_TOLD, "glospa", ""}, {CACHE_GET_USE, "a", ""},
};

static const struct {
    enum store_role role;
    char letter;
} roles[] = {
    {STORE_ROLE_GATE, 'g'},    {STORE_ROLE_LOGIN, 'l'}, {STORE_ROLE_LOGOUT, 'o'},
    {STORE_ROLE_ACCOUNT, 's'}, {STORE_ROLE_APP, 'p'},   {STORE_ROLE_ADMIN, 'a'},
};

static void each_role_may_do_its_part_and_no_other(void **state)
{
    (void)state;
    struct db_settings settings = get_settings();
    assert_int_equal(store_check(store), OK);
    for (size_t r = 0; r < sizeof roles / sizeof *roles; r++) {
        struct db *db = NULL;
        assert_int_equal(db_open(&settings, &db), OK);
        db_limit(db, statement_cache_grants[roles[r].role]);
        for (size_t i = 0; i < sizeof permissions / sizeof *permissions; i++) {
            struct db_statement *statement = NULL;
            const struct statement_rule *rule = &statement_rules[permissions[i].which];
            bool may = strchr(permissions[i].may, roles[r].letter) != NULL;
            bool refused = strchr(permissions[i].refused, roles[r].letter) != NULL;
            enum status status = db_prepare(db, rule->sql, &statement);
            db_statement_free(&statement);
            if (((rule->roles >> roles[r].role & 1U) != 0) != may ||
                status != (refused ? ERR_PERMISSION : OK)) {
                fail_msg("role %c, %s: %s", roles[r].letter, rule->sql, status_text(status));
            }
        }
        db_close(&db);
    }
}

static void the_gate_makes_room_but_adds_nothing(void **state)
{
    (void)state;
    int number = fill_up();
    struct store *gate = open_cache(STORE_ROLE_GATE, SIZE);
    struct session_row row = make_row(1, number);
    int64_t before = get_use().evicted;
    assert_int_equal(cache_add(gate, &row), ERR_PERMISSION);
    assert_int_equal(cache_make_room(gate, NOON + number, 100000), OK);
    assert_int_equal(touch(gate, &row, NOON), OK);
    assert_true(get_use().evicted > before);
    store_close(&gate);
}

static void what_was_not_used_for_the_longest_time_goes_first(void **state)
{
    (void)state;
    int number = 0;
    struct session_row used = make_row(0, 3);
    while (get_use().evicted == 0) {
        assert_int_equal(add(0, number++), OK);
        if (number % 100 == 4) {
            assert_int_equal(touch(store, &used, NOON + number), OK);
        }
    }
    assert_true(is_there(0, 3));
    int64_t evicted = get_use().evicted;
    assert_int_equal(get_use().sessions, number - evicted);
    int gone = 0;
    for (int i = 0; i < number; i++) {
        struct session_row found;
        struct session_row row = make_row(0, i);
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
        assert_int_equal(add(0, number), OK);
    }
    for (; number < 100000 && get_use().used_bytes * 10 < get_use().most_bytes * 9; number++) {
        struct session_row row = make_row(0, number);
        row.idle_s = 100000; /* used later, but over before the others */
        assert_int_equal(cache_add(store, &row), OK);
    }
    int64_t sessions = get_use().sessions;
    for (int i = 0; i < 4000; i++) {
        struct session_row row = make_row(1, i);
        row.seen_s = NOON + 900000;
        assert_int_equal(cache_add(store, &row), OK);
    }
    assert_int_equal(get_use().evicted, 0);
    assert_true(get_use().sessions < sessions + 4000);
    for (int i = 0; i < 500; i++) {
        assert_true(is_there(0, i));
    }
}

static void of_the_same_second_the_first_one_goes(void **state)
{
    (void)state;
    int number = 0;
    for (; get_use().evicted < 100; number++) {
        struct session_row row = make_row(0, number);
        row.seen_s = NOON + 200000;
        assert_int_equal(cache_add(store, &row), OK);
    }
    int evicted = (int)get_use().evicted;
    for (int i = 0; i < number; i++) {
        struct session_row found;
        struct session_row row = make_row(0, i);
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
    while (get_use().evicted == 0) {
        assert_int_equal(add(0, from++ % 3000 == 0 ? from : from), OK);
    }
    int first = count_lines("is full");
    int to = from + 3000; /* seconds, since each has its own */
    for (int i = from; i < to; i++) {
        (void)add(0, i);
    }
    int again = count_lines("is full");
    for (int i = to; i < to + 1000; i++) {
        (void)add(0, i);
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
    struct db_settings settings = get_settings();
    for (int i = 0; i < 200; i++) {
        struct session_row row = make_row(0, i);
        struct db *db = NULL;
        struct db_statement *statement = NULL;
        bool more = false;
        assert_int_equal(cache_add(store, &row), OK);
        assert_int_equal(cache_make_room(store, row.seen_s, sizeof value), OK);
        assert_int_equal(db_open(&settings, &db), OK);
        assert_int_equal(db_prepare(db, statement_rules[SESSION_DATA_PUT].sql, &statement), OK);
        db_bind_blob(statement, 1, row.key, sizeof row.key);
        db_bind_text(statement, 2, TEXT("cart"));
        db_bind_blob(statement, 3, value, sizeof value);
        assert_int_equal(db_step(statement, &more), OK);
        db_statement_free(&statement);
        db_close(&db);
        assert_true(size_of_all() <= SIZE);
    }
    assert_true(is_there(0, 199));
    assert_true(get_use().evicted > 100);
    assert_int_equal(cache_make_room(store, NOON, SIZE), ERR_STORE);
}

/* What a writing process does: adds, and uses some of what it added. */
static int write_sessions(int writer, int from, int to)
{
    store = open_cache(STORE_ROLE_LOGIN, SIZE);
    for (int i = from; i < to; i++) {
        struct session_row used = make_row(writer, i - i % 7);
        enum status status = add(writer, i);
        if (status != OK) {
            (void)fprintf(stderr, "writer %d, session %d: %s\n", writer, i, status_text(status));
            return 1;
        }
        status = i % 5 == 0 ? touch(store, &used, NOON + i) : OK;
        (void)status; /* a use is noted if nobody else is writing */
    }
    store_close(&store);
    return 0;
}

static pid_t start_writer(int writer, int from, int to)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(write_sessions(writer, from, to));
    }
    return child;
}

static void a_hundred_thousand_sessions_fit_into_four_megabytes(void **state)
{
    (void)state;
    uint64_t most = 0;
    int running = WRITERS;
    for (int i = 0; i < WRITERS; i++) {
        (void)start_writer(i, 0, MANY / WRITERS);
    }
    while (running > 0) {
        int status = -1;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        assert_true(ended >= 0);
        if (ended > 0) {
            assert_int_equal(status, 0);
            running--;
        }
        uint64_t now = size_of_all();
        most = now > most ? now : most;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    /* File, log and index: all that the cache takes. */
    print_message("# %llu bytes at most, %lld sessions left\n", (unsigned long long)most,
                  (long long)get_use().sessions);
    assert_true(most <= SIZE);
    assert_true(get_use().sessions > 6000);
    assert_int_equal(get_use().sessions + get_use().evicted, MANY);
    assert_int_equal(store_verify(store), OK);
    for (int i = 0; i < WRITERS; i++) {
        for (int back = 1; back <= 100; back++) {
            assert_true(is_there(i, MANY / WRITERS - back));
        }
    }
}

static void writers_that_are_killed_do_no_harm(void **state)
{
    (void)state;
    for (int round = 0; round < 25; round++) {
        pid_t writers[2];
        for (int i = 0; i < 2; i++) {
            writers[i] = start_writer(i, round * 10000, round * 10000 + 10000);
        }
        long pause_ns = 1000000L * (1 + round * 7 % 50);
        (void)nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
        for (int i = 0; i < 2; i++) {
            int status = 0;
            assert_int_equal(kill(writers[i], SIGKILL), 0);
            assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
            assert_true(WIFSIGNALED(status));
        }
        assert_int_equal(add(7, round), OK);
        assert_true(is_there(7, round));
        assert_int_equal(store_verify(store), OK);
        /* With nobody there, the next one has to mend what was left half done. */
        store_disconnect(store);
        assert_int_equal(store_verify(store), OK);
    }
    assert_true(get_use().sessions > 100);
    assert_true(size_of_all() <= SIZE);
}

static void many_may_make_it_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        remove_cache();
        if (round % 2 == 1) {
            (void)scratch_write("cache.db", "not a database, but a text that is long enough to be "
                                            "taken for the header of one, with its 100 bytes");
        }
        for (int i = 0; i < 8; i++) {
            (void)start_writer(i, 0, 10);
        }
        for (int i = 0; i < 8; i++) {
            int status = -1;
            assert_true(wait(&status) > 0);
            assert_int_equal(status, 0);
        }
        store_disconnect(store);
        assert_int_equal(get_use().sessions, 80);
        assert_int_equal(store_verify(store), OK);
    }
}

/* Connects once more and finds the cache empty, but usable. */
static void expect_anew(void)
{
    assert_int_equal(get_use().sessions, 0);
    assert_int_equal(add(0, 1), OK);
    assert_true(is_there(0, 1));
    assert_int_equal(store_verify(store), OK);
}

static void exec(const char *script)
{
    struct db_settings settings = get_settings();
    struct db *db = NULL;
    assert_int_equal(db_open(&settings, &db), OK);
    assert_int_equal(db_exec(db, script), OK);
    db_close(&db);
}

static void what_is_no_cache_of_this_version_is_made_anew(void **state)
{
    (void)state;
    struct db *db = NULL;
    fill(0, 10);
    store_disconnect(store);
    exec("PRAGMA user_version = 7");
    expect_anew();
    store_disconnect(store);
    exec("PRAGMA application_id = 7");
    expect_anew();
    store_disconnect(store);
    remove_cache();
    (void)scratch_write("cache.db", "");
    expect_anew();
    store_disconnect(store);
    remove_cache();
    (void)scratch_write("cache.db", "This is a shopping list and no database at all, whatever else "
                                    "it is, and longer than a header of 100 bytes.");
    expect_anew();
    /* Not, however, for the database of users. */
    assert_int_equal(database_connect(scratch_path("cache.db"), DB_EXISTING, &db), ERR_STORE);
    assert_int_equal(database_connect(scratch_path("cache.db"), DB_CREATE, &db), ERR_STORE);
    assert_true(is_there(0, 1));
}

static void a_cache_that_became_smaller_is_made_anew(void **state)
{
    (void)state;
    (void)fill_up();
    store_close(&store);
    store = open_cache(STORE_ROLE_ADMIN, SIZE / 2);
    expect_anew();
    assert_true(size_of_all() <= SIZE / 2);
    store_close(&store);
    store = open_cache(STORE_ROLE_ADMIN, SIZE);
    assert_true(is_there(0, 1));
}

static void overwrite(const char *name, long from, long to)
{
    FILE *file = fopen(scratch_path(name), "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, from, SEEK_SET), 0);
    for (long i = from; i < to; i++) {
        assert_int_equal(fputc(0xa5, file), 0xa5);
    }
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_cache_is_made_anew_without_a_restart(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        long from, to;
    } damages[] = {
        {"cache.db", 0, 100},         /* the header */
        {"cache.db", 100, 4096},      /* the schema */
        {"cache.db", 4096, 100000},   /* pages of rows and indexes */
        {"cache.db", 0, 100000},      /* everything */
        {"cache.db-wal", 0, 1000000}, /* the log: what stood in it is lost, or the cache is */
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        for (int running = 0; running < 2; running++) {
            fill(1000 * (int)i, 1000 * (int)i + 1000);
            if (running == 0) {
                store_disconnect(store);
            }
            overwrite(damages[i].file, damages[i].from, damages[i].to);
            /* Some requests may fail, but it mends itself soon. */
            int failed = 0;
            for (int number = 50000; number < 50020; number++) {
                struct session_row row = make_row(0, number);
                enum status status = cache_add(store, &row);
                failed += status != OK;
                assert_true(status == OK || status == ERR_STORE || status == ERR_EXISTS);
            }
            struct session_row row = make_row(0, 50019);
            struct session_row found;
            if (failed > 3 || sessions_find(store, row.key, &found) != OK ||
                store_verify(store) != OK) {
                fail_msg("damage %d, running %d: %d failed", (int)i, running, failed);
            }
            store_disconnect(store);
            remove_cache();
        }
    }
}

static void a_cache_that_is_removed_is_made_anew_without_a_restart(void **state)
{
    (void)state;
    static const char *const removed[] = {"cache.db", "cache.db-wal", "all"};
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
        fill(0, 100);
        struct store *other = open_cache(STORE_ROLE_GATE, SIZE);
        assert_int_equal(store_check(other), OK);
        if (strcmp(removed[i], "all") == 0) {
            remove_cache();
        } else {
            assert_int_equal(unlink(scratch_path(removed[i])), 0);
        }
        struct session_row row = make_row(0, 200);
        struct session_row found;
        assert_int_equal(cache_add(store, &row), OK);
        assert_int_equal(sessions_find(store, row.key, &found), OK);
        assert_int_equal(sessions_find(other, row.key, &found), OK);
        row = make_row(0, 5);
        if (strcmp(removed[i], "cache.db-wal") != 0) {
            assert_int_equal(sessions_find(other, row.key, &found), ERR_NOT_FOUND);
        }
        store_close(&other);
        assert_int_equal(add(0, 201), OK); /* closing the old one did the new one no harm */
        assert_int_equal(store_verify(store), OK);
        remove_cache();
    }
}

static void the_database_of_users_is_never_taken_for_a_cache(void **state)
{
    (void)state;
    (void)database_make();
    struct store *users = database_open(STORE_ROLE_ADMIN);
    struct store *wrong = NULL;
    struct stat before;
    struct stat after;
    (void)database_add_user(users, "alice");
    assert_int_equal(stat(scratch_path("latchkey.db"), &before), 0);
    assert_int_equal(store_open_cache(scratch_path("latchkey.db"), SIZE, STORE_ROLE_ADMIN, &wrong),
                     OK);
    struct session_row row = make_row(0, 0);
    assert_int_equal(store_check(wrong), ERR_STORE);
    assert_int_equal(cache_add(wrong, &row), ERR_STORE);
    store_close(&wrong);
    assert_int_equal(stat(scratch_path("latchkey.db"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    struct user found;
    assert_int_equal(users_find(users, TEXT("alice"), &found), OK);
    assert_int_equal(store_verify(users), OK);
    store_close(&users);
}

static void a_reader_that_stays_cannot_make_the_log_grow(void **state)
{
    (void)state;
    struct db_settings settings = get_settings();
    struct db *reader = NULL;
    struct db_statement *statement = NULL;
    bool row = false;
    fill(0, 100);
    assert_int_equal(db_open(&settings, &reader), OK);
    assert_int_equal(db_prepare(reader, "SELECT key FROM session", &statement), OK);
    assert_int_equal(db_step(statement, &row), OK);
    assert_true(row);
    enum status status = OK;
    for (int i = 100; i < 5000 && status == OK; i++) {
        status = add(0, i);
    }
    assert_int_equal(status, ERR_STORE);
    assert_true(size_of_all() <= SIZE);
    db_statement_free(&statement);
    db_close(&reader);
    fill(5000, 5100);
    assert_true(is_there(0, 5099));
}

static void without_a_folder_to_write_it_fails_and_says_why(void **state)
{
    (void)state;
    static char text[HEADER_MAX];
    struct store *nowhere = NULL;
    struct session_row row = make_row(0, 0);
    assert_int_equal(
        store_open_cache(scratch_path("none/cache.db"), SIZE, STORE_ROLE_LOGIN, &nowhere), OK);
    capture_start();
    assert_int_equal(cache_add(nowhere, &row), ERR_STORE);
    (void)snprintf(text, sizeof text, "%s%s", capture_next(), capture_next());
    capture_end();
    assert_non_null(strstr(text, "none"));
    store_close(&nowhere);

    assert_int_equal(mkdir(scratch_path("folder"), 0700), 0);
    assert_int_equal(mkdir(scratch_path("folder/cache.db"), 0700), 0);
    assert_int_equal(
        store_open_cache(scratch_path("folder/cache.db"), SIZE, STORE_ROLE_LOGIN, &nowhere), OK);
    capture_start();
    assert_int_equal(cache_add(nowhere, &row), ERR_STORE);
    (void)snprintf(text, sizeof text, "%s", capture_next());
    capture_end();
    assert_non_null(strstr(text, "move it away"));
    store_close(&nowhere);
}

static void what_root_makes_belongs_to_the_owner_of_the_folder(void **state)
{
    (void)state;
    struct store *given = NULL;
    struct stat found;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(mkdir(scratch_path("theirs"), 0700), 0);
    assert_int_equal(chown(scratch_path("theirs"), 33, 33), 0);
    assert_int_equal(
        store_open_cache(scratch_path("theirs/cache.db"), SIZE, STORE_ROLE_ADMIN, &given), OK);
    assert_int_equal(store_check(given), OK);
    static const char *const names[] = {"theirs/cache.db", "theirs/cache.db-wal",
                                        "theirs/cache.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(stat(scratch_path(names[i]), &found), 0);
        assert_int_equal(found.st_uid, 33);
        assert_int_equal(found.st_mode & 07777, 0600);
    }
    store_close(&given);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_cache_is_made_when_it_is_first_used),
        TEST(sessions_are_found_touched_and_removed),
        TEST(statements_of_one_kind_are_not_for_the_other),
        TEST(each_role_may_do_its_part_and_no_other),
        TEST(the_gate_makes_room_but_adds_nothing),
        TEST(what_was_not_used_for_the_longest_time_goes_first),
        TEST(what_is_over_goes_before_what_is_alive),
        TEST(of_the_same_second_the_first_one_goes),
        TEST(the_log_tells_of_evictions_once_an_hour),
        TEST(data_takes_room_and_gives_it_back),
        TEST(a_hundred_thousand_sessions_fit_into_four_megabytes),
        TEST(writers_that_are_killed_do_no_harm),
        TEST(many_may_make_it_at_once),
        TEST(what_is_no_cache_of_this_version_is_made_anew),
        TEST(a_cache_that_became_smaller_is_made_anew),
        TEST(a_damaged_cache_is_made_anew_without_a_restart),
        TEST(a_cache_that_is_removed_is_made_anew_without_a_restart),
        TEST(the_database_of_users_is_never_taken_for_a_cache),
        TEST(a_reader_that_stays_cannot_make_the_log_grow),
        TEST(without_a_folder_to_write_it_fails_and_says_why),
        TEST(what_root_makes_belongs_to_the_owner_of_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
