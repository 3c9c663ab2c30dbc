#include "small_cache.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

struct store *small_cache_open(enum store_role role, uint64_t size)
{
    struct store *opened = NULL;
    assert_int_equal(store_open_cache(scratch_path("cache.db"), size, role, &opened), OK);
    return opened;
}

/* The cache past the store. */
struct store *small_cache_make(void)
{
    small_cache_remove();
    return small_cache_open(STORE_ROLE_ADMIN, SMALL_CACHE_BYTES);
}

struct db_settings small_cache_settings(void)
{
    static char path[PATH_MAX]; /* scratch_path's soon serve others */
    (void)snprintf(path, sizeof path, "%s", scratch_path("cache.db"));
    return (struct db_settings){.path = path, .kind = DB_CACHE, .max_bytes = SMALL_CACHE_BYTES};
}

void small_cache_remove(void)
{
    (void)unlink(scratch_path("cache.db"));
    (void)unlink(scratch_path("cache.db-wal"));
    (void)unlink(scratch_path("cache.db-shm"));
}

struct session_row small_cache_row(int writer, int number)
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

enum status small_cache_add(struct store *store, int writer, int number)
{
    struct session_row row = small_cache_row(writer, number);
    return cache_add(store, &row);
}

bool small_cache_holds(struct store *store, int writer, int number)
{
    struct session_row row = small_cache_row(writer, number);
    struct session_row found = {0};
    enum status status = sessions_find(store, row.key, &found);
    assert_true(status == OK || status == ERR_NOT_FOUND);
    return status == OK;
}

struct cache_use small_cache_use(struct store *store)
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

uint64_t small_cache_size(void)
{
    return size_of("cache.db") + size_of("cache.db-wal") + size_of("cache.db-shm");
}

void small_cache_fill(struct store *store, int from, int to)
{
    for (int i = from; i < to; i++) {
        assert_int_equal(small_cache_add(store, 0, i), OK);
    }
}

/* Adds until the first session had to go. */
int small_cache_fill_up(struct store *store)
{
    int number = 0;
    while (number % 64 != 0 || small_cache_use(store).evicted == 0) {
        assert_int_equal(small_cache_add(store, 0, number++), OK);
        assert_true(number < 100000);
    }
    return number;
}

/* What a writing process does: adds, and uses some of what it added. */
static int write_sessions(int writer, int from, int to)
{
    struct store *store = small_cache_open(STORE_ROLE_LOGIN, SMALL_CACHE_BYTES);
    for (int i = from; i < to; i++) {
        struct session_row used = small_cache_row(writer, i - i % 7);
        enum status status = small_cache_add(store, writer, i);
        if (status != OK) {
            (void)fprintf(stderr, "writer %d, session %d: %s\n", writer, i, status_text(status));
            return 1;
        }
        status = i % 5 == 0 ? database_touch(store, &used, NOON + i) : OK;
        (void)status; /* a use is noted if nobody else is writing */
    }
    store_close(&store);
    return 0;
}

pid_t small_cache_start_writer(int writer, int from, int to)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(write_sessions(writer, from, to));
    }
    return child;
}
