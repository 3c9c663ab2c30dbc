#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/lock.h"
#include "capture.h"
#include "scratch.h"
#include "tables.h"

static int start(void **state)
{
    (void)state;
    capture_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_end();
    return 0;
}

/* Exactly one line was logged, and it names the thing. */
static void assert_logged(const char *thing)
{
    const char *line = capture_next();
    if (strstr(line, thing) == NULL) {
        fail_msg("\"%s\" is not in: %s", thing, line);
    }
    assert_string_equal(capture_next(), "");
}

static void a_locked_folder_is_waited_for_no_longer_than_the_limit(void **state)
{
    (void)state;
    static const int limits_ms[] = {0, 150};
    int first = -1;
    assert_int_equal(lock_folder(scratch_path("not-there"), -1, &first), OK);
    for (size_t i = 0; i < COUNT(limits_ms); i++) {
        int second = -7;
        int64_t begin_ms = clock_monotonic_ms();
        assert_int_equal(lock_folder(scratch_path("other"), limits_ms[i], &second), ERR_SYSTEM);
        assert_in_range(clock_monotonic_ms() - begin_ms, limits_ms[i], limits_ms[i] + 2000);
        assert_int_equal(second, -7);
        assert_logged(scratch_folder());
    }
    assert_int_equal(close(first), 0);
    assert_int_equal(lock_folder(scratch_path("other"), 0, &first), OK);
    assert_int_not_equal(fcntl(first, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(close(first), 0);
    assert_string_equal(capture_next(), "");
}

static void a_lock_is_got_as_soon_as_it_is_free(void **state)
{
    (void)state;
    static const int limits_ms[] = {-1, 20000};
    const struct timespec held = {.tv_nsec = 200000000L};
    for (size_t i = 0; i < COUNT(limits_ms); i++) {
        int lock = -1;
        int ready[2];
        char byte = 0;
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bool locked = lock_folder(scratch_path("x"), -1, &lock) == OK;
            bool told = write(ready[1], "x", 1) == 1;
            (void)nanosleep(&held, NULL);
            _exit(locked && told ? 0 : 1); /* which ends the lock */
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        int64_t begin_ms = clock_monotonic_ms();
        assert_int_equal(lock_folder(scratch_path("x"), limits_ms[i], &lock), OK);
        assert_in_range(clock_monotonic_ms() - begin_ms, 50, 10000);
        int ended = -1;
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_int_equal(ended, 0);
        assert_int_equal(close(lock) + close(ready[0]) + close(ready[1]), 0);
    }
}

static void a_folder_that_cannot_be_opened_is_not_locked(void **state)
{
    (void)state;
    char below[300];
    static char endless[5000];
    int lock = -7;
    (void)snprintf(below, sizeof below, "%s/below", scratch_write("plain", "x"));
    assert_int_equal(lock_folder(below, -1, &lock), ERR_NOT_FOUND);
    assert_logged("plain: ");
    assert_int_equal(lock_folder(scratch_path("nowhere/x"), -1, &lock), ERR_NOT_FOUND);
    assert_logged("nowhere: ");
    memset(endless, 'a', sizeof endless - 1);
    endless[4900] = '/';
    assert_int_equal(lock_folder(endless, -1, &lock), ERR_SYSTEM);
    assert_string_not_equal(capture_next(), "");
    assert_int_equal(lock, -7);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_locked_folder_is_waited_for_no_longer_than_the_limit),
        TEST(a_lock_is_got_as_soon_as_it_is_free),
        TEST(a_folder_that_cannot_be_opened_is_not_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
