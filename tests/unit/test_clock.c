#define _DEFAULT_SOURCE /* syscall */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture.h"
#include "tables.h"

/* The clock that the code under test sees: the real one while `faked` is NULL. */
static const struct timespec *faked;
static int fake_failure;

int clock_gettime(clockid_t id, struct timespec *out)
{
    if (fake_failure != 0) {
        errno = fake_failure;
        return -1;
    }
    if (faked != NULL && id == CLOCK_REALTIME) {
        *out = *faked;
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, id, out);
}

static void the_time_of_day_is_told_in_seconds(void **state)
{
    (void)state;
    time_t before = time(NULL);
    int64_t now = 0;
    assert_int_equal(clock_get(&now), OK);
    assert_in_range(now, before - 1, before + 5); /* time() may lag by a tick */
    faked = &(struct timespec){1795536309, 999999999};
    assert_int_equal(clock_get(&now), OK);
    faked = NULL;
    assert_int_equal(now, 1795536309);
}

static void a_clock_before_2024_is_a_failure(void **state)
{
    (void)state;
    static const struct {
        time_t time_s;
        enum status status;
    } cases[] = {
        {0, ERR_SYSTEM},
        {-1, ERR_SYSTEM},
        {1704067199, ERR_SYSTEM},
        {1704067200, OK},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t now = 4711;
        const struct timespec fake = {cases[i].time_s, 0};
        capture_start();
        faked = &fake;
        enum status status = clock_get(&now);
        faked = NULL;
        const char *line = capture_next();
        capture_end();
        assert_int_equal(status, cases[i].status);
        assert_int_equal(now, status == OK ? cases[i].time_s : 4711);
        assert_int_equal(strstr(line, "2024") != NULL, status != OK);
    }
}

static void a_clock_that_cannot_be_read_is_a_failure(void **state)
{
    (void)state;
    int64_t now = 4711;
    capture_start();
    fake_failure = EPERM;
    enum status status = clock_get(&now);
    fake_failure = 0;
    const char *line = capture_next();
    capture_end();
    assert_int_equal(status, ERR_SYSTEM);
    assert_int_equal(now, 4711);
    assert_non_null(strstr(line, "cannot read the clock"));
}

static void deadlines_do_not_follow_the_time_of_day(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ms();
    faked = &(struct timespec){0, 0};
    int64_t after = clock_monotonic_ms();
    faked = NULL;
    assert_true(after >= before && after < before + 60000);
    const struct timespec nap = {0, 20 * 1000 * 1000};
    (void)nanosleep(&nap, NULL);
    int64_t later = clock_monotonic_ms();
    assert_true(later >= after + 20 && later < after + 60000);
}

static void times_are_printed_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t time_s;
        const char *text;
    } cases[] = {
        {0, "1970-01-01 00:00:00 UTC"},          {951782400, "2000-02-29 00:00:00 UTC"},
        {1795536309, "2026-11-24 16:05:09 UTC"}, {4102444800, "2100-01-01 00:00:00 UTC"},
        {INT64_MAX, "@9223372036854775807"},     {INT64_MIN, "@-9223372036854775808"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[CLOCK_TEXT_MAX];
        clock_print(cases[i].time_s, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void stretches_are_told_in_the_largest_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t past_s;
        const char *ago, *span;
    } cases[] = {
        {-5, "just now", "0 seconds"},      {0, "just now", "0 seconds"},
        {1, "just now", "1 second"},        {59, "just now", "59 seconds"},
        {60, "1 minute ago", "1 minute"},   {61, "1 minute ago", "2 minutes"},
        {119, "1 minute ago", "2 minutes"}, {900, "15 minutes ago", "15 minutes"},
        {3600, "1 hour ago", "1 hour"},     {86399, "23 hours ago", "24 hours"},
        {86400, "1 day ago", "1 day"},      {INT64_C(400) * 86400, "400 days ago", "400 days"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[CLOCK_TEXT_MAX];
        clock_print_ago(1800000000 - cases[i].past_s, 1800000000, text);
        assert_string_equal(text, cases[i].ago);
        clock_print_span(cases[i].past_s, text);
        assert_string_equal(text, cases[i].span);
    }
}

static void days_and_times_of_utc_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t time_s;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:01Z", 1},
        {"2000-02-29", 951782400},
        {"2000-03-01", 951868800},
        {"2024-12-31T23:59:59Z", 1735689599},
        {"2026-11-24", 1795478400},
        {"2026-11-24T16:05:09Z", 1795536309},
        {"2100-02-28", 4107456000},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t time_s = -1;
        char printed[CLOCK_TEXT_MAX];
        assert_int_equal(clock_parse(text_of(cases[i].text), &time_s), OK);
        assert_int_equal(time_s, cases[i].time_s);
        clock_print(time_s, printed);
        assert_memory_equal(printed, cases[i].text, 10);
    }
}

static void what_is_no_such_time_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-2",
        "26-11-24",
        "2026-11-24 ",
        " 2026-11-24",
        "2026-13-01",
        "2026-00-01",
        "2026-11-00",
        "2026-11-31",
        "2026-02-29",
        "2100-02-29",
        "1969-12-31",
        "0000-01-01",
        "+202-11-24",
        "2026-1a-24",
        "2026/11/24",
        "2026-11-24T",
        "2026-11-24T16:05Z",
        "2026-11-24T16:05:09",
        "2026-11-24T16:05:09z",
        "2026-11-24t16:05:09Z",
        "2026-11-24 16:05:09Z",
        "2026-11-24T16:05:09+00:00",
        "2026-11-24T24:00:00Z",
        "2026-11-24T16:60:09Z",
        "2026-11-24T16:05:60Z",
        "2026-11-24T16:05:09.5Z",
        "2026-11-24T16:05:09ZZ",
        "2026-11-24T-1:05:09Z",
        "12026-11-24",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int64_t time_s = 4711;
        if (clock_parse(text_of(wrong[i]), &time_s) != ERR_INPUT) {
            fail_msg("%s", wrong[i]);
        }
        assert_int_equal(time_s, 4711);
    }
    assert_int_equal(clock_parse((struct text){"2026-11-24\0", 11}, &(int64_t){0}), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_day_is_told_in_seconds),
        cmocka_unit_test(a_clock_before_2024_is_a_failure),
        cmocka_unit_test(a_clock_that_cannot_be_read_is_a_failure),
        cmocka_unit_test(deadlines_do_not_follow_the_time_of_day),
        cmocka_unit_test(times_are_printed_for_people),
        cmocka_unit_test(stretches_are_told_in_the_largest_unit),
        cmocka_unit_test(days_and_times_of_utc_are_read),
        cmocka_unit_test(what_is_no_such_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
