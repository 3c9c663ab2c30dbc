/* What FastCGI workers do when they have answered. */
#include "http/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fastcgi_client.h"
#include "pause.h"
#include "service.h"

#define TENDS_MAX 64

static struct tended tends[TENDS_MAX];

/* Waits until the program has tended that often, for 5 s at most; how often it has. */
static size_t wait_for_tends(size_t wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < 250 && (count = service_read_tends(tends, TENDS_MAX)) < wanted; i++) {
        pause_ms(20);
    }
    return count;
}

static void an_answer_does_not_wait_for_what_is_to_be_tended(void **state)
{
    pid_t master =
        service_start((struct service_options){.tends = true, .tend_ms = 1500, .again_ms = -1});
    (void)state;
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_ask_pid("/") > 0);
    int64_t answered_ms = clock_monotonic_ms();
    assert_in_range(answered_ms - begin_ms, 0, 1300);
    assert_int_equal(wait_for_tends(1), 1);
    assert_in_range(tends[0].at_ms, begin_ms, answered_ms + 1300);
    assert_int_equal(tends[0].answers, 1);
    assert_false(tends[0].leaving);
    assert_int_equal(service_stop(master), 0);
}

static void tending_that_asks_for_nothing_waits_for_the_next_answer(void **state)
{
    pid_t master = service_start((struct service_options){.tends = true, .again_ms = -1});
    (void)state;
    int silent = service_connect();
    pause_ms(300);
    assert_int_equal(service_read_tends(tends, TENDS_MAX), 0);
    for (size_t i = 1; i <= 3; i++) {
        assert_true(service_ask_pid("/") > 0);
        assert_int_equal(wait_for_tends(i), i);
        pause_ms(300);
        assert_int_equal(service_read_tends(tends, TENDS_MAX), i);
        assert_int_equal(tends[i - 1].answers, i);
    }
    (void)close(silent);
    assert_int_equal(service_stop(master), 0);
}

static void tending_comes_back_after_the_time_it_asked_for_and_not_earlier(void **state)
{
    enum { AGAIN_MS = 400, TIMES = 4 };
    pid_t master = service_start((struct service_options){.tends = true, .again_ms = AGAIN_MS});
    (void)state;
    assert_true(service_ask_pid("/") > 0);
    assert_int_equal(wait_for_tends(1), 1);
    assert_true(service_ask_pid("/") > 0); /* which does not hasten it */
    assert_true(wait_for_tends(TIMES) >= TIMES);
    assert_int_equal(service_stop(master), 0);
    for (size_t i = 1; i < TIMES; i++) {
        assert_in_range(tends[i].at_ms - tends[i - 1].at_ms, AGAIN_MS, AGAIN_MS + 900);
        assert_int_equal(tends[i].answers, 2);
    }
}

static void tending_waits_while_requests_are_ready_but_for_a_second_only(void **state)
{
    enum { ASKED = 7 }; /* of 600 ms each */
    pid_t master = service_start((struct service_options){.tends = true, .again_ms = -1});
    int fds[ASKED];
    struct buffer request;
    (void)state;
    buffer_init(&request, RECORDS_MAX);
    request_add(&request, 1, "/slow", (struct text){0});
    int64_t begin_ms = clock_monotonic_ms();
    for (size_t i = 0; i < ASKED; i++) {
        fds[i] = service_connect();
        assert_true(service_send(fds[i], buffer_text(&request), request.len));
    }
    for (size_t i = 0; i < ASKED; i++) {
        struct buffer raw;
        buffer_init(&raw, RECORDS_MAX);
        assert_int_equal(service_read(fds[i], &raw), ENDING_CLOSED);
        buffer_clear(&raw);
    }
    buffer_clear(&request);
    pause_ms(300);
    size_t count = service_read_tends(tends, TENDS_MAX);
    assert_int_equal(service_stop(master), 0);
    assert_in_range(count, 3, 4); /* late, late again, and after the last */
    assert_in_range(tends[0].answers, 2, 3);
    assert_in_range(tends[0].at_ms - begin_ms, 1000, 2600);
    assert_int_equal(tends[count - 1].answers, ASKED);
    for (size_t i = 1; i + 1 < count; i++) {
        assert_in_range(tends[i].at_ms - tends[i - 1].at_ms, 1000, 2600);
    }
}

/* How often the program has logged that it rests after that many answers. */
static size_t count_rests(size_t answers)
{
    struct buffer log;
    char line[64];
    size_t count = 0;
    (void)snprintf(line, sizeof line, "rests after %zu\n", answers);
    buffer_init(&log, RECORDS_MAX);
    service_read_log(&log);
    const char *at = log.data == NULL ? NULL : strstr(log.data, line);
    for (; at != NULL; at = strstr(at + 1, line)) {
        count++;
    }
    buffer_clear(&log);
    return count;
}

