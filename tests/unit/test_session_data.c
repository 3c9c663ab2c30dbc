/* What sessions remember: the rows, and many who write them at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "database.h"
#include "scratch.h"
#include "session/data_rows.h"
#include "store/cache.h"

#define LIMIT   1000
#define WRITERS 50

static bool in_cache; /* or in the main database */
static struct store *admin;
static struct store *store;
static struct session_row session;
static uint64_t excess;

static struct store *open_store(enum store_role role)
{
    struct store *opened = NULL;
    if (!in_cache) {
        return database_open(role);
    }
    assert_int_equal(store_open_cache(scratch_path("cache.db"), 1 << 20, role, &opened), OK);
    return opened;
}

static int set_up_database(void **state)
{
    (void)state;
    in_cache = false;
    (void)database_make();
    admin = open_store(STORE_ROLE_ADMIN);
    struct user alice = database_add_user(admin, "alice");
    session = database_add_session(admin, &alice, 'k');
    store = open_store(STORE_ROLE_APP);
    return 0;
}

static int set_up_cache(void **state)
{
    (void)set_up_database(state);
    store_close(&store);
    store_close(&admin);
    in_cache = true;
    (void)unlink(scratch_path("cache.db"));
    (void)unlink(scratch_path("cache.db-wal"));
    (void)unlink(scratch_path("cache.db-shm"));
    admin = open_store(STORE_ROLE_ADMIN);
    assert_int_equal(cache_add(admin, &session), OK);
    store = open_store(STORE_ROLE_APP);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    store_close(&admin);
    return 0;
}

static struct session_data *load(void)
{
    struct session_data *data = NULL;
    assert_int_equal(session_data_new(1 << 20, &data), OK);
    assert_int_equal(session_data_load(data, store, session.key), OK);
    return data;
}

/* How many names there are, whoever wrote them, and the length of the value of "a". */
static size_t count_names(void)
{
    struct session_data *data = load();
    size_t count = session_data_count(data);
    session_data_free(&data);
    return count;
}

static size_t len_of_a(void)
{
    struct session_data *data = load();
    size_t len = session_data_get(data, TEXT("a")).len;
    session_data_free(&data);
    return len;
}

static enum status save(struct session_data *data)
{
    return session_data_save(data, store, session.key, LIMIT, &excess);
}

static void put(struct session_data *data, const char *name, size_t len)
{
    char value[2 * LIMIT];
    memset(value, 'v', sizeof value);
    assert_int_equal(session_data_put(data, text_of(name), (struct text){value, len}), OK);
}

static void what_was_saved_is_there_for_the_next(void **state)
{
    (void)state;
    struct session_data *data = load();
    const char bytes[] = {'\0', '\xff'};
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){bytes, sizeof bytes}), OK);
    put(data, "a", 0);
    put(data, "c", 3);
    assert_int_equal(save(data), OK);
    assert_false(session_data_is_changed(data));
    session_data_free(&data);
    data = load();
    assert_int_equal(session_data_bytes(data), 8);
    assert_memory_equal(session_data_get(data, TEXT("b")).data, bytes, sizeof bytes);
    assert_non_null(session_data_get(data, TEXT("a")).data);
    assert_int_equal(session_data_drop(data, TEXT("a")), OK);
    put(data, "c", 1);
    assert_int_equal(save(data), OK);
    session_data_free(&data);
    data = load();
    assert_null(session_data_get(data, TEXT("a")).data);
    assert_int_equal(session_data_bytes(data), 5);
    session_data_free(&data);
}

static void two_who_change_different_names_lose_nothing(void **state)
{
    (void)state;
    struct session_data *one = load();
    put(one, "shared", 1);
    put(one, "unwanted", 1);
    assert_int_equal(save(one), OK);
    struct session_data *other = load();
    put(one, "one", 1);
    put(other, "other", 1);
    assert_int_equal(session_data_drop(one, TEXT("unwanted")), OK);
    put(other, "shared", 5);
    assert_int_equal(save(one), OK);
    assert_int_equal(save(other), OK);
    session_data_free(&one);
    session_data_free(&other);
    one = load();
    assert_non_null(session_data_get(one, TEXT("one")).data);
    assert_non_null(session_data_get(one, TEXT("other")).data);
    assert_null(session_data_get(one, TEXT("unwanted")).data);
    assert_int_equal(session_data_get(one, TEXT("shared")).len, 5);
    session_data_free(&one);
}

static void too_much_is_refused_as_a_whole_with_the_excess(void **state)
{
    (void)state;
    struct session_data *data = load();
    put(data, "a", LIMIT - 1);
    assert_int_equal(save(data), OK);
    put(data, "b", 6);
    assert_int_equal(save(data), ERR_TOO_LARGE);
    assert_int_equal(excess, 7);
    put(data, "a", 1);
    put(data, "b", LIMIT + 20);
    assert_int_equal(save(data), ERR_TOO_LARGE);
    assert_int_equal(excess, 23);
    assert_true(session_data_is_changed(data));
    assert_int_equal(count_names(), 1);
    assert_int_equal(len_of_a(), LIMIT - 1);
    assert_int_equal(session_data_drop(data, TEXT("b")), OK);
    assert_int_equal(save(data), OK);
    session_data_free(&data);
}

static void what_another_program_saved_meanwhile_counts(void **state)
{
    (void)state;
    struct session_data *one = load();
    struct session_data *other = load();
    put(one, "one", 600);
    put(other, "other", 600);
    assert_int_equal(save(one), OK);
    assert_int_equal(save(other), ERR_TOO_LARGE);
    assert_int_equal(excess, 603 + 605 - LIMIT);
    session_data_free(&one);
    session_data_free(&other);
}

