/* Connections that are handed from one process to another. */
#include "http/handover.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "native.h"

#define MANY 128 /* more than are ever let in */

static struct handover handover;
static size_t known_in_a_row;

static int set_up(void **state)
{
    (void)state;
    capture_start();
    known_in_a_row = 0;
    return handover_open(&handover) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    handover_close(&handover);
    capture_end();
    return 0;
}

/* Puts the reading end of a pipe that holds `name`. */
static void put(enum handover_line line, char name)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], &name, 1), 1);
    assert_int_equal(handover_put(&handover, line, ends[0]), OK);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

/* The name in what is taken; '-': nobody waited. */
static char take(void)
{
    char name = '?';
    int fd = -1;
    enum status status = handover_take(&handover, &known_in_a_row, &fd);
    if (status == ERR_NOT_FOUND) {
        assert_int_equal(fd, -1);
        return '-';
    }
    assert_int_equal(status, OK);
    assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(read(fd, &name, 1), 1);
    assert_int_equal(close(fd), 0);
    return name;
}

static void who_is_known_is_taken_first_and_each_line_in_order(void **state)
{
    static const char order[] = "cdab-";
    (void)state;
    put(HANDOVER_STRANGERS, 'a');
    put(HANDOVER_STRANGERS, 'b');
    put(HANDOVER_KNOWN, 'c');
    put(HANDOVER_KNOWN, 'd');
    assert_int_equal(handover_count(&handover, HANDOVER_STRANGERS), 2);
    assert_int_equal(handover_count(&handover, HANDOVER_KNOWN), 2);
    for (size_t i = 0; i < strlen(order); i++) {
        assert_int_equal(take(), order[i]);
    }
    assert_int_equal(handover_count(&handover, HANDOVER_STRANGERS), 0);
    assert_int_equal(handover_count(&handover, HANDOVER_KNOWN), 0);
}

static void after_three_known_ones_a_stranger_goes_first_if_one_waits(void **state)
{
    static const char order[] = "KKKaKKKbK";
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        put(HANDOVER_KNOWN, 'K');
    }
    put(HANDOVER_STRANGERS, 'a');
    put(HANDOVER_STRANGERS, 'b');
    for (size_t i = 0; i < strlen(order); i++) {
        assert_int_equal(take(), order[i]);
    }
    assert_int_equal(take(), '-');
}

static void a_stranger_does_not_wait_for_three_more_after_many_known_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        put(HANDOVER_KNOWN, 'K');
    }
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(take(), 'K');
    }
    put(HANDOVER_STRANGERS, 'a');
    assert_int_equal(take(), 'a');
    assert_int_equal(take(), 'K');
}

static void a_line_holds_more_than_are_ever_let_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        put(HANDOVER_STRANGERS, 'x');
    }
    assert_int_equal(handover_count(&handover, HANDOVER_STRANGERS), MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(take(), 'x');
    }
    assert_int_equal(take(), '-');
}

static void what_a_process_puts_outlives_it(void **state)
{
    int result = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        put(HANDOVER_STRANGERS, 'x');
        _exit(0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(take(), 'x');
}

static void without_a_descriptor_left_a_connection_is_lost_and_the_next_is_not(void **state)
{
    struct rlimit usual;
    int fd = -1;
    (void)state;
    skip_unless_native("descriptors");
    put(HANDOVER_STRANGERS, 'a');
    put(HANDOVER_STRANGERS, 'b');
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    int free_number = dup(STDIN_FILENO); /* the lowest, so the limit leaves no other */
    assert_true(free_number >= 0);
    assert_int_equal(close(free_number), 0);
    const struct rlimit none = {(rlim_t)free_number, usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = handover_take(&handover, &known_in_a_row, &fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(status, ERR_MEMORY);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(capture_next(), "no descriptor left"));
    assert_int_equal(take(), 'b');
}

static void a_line_whose_other_end_is_gone_is_of_no_use(void **state)
{
    int fd = -1;
    (void)state;
    for (size_t i = 0; i < HANDOVER_LINES; i++) {
        assert_int_equal(close(handover.in[i]), 0);
        handover.in[i] = -1;
    }
    assert_int_equal(handover_take(&handover, &known_in_a_row, &fd), ERR_SYSTEM);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(capture_next(), "cannot be taken over"));
    assert_int_equal(handover_put(&handover, HANDOVER_STRANGERS, 0), ERR_SYSTEM);
    assert_non_null(strstr(capture_next(), "could not be handed"));
    handover_close(&handover);
    handover_close(&handover);
}

#define HANDOVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOVER_TEST(who_is_known_is_taken_first_and_each_line_in_order),
        HANDOVER_TEST(after_three_known_ones_a_stranger_goes_first_if_one_waits),
        HANDOVER_TEST(a_stranger_does_not_wait_for_three_more_after_many_known_ones),
        HANDOVER_TEST(a_line_holds_more_than_are_ever_let_in),
        HANDOVER_TEST(what_a_process_puts_outlives_it),
        HANDOVER_TEST(without_a_descriptor_left_a_connection_is_lost_and_the_next_is_not),
        HANDOVER_TEST(a_line_whose_other_end_is_gone_is_of_no_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
