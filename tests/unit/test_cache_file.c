/* The file of the memory cache: shared by many programs, and made anew when need be. */
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
#include "native.h"
#include "scratch.h"
#include "small_cache.h"

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

static void a_cache_is_made_when_it_is_first_used(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(access(scratch_path("cache.db"), F_OK), -1);
    assert_int_equal(store_connect(store), OK);
    assert_int_equal(stat(scratch_path("cache.db"), &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    assert_int_equal(stat(scratch_path("cache.db-wal"), &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    struct cache_use use = small_cache_use(store);
    assert_int_equal(use.sessions, 0);
    assert_int_equal(use.evicted, 0);
    assert_true(use.used_bytes > 0 && use.used_bytes < use.most_bytes &&
                use.most_bytes < SMALL_CACHE_BYTES);
    assert_int_equal(store_verify(store), OK);
}

static void writers_that_are_killed_do_no_harm(void **state)
{
    (void)state;
    skip_unless_native("speed");
    for (int round = 0; round < 25; round++) {
        pid_t writers[2];
        for (int i = 0; i < 2; i++) {
            writers[i] = small_cache_start_writer(i, round * 10000, round * 10000 + 10000);
        }
        long pause_ns = 1000000L * (1 + round * 7 % 50);
        (void)nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
        for (int i = 0; i < 2; i++) {
            int status = 0;
            assert_int_equal(kill(writers[i], SIGKILL), 0);
            assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
            assert_true(WIFSIGNALED(status));
        }
        assert_int_equal(small_cache_add(store, 7, round), OK);
        assert_true(small_cache_holds(store, 7, round));
        assert_int_equal(store_verify(store), OK);
        /* With nobody there, the next one has to mend what was left half done. */
        store_disconnect(store);
        assert_int_equal(store_verify(store), OK);
    }
    assert_true(small_cache_use(store).sessions > 100);
    assert_true(small_cache_size() <= SMALL_CACHE_BYTES);
}

static void many_may_make_it_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        small_cache_remove();
        if (round % 2 == 1) {
            (void)scratch_write("cache.db", "not a database, but a text that is long enough to be "
                                            "taken for the header of one, with its 100 bytes");
        }
        for (int i = 0; i < 8; i++) {
            (void)small_cache_start_writer(i, 0, 10);
        }
        for (int i = 0; i < 8; i++) {
            int status = -1;
            assert_true(wait(&status) > 0);
            assert_int_equal(status, 0);
        }
        store_disconnect(store);
        assert_int_equal(small_cache_use(store).sessions, 80);
        assert_int_equal(store_verify(store), OK);
    }
}

/* Connects once more and finds the cache empty, but usable. */
static void expect_anew(void)
{
    assert_int_equal(small_cache_use(store).sessions, 0);
    assert_int_equal(small_cache_add(store, 0, 1), OK);
    assert_true(small_cache_holds(store, 0, 1));
    assert_int_equal(store_verify(store), OK);
}

static void exec(const char *script)
{
    struct db_settings settings = small_cache_settings();
    struct db *db = NULL;
    assert_int_equal(db_open(&settings, &db), OK);
    assert_int_equal(db_exec(db, script), OK);
    db_close(&db);
}

static void what_is_no_cache_of_this_version_is_made_anew(void **state)
{
    (void)state;
    struct db *db = NULL;
    small_cache_fill(store, 0, 10);
    store_disconnect(store);
    exec("PRAGMA user_version = 7");
    expect_anew();
    store_disconnect(store);
    exec("PRAGMA application_id = 7");
    expect_anew();
    store_disconnect(store);
    small_cache_remove();
    (void)scratch_write("cache.db", "");
    expect_anew();
    store_disconnect(store);
    small_cache_remove();
    (void)scratch_write("cache.db", "This is a shopping list and no database at all, whatever else "
                                    "it is, and longer than a header of 100 bytes.");
    expect_anew();
    /* Not, however, for the database of users. */
    assert_int_equal(database_connect(scratch_path("cache.db"), DB_EXISTING, &db), ERR_STORE);
    assert_int_equal(database_connect(scratch_path("cache.db"), DB_CREATE, &db), ERR_STORE);
    assert_true(small_cache_holds(store, 0, 1));
}

static void a_cache_that_became_smaller_is_made_anew(void **state)
{
    (void)state;
    (void)small_cache_fill_up(store);
    store_close(&store);
    store = small_cache_open(STORE_ROLE_ADMIN, SMALL_CACHE_BYTES / 2);
    expect_anew();
    assert_true(small_cache_size() <= SMALL_CACHE_BYTES / 2);
    store_close(&store);
    store = small_cache_open(STORE_ROLE_ADMIN, SMALL_CACHE_BYTES);
    assert_true(small_cache_holds(store, 0, 1));
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
            small_cache_fill(store, 1000 * (int)i, 1000 * (int)i + 1000);
            if (running == 0) {
                store_disconnect(store);
            }
            overwrite(damages[i].file, damages[i].from, damages[i].to);
            /* Some requests may fail, but it mends itself soon. */
            int failed = 0;
            for (int number = 50000; number < 50020; number++) {
                struct session_row row = small_cache_row(0, number);
                enum status status = cache_add(store, &row);
                failed += status != OK;
                assert_true(status == OK || status == ERR_STORE || status == ERR_EXISTS);
            }
            struct session_row row = small_cache_row(0, 50019);
            struct session_row found;
            if (failed > 3 || sessions_find(store, row.key, &found) != OK ||
                store_verify(store) != OK) {
                fail_msg("damage %d, running %d: %d failed", (int)i, running, failed);
            }
            store_disconnect(store);
            small_cache_remove();
        }
    }
}

