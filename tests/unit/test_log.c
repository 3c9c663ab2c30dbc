#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "capture.h"
#include "tables.h"

#define LINE_MAX_BYTES 1000

static int start(void **state)
{
    (void)state;
    log_open("tester", LOG_LEVEL_DEBUG);
    capture_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_end();
    return 0;
}

/* One write, which is the whole line of that level and text. */
static void assert_line(const char *level, const char *text)
{
    char wanted[2000];
    (void)snprintf(wanted, sizeof wanted, "tester[%ld]: %s: %s\n", (long)getpid(), level, text);
    assert_string_equal(capture_next(), wanted);
}

static void a_line_names_program_process_and_level(void **state)
{
    (void)state;
    log_error("no %s", "way");
    log_warning("%d left", 3);
    log_info("started");
    log_debug("%s", "");
    assert_line("error", "no way");
    assert_line("warning", "3 left");
    assert_line("info", "started");
    assert_line("debug", "");
    assert_string_equal(capture_next(), "");
}

static void less_important_lines_are_not_written(void **state)
{
    (void)state;
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    for (int limit = LOG_LEVEL_ERROR; limit <= LOG_LEVEL_DEBUG; limit++) {
        log_open("tester", (enum log_level)limit);
        log_debug("x");
        log_info("x");
        log_warning("x");
        log_error("x");
        for (int i = limit; i >= LOG_LEVEL_ERROR; i--) {
            assert_line(levels[i], "x");
        }
        assert_string_equal(capture_next(), "");
    }
}

static void text_from_outside_cannot_forge_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"a\ntester[1]: info: b", "a\\x0atester[1]: info: b"},
        {"\r\x1b]0;\x7f", "\\x0d\\x1b]0;\\x7f"},
        {"%s%n%x", "%s%n%x"},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91"},
        {"\x9b"
         "31m",
         "\\x9b31m"}, /* C1 as a byte */
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* C1 as UTF-8 */
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xc0\x8a", "\\xc0\\x8a"}, /* overlong newline */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        log_info("%s", cases[i].text);
        assert_line("info", cases[i].written);
        assert_string_equal(capture_next(), "");
    }
}

static void the_name_of_the_program_cannot_forge_a_line(void **state)
{
    (void)state;
    log_open("a\nb", LOG_LEVEL_DEBUG);
    log_info("x");
    char wanted[100];
    (void)snprintf(wanted, sizeof wanted, "a\\x0ab[%ld]: info: x\n", (long)getpid());
    assert_string_equal(capture_next(), wanted);
}

/* For each length of a text of pieces: cut or not, the line fits, ends once, and halves nothing. */
static void check_cut(const char *piece, const char *written)
{
    char text[2100] = "";
    for (size_t count = 1; strlen(text) + strlen(piece) < sizeof text; count++) {
        memcpy(text + strlen(text), piece, strlen(piece) + 1);
        log_info("%s", text);
        const char *line = capture_next();
        size_t len = strlen(line);
        assert_in_range(len, 1, LINE_MAX_BYTES);
        assert_ptr_equal(strchr(line, '\n'), line + len - 1);
        const char *rest = strstr(line, "info: ") + strlen("info: ");
        size_t pieces = 0;
        while (strncmp(rest, written, strlen(written)) == 0) {
            rest += strlen(written);
            pieces++;
        }
        if (strcmp(rest, "\n") == 0) {
            assert_int_equal(pieces, count);
        } else {
            assert_string_equal(rest, "...\n");
            assert_true(pieces < count && len > LINE_MAX_BYTES - 10);
        }
    }
}

static void long_lines_are_cut_between_characters(void **state)
{
    (void)state;
    check_cut("x", "x");
    check_cut("\n", "\\x0a");
    check_cut("\xe2\x82\xac", "\xe2\x82\xac");
    check_cut("\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91");
}

static void errno_survives_a_line(void **state)
{
    (void)state;
    errno = ENOSPC;
    log_error("%s", "x");
    assert_int_equal(errno, ENOSPC);
}

static void a_line_that_nobody_can_take_is_lost_in_peace(void **state)
{
    (void)state;
    int standard_error = dup(STDERR_FILENO);
    assert_true(standard_error >= 0);
    assert_int_equal(close(STDERR_FILENO), 0);
    errno = EAGAIN;
    log_error("x");
    int seen = errno;
    assert_int_equal(dup2(standard_error, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(standard_error), 0);
    assert_int_equal(seen, EAGAIN);
    assert_string_equal(capture_next(), "");
}

static void a_reader_that_has_stopped_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    char bytes[4096];
    int standard_error = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    (void)alarm(10); /* ends the test if it comes to a halt */
    for (int i = 0; i < 1000; i++) {
        log_error("%0900d", i);
    }
    (void)alarm(0);
    assert_true(read(ends[0], bytes, sizeof bytes) > 900); /* the first lines are there */
    assert_int_equal(dup2(standard_error, STDERR_FILENO), STDERR_FILENO);
    (void)close(standard_error);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_has_stopped_holds_nobody_up),
        TEST(a_line_names_program_process_and_level),
        TEST(less_important_lines_are_not_written),
        TEST(text_from_outside_cannot_forge_a_line),
        TEST(the_name_of_the_program_cannot_forge_a_line),
        TEST(long_lines_are_cut_between_characters),
        TEST(errno_survives_a_line),
        TEST(a_line_that_nobody_can_take_is_lost_in_peace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