static void a_program_rests_after_each_answer_be_there_a_request_or_not(void **state)
{
    enum { ASKED = 3 }; /* of 600 ms each */
    pid_t master = service_start((struct service_options){.rests = true, .again_ms = -1});
    struct buffer request;
    int fds[ASKED];
    (void)state;
    buffer_init(&request, RECORDS_MAX);
    request_add(&request, 1, "/slow", (struct text){0});
    int silent = service_connect();
    pause_ms(300);
    assert_int_equal(count_rests(0), 0);
    for (size_t i = 0; i < ASKED; i++) {
        fds[i] = service_connect();
        assert_true(service_send(fds[i], buffer_text(&request), request.len));
        pause_ms(100); /* or the first one and the second may be answered in the same turn */
    }
    for (size_t i = 0; i < ASKED; i++) {
        struct buffer raw;
        buffer_init(&raw, RECORDS_MAX);
        assert_int_equal(service_read(fds[i], &raw), ENDING_CLOSED);
        buffer_clear(&raw);
    }
    pause_ms(300);
    for (size_t i = 1; i <= ASKED; i++) {
        assert_int_equal(count_rests(i), 1);
    }
    assert_true(service_ask_pid("/") > 0);
    pause_ms(300);
    assert_int_equal(count_rests(ASKED + 1), 1);
    (void)close(silent);
    buffer_clear(&request);
    assert_int_equal(service_stop(master), 0);
}

static void a_program_that_does_not_rest_yet_is_asked_again(void **state)
{
    pid_t master = service_start((struct service_options){.rests = true, .again_ms = 1000});
    (void)state;
    assert_true(service_ask_pid("/") > 0);
    pause_ms(100);
    assert_int_equal(count_rests(1), 1);
    assert_true(service_ask_pid("/") > 0);
    pause_ms(100);
    assert_int_equal(count_rests(2), 1);
    pause_ms(1200);
    assert_in_range(count_rests(1), 1, 2); /* twice if a connection came before its request */
    assert_int_equal(count_rests(2), 2);
    pause_ms(1200);
    assert_int_equal(count_rests(2), 2);
    assert_int_equal(service_stop(master), 0);
}

static void each_worker_tends_once_more_when_it_leaves_after_its_last_answer(void **state)
{
    enum { WORKERS = 3 };
    pid_t master =
        service_start((struct service_options){.workers = WORKERS, .tends = true, .again_ms = -1});
    struct buffer request, raw, answer;
    size_t answers = 0;
    (void)state;
    assert_true(service_ask_pid("/") > 0);
    assert_int_equal(wait_for_tends(1), 1);
    buffer_init(&request, RECORDS_MAX);
    buffer_init(&raw, RECORDS_MAX);
    buffer_init(&answer, RECORDS_MAX);
    request_add(&request, 1, "/slow", (struct text){0});
    int fd = service_connect();
    assert_true(service_send(fd, buffer_text(&request), request.len));
    pause_ms(200);
    assert_int_equal(kill(master, SIGTERM), 0);
    assert_int_equal(service_read(fd, &raw), ENDING_CLOSED);
    assert_true(answer_read(buffer_text(&raw), &answer));
    buffer_clear(&request);
    buffer_clear(&raw);
    buffer_clear(&answer);
    assert_int_equal(service_stop(master), 0);
    size_t count = service_read_tends(tends, TENDS_MAX);
    size_t leaving = 0;
    for (size_t i = 0; i < count; i++) {
        answers += tends[i].leaving ? tends[i].answers : 0;
        leaving += tends[i].leaving;
    }
    assert_int_equal(leaving, WORKERS);
    assert_int_equal(answers, 2); /* the slow one was answered before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_does_not_wait_for_what_is_to_be_tended),
        cmocka_unit_test(tending_that_asks_for_nothing_waits_for_the_next_answer),
        cmocka_unit_test(tending_comes_back_after_the_time_it_asked_for_and_not_earlier),
        cmocka_unit_test(tending_waits_while_requests_are_ready_but_for_a_second_only),
        cmocka_unit_test(a_program_rests_after_each_answer_be_there_a_request_or_not),
        cmocka_unit_test(a_program_that_does_not_rest_yet_is_asked_again),
        cmocka_unit_test(each_worker_tends_once_more_when_it_leaves_after_its_last_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