static void a_cache_that_is_removed_is_made_anew_without_a_restart(void **state)
{
    (void)state;
    static const char *const removed[] = {"cache.db", "cache.db-wal", "all"};
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
        small_cache_fill(store, 0, 100);
        struct store *other = small_cache_open(STORE_ROLE_GATE, SMALL_CACHE_BYTES);
        assert_int_equal(store_connect(other), OK);
        if (strcmp(removed[i], "all") == 0) {
            small_cache_remove();
        } else {
            assert_int_equal(unlink(scratch_path(removed[i])), 0);
        }
        struct session_row row = small_cache_row(0, 200);
        struct session_row found;
        assert_int_equal(cache_add(store, &row), OK);
        assert_int_equal(sessions_find(store, row.key, &found), OK);
        assert_int_equal(sessions_find(other, row.key, &found), OK);
        row = small_cache_row(0, 5);
        if (strcmp(removed[i], "cache.db-wal") != 0) {
            assert_int_equal(sessions_find(other, row.key, &found), ERR_NOT_FOUND);
        }
        store_close(&other);
        assert_int_equal(small_cache_add(store, 0, 201),
                         OK); /* closing the old one did the new one no harm */
        assert_int_equal(store_verify(store), OK);
        small_cache_remove();
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
    assert_int_equal(
        store_open_cache(scratch_path("latchkey.db"), SMALL_CACHE_BYTES, STORE_ROLE_ADMIN, &wrong),
        OK);
    struct session_row row = small_cache_row(0, 0);
    assert_int_equal(store_connect(wrong), ERR_STORE);
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
    struct db_settings settings = small_cache_settings();
    struct db *reader = NULL;
    struct db_statement *statement = NULL;
    bool row = false;
    small_cache_fill(store, 0, 100);
    assert_int_equal(db_open(&settings, &reader), OK);
    assert_int_equal(db_prepare(reader, "SELECT id FROM session", &statement), OK);
    assert_int_equal(db_step(statement, &row), OK);
    assert_true(row);
    enum status status = OK;
    for (int i = 100; i < 5000 && status == OK; i++) {
        status = small_cache_add(store, 0, i);
    }
    assert_int_equal(status, ERR_STORE);
    assert_true(small_cache_size() <= SMALL_CACHE_BYTES);
    db_statement_free(&statement);
    db_close(&reader);
    small_cache_fill(store, 5000, 5100);
    assert_true(small_cache_holds(store, 0, 5099));
}

/* Who opens a cache that nobody has open reads its log, as each CGI program does. */
static void the_last_to_close_it_leaves_a_short_log(void **state)
{
    (void)state;
    struct stat log;
    small_cache_fill(store, 0, 1000);
    assert_int_equal(stat(scratch_path("cache.db-wal"), &log), 0);
    assert_true(log.st_size > 100000);
    store_disconnect(store);
    assert_int_equal(stat(scratch_path("cache.db-wal"), &log), 0);
    assert_true(log.st_size <= 65536);
    assert_true(small_cache_holds(store, 0, 0) && small_cache_holds(store, 0, 999));
}

static void without_a_folder_to_write_it_fails_and_says_why(void **state)
{
    (void)state;
    static char text[4096];
    struct store *nowhere = NULL;
    struct session_row row = small_cache_row(0, 0);
    assert_int_equal(store_open_cache(scratch_path("none/cache.db"), SMALL_CACHE_BYTES,
                                      STORE_ROLE_LOGIN, &nowhere),
                     OK);
    capture_start();
    assert_int_equal(cache_add(nowhere, &row), ERR_STORE);
    (void)snprintf(text, sizeof text, "%s%s", capture_next(), capture_next());
    capture_end();
    assert_non_null(strstr(text, "none"));
    store_close(&nowhere);

    assert_int_equal(mkdir(scratch_path("folder"), 0700), 0);
    assert_int_equal(mkdir(scratch_path("folder/cache.db"), 0700), 0);
    assert_int_equal(store_open_cache(scratch_path("folder/cache.db"), SMALL_CACHE_BYTES,
                                      STORE_ROLE_LOGIN, &nowhere),
                     OK);
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
    assert_int_equal(store_open_cache(scratch_path("theirs/cache.db"), SMALL_CACHE_BYTES,
                                      STORE_ROLE_ADMIN, &given),
                     OK);
    assert_int_equal(store_connect(given), OK);
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
        TEST(writers_that_are_killed_do_no_harm),
        TEST(many_may_make_it_at_once),
        TEST(what_is_no_cache_of_this_version_is_made_anew),
        TEST(a_cache_that_became_smaller_is_made_anew),
        TEST(a_damaged_cache_is_made_anew_without_a_restart),
        TEST(a_cache_that_is_removed_is_made_anew_without_a_restart),
        TEST(the_database_of_users_is_never_taken_for_a_cache),
        TEST(a_reader_that_stays_cannot_make_the_log_grow),
        TEST(the_last_to_close_it_leaves_a_short_log),
        TEST(without_a_folder_to_write_it_fails_and_says_why),
        TEST(what_root_makes_belongs_to_the_owner_of_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