static void data_over_a_limit_that_was_lowered_can_shrink(void **state)
{
    (void)state;
    struct session_data *data = load();
    put(data, "a", LIMIT - 1);
    assert_int_equal(save(data), OK);
    put(data, "a", 500);
    assert_int_equal(session_data_save(data, store, session.key, 100, &excess), OK);
    put(data, "b", 0);
    assert_int_equal(session_data_save(data, store, session.key, 100, &excess), ERR_TOO_LARGE);
    assert_int_equal(excess, 402);
    session_data_free(&data);
}

static void a_session_that_is_gone_remembers_nothing(void **state)
{
    (void)state;
    struct session_data *data = load();
    put(data, "a", 1);
    assert_int_equal(save(data), OK);
    assert_int_equal(sessions_remove(admin, session.key), OK);
    assert_int_equal(count_names(), 0);
    put(data, "b", 1);
    assert_int_equal(save(data), ERR_NOT_FOUND);
    assert_int_equal(count_names(), 0);
    session_data_free(&data);
    data = load();
    assert_int_equal(session_data_bytes(data), 0);
    session_data_free(&data);
}

static void a_row_that_no_program_wrote_is_a_fault(void **state)
{
    (void)state;
    struct session_data *data = NULL;
    database_exec("PRAGMA ignore_check_constraints = ON;"
                  "INSERT INTO session_data SELECT id, printf('%.*c', 65, 'x'), x'00' FROM session;"
                  "INSERT INTO session_data SELECT id, 'a', x'00' FROM session");
    assert_int_equal(session_data_new(LIMIT, &data), OK);
    assert_int_equal(session_data_load(data, store, session.key), ERR_STORE);
    assert_int_equal(session_data_bytes(data), 0);
    session_data_free(&data);
}

static void a_database_that_is_away_is_told(void **state)
{
    (void)state;
    struct session_data *data = load();
    put(data, "a", 1);
    database_hide();
    assert_int_equal(save(data), ERR_STORE);
    assert_true(session_data_is_changed(data));
    database_show();
    assert_int_equal(save(data), OK);
    session_data_free(&data);
}

/* One of many: saves a name of its own, and raises nothing of the others'. */
static int write_as(size_t number)
{
    char name[16];
    struct session_data *data = NULL;
    struct store *own = NULL;
    (void)snprintf(name, sizeof name, "writer-%zu", number);
    own = open_store(STORE_ROLE_APP);
    enum status status = session_data_new(LIMIT, &data);
    if (status == OK) {
        status = session_data_load(data, own, session.key);
    }
    if (status == OK) {
        status = session_data_put(data, text_of(name), text_of("1"));
    }
    if (status == OK) {
        status = session_data_save(data, own, session.key, LIMIT, &excess);
    }
    session_data_free(&data);
    store_close(&own);
    return status == OK ? 0 : 1;
}

static void no_name_of_fifty_parallel_writers_is_lost(void **state)
{
    (void)state;
    pid_t writers[WRITERS];
    store_disconnect(store);
    store_disconnect(admin);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_int_not_equal(writers[i], -1);
        if (writers[i] == 0) {
            _exit(write_as(i));
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int result = -1;
        assert_int_equal(waitpid(writers[i], &result, 0), writers[i]);
        assert_int_equal(result, 0);
    }
    assert_int_equal(count_names(), WRITERS);
}

static void data_in_a_cache_makes_room_for_itself(void **state)
{
    (void)state;
    struct stat file;
    for (unsigned i = 0; i < 2000; i++) {
        memcpy(session.key, &i, sizeof i);
        session.seen_s++;
        assert_int_equal(cache_add(admin, &session), OK);
        struct session_data *data = load();
        put(data, "a", LIMIT - 1);
        assert_int_equal(save(data), OK);
        session_data_free(&data);
        assert_int_equal(len_of_a(), LIMIT - 1);
    }
    assert_int_equal(stat(scratch_path("cache.db"), &file), 0);
    assert_in_range(file.st_size, 1, 1 << 20);
    unsigned first = 0;
    memcpy(session.key, &first, sizeof first);
    struct session_data *data = load();
    put(data, "a", 1);
    assert_int_equal(save(data), ERR_NOT_FOUND);
    session_data_free(&data);
}

#define IN_DATABASE(name) cmocka_unit_test_setup_teardown(name, set_up_database, tear_down)
#define IN_CACHE(name)    cmocka_unit_test_setup_teardown(name, set_up_cache, tear_down)
#define IN_BOTH(name)     IN_DATABASE(name), IN_CACHE(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(what_was_saved_is_there_for_the_next),
        IN_BOTH(two_who_change_different_names_lose_nothing),
        IN_BOTH(too_much_is_refused_as_a_whole_with_the_excess),
        IN_BOTH(what_another_program_saved_meanwhile_counts),
        IN_BOTH(data_over_a_limit_that_was_lowered_can_shrink),
        IN_BOTH(a_session_that_is_gone_remembers_nothing),
        IN_DATABASE(a_row_that_no_program_wrote_is_a_fault),
        IN_DATABASE(a_database_that_is_away_is_told),
        IN_CACHE(data_in_a_cache_makes_room_for_itself),
        IN_BOTH(no_name_of_fifty_parallel_writers_is_lost),
    };
    log_open("test_session_data", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
