/* A slow program: one process at the door, others that answer the forms. */
#define _GNU_SOURCE
#include "http/porter.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fastcgi_client.h"
#include "native.h"
#include "pause.h"
#include "service.h"

#define PROMPT_MS 300 /* half of what /slow takes */
#define MANY      100

static pid_t start(size_t workers)
{
    return service_start((struct service_options){.workers = workers, .is_slow = true});
}

/* Sends a form whose first field is `field`; the connection on which the answer will come. */
static int send_form(const char *path, const char *field)
{
    struct buffer request;
    char body[32];
    int fd = service_connect();
    assert_true(fd >= 0);
    (void)snprintf(body, sizeof body, "a=%s", field);
    buffer_init(&request, RECORDS_MAX);
    request_add(&request, 1, path, text_of(body));
    assert_true(service_send(fd, buffer_text(&request), request.len));
    buffer_clear(&request);
    return fd;
}

/* The status of the answer that comes on fd, and who gave it, if that is wanted; 0: none came. */
static long read_status(int fd, pid_t *pid)
{
    struct buffer raw, answer;
    long status = 0;
    buffer_init(&raw, RECORDS_MAX);
    buffer_init(&answer, RECORDS_MAX);
    if (service_read(fd, &raw) == ENDING_CLOSED && answer_read(buffer_text(&raw), &answer)) {
        const char *line = strstr(answer.data, "Status: ");
        const char *body = strstr(answer.data, "\r\n\r\n");
        status = line == NULL ? 0 : strtol(line + strlen("Status: "), NULL, 10);
        if (pid != NULL) {
            *pid = body == NULL ? 0 : (pid_t)strtol(body, NULL, 10);
        }
    }
    buffer_clear(&raw);
    buffer_clear(&answer);
    return status;
}

/* Keeps the only worker busy, and gives it the time to begin with that. */
static int hold_worker(void)
{
    int held = send_form("/slow", "held");
    pause_ms(100);
    return held;
}

/* The porter, who answers a page at once. */
static pid_t ask_page(void)
{
    int64_t begin_ms = clock_monotonic_ms();
    pid_t pid = service_ask_pid("/");
    assert_true(pid > 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, PROMPT_MS);
    return pid;
}

/* The forms that the log has as answered, each by a blank: "a b ". */
static void read_order(char *out, size_t room)
{
    struct buffer log;
    static const char answers[] = "answers ";
    buffer_init(&log, RECORDS_MAX);
    service_read_log(&log);
    *out = '\0';
    for (const char *at = strstr(log.data, answers); at != NULL; at = strstr(at, answers)) {
        at += strlen(answers);
        size_t len = strlen(out);
        (void)snprintf(out + len, room - len, "%.*s ", (int)strcspn(at, "\n"), at);
    }
    buffer_clear(&log);
}

static void assert_log_has(const char *part)
{
    struct buffer log;
    buffer_init(&log, RECORDS_MAX);
    service_read_log(&log);
    assert_non_null(strstr(log.data, part));
    buffer_clear(&log);
}

static void pages_do_not_wait_for_forms(void **state)
{
    pid_t master = start(1);
    int held[3];
    pid_t worker = 0;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        held[i] = hold_worker();
    }
    pid_t porter = ask_page();
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(ask_page(), porter);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_status(held[i], &worker), 200);
        assert_int_not_equal(worker, porter);
    }
    assert_int_equal(service_stop(master), 0);
}

static void forms_are_answered_in_their_order(void **state)
{
    pid_t master = start(1);
    int sent[9];
    char order[256];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < 9; i++) {
        const char field[] = {(char)('1' + i), '\0'};
        sent[i] = send_form("/steady", field);
    }
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(read_status(sent[i], NULL), 200);
    }
    assert_int_equal(read_status(held, NULL), 200);
    read_order(order, sizeof order);
    assert_string_equal(order, "held 1 2 3 4 5 6 7 8 9 ");
    assert_int_equal(service_stop(master), 0);
}

static void all_workers_take_part(void **state)
{
    pid_t master = start(3);
    int sent[3];
    (void)state;
    pause_ms(200); /* until all are there */
    int64_t begin_ms = clock_monotonic_ms();
    for (size_t i = 0; i < 3; i++) {
        sent[i] = send_form("/slow", "x");
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_status(sent[i], NULL), 200);
    }
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 1150); /* one by one takes 1,800 */
    assert_int_equal(service_stop(master), 0);
}

static void who_finds_too_many_is_refused_at_once_and_nobody_is_lost(void **state)
{
    pid_t master = start(1);
    int sent[MANY];
    size_t answered = 0;
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < MANY; i++) {
        sent[i] = send_form("/steady", "x");
    }
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(read_status(sent[MANY - 1], NULL), 503);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, PROMPT_MS);
    for (size_t i = 0; i < MANY - 1; i++) {
        long status = read_status(sent[i], NULL);
        assert_true(status == 200 || status == 503);
        answered += status == 200;
    }
    assert_int_equal(read_status(held, NULL), 200);
    assert_int_equal(answered, PORTER_STRANGERS_MAX);
    assert_log_has("too many wait for a worker");
    assert_int_equal(service_stop(master), 0);
}

static void who_is_known_goes_first_even_in_a_flood(void **state)
{
    pid_t master = start(1);
    int sent[MANY], known[3];
    char order[1024];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < MANY; i++) {
        sent[i] = send_form("/", "x");
    }
    for (size_t i = 0; i < 3; i++) {
        const char field[] = {(char)('1' + i), '\0'};
        known[i] = send_form("/known/1", field);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_status(known[i], NULL), 200);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_true(read_status(sent[i], NULL) != 0);
    }
    assert_int_equal(read_status(held, NULL), 200);
    read_order(order, sizeof order);
    assert_memory_equal(order, "held 1 2 3 x ", strlen("held 1 2 3 x "));
    assert_int_equal(service_stop(master), 0);
}

/* How many of MANY are answered with 200. */
static size_t count_answered(const int *sent)
{
    size_t answered = 0;
    for (size_t i = 0; i < MANY; i++) {
        answered += read_status(sent[i], NULL) == 200;
    }
    return answered;
}

static void those_who_are_known_are_not_without_limit_either(void **state)
{
    pid_t master = start(1);
    int sent[MANY];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < MANY; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/known/%zu", i + 1);
        sent[i] = send_form(path, "x");
    }
    assert_int_equal(count_answered(sent), PORTER_WAITING_MAX);
    assert_int_equal(read_status(held, NULL), 200);
    assert_int_equal(service_stop(master), 0);
}

static void who_comes_too_often_stands_with_the_strangers(void **state)
{
    pid_t master = start(1);
    int sent[MANY];
    char order[1024];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < MANY; i++) {
        sent[i] = send_form("/known/7", "x");
    }
    int other = send_form("/known/8", "other");
    assert_int_equal(read_status(other, NULL), 200);
    size_t answered = count_answered(sent);
    /* The burst may see two seconds begin. */
    assert_in_range(answered, PORTER_STRANGERS_MAX + 1,
                    PORTER_STRANGERS_MAX + 2 * PORTER_KNOWN_A_SECOND);
    assert_int_equal(read_status(held, NULL), 200);
    read_order(order, sizeof order);
    size_t before = ((size_t)(strstr(order, "other") - order) - strlen("held ")) / strlen("x ");
    assert_in_range(before, PORTER_KNOWN_A_SECOND, 3 * PORTER_KNOWN_A_SECOND);
    assert_int_equal(service_stop(master), 0);
}

static void two_who_share_a_place_do_not_escape_the_count_in_turn(void **state)
{
    pid_t master = start(1);
    int sent[MANY];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < MANY; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/known/%d", i % 2 == 0 ? 7 : 7 + PORTER_VISITS);
        sent[i] = send_form(path, "x");
    }
    assert_in_range(count_answered(sent), PORTER_STRANGERS_MAX + 1,
                    PORTER_STRANGERS_MAX + 2 * PORTER_KNOWN_A_SECOND);
    assert_int_equal(read_status(held, NULL), 200);
    assert_int_equal(service_stop(master), 0);
}

static void many_who_are_known_do_not_keep_a_stranger_out(void **state)
{
    pid_t master = start(1);
    int known[12];
    char order[256];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < 12; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/known/%zu", i + 1);
        known[i] = send_form(path, "k");
    }
    int stranger = send_form("/", "s");
    assert_int_equal(read_status(stranger, NULL), 200);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(read_status(known[i], NULL), 200);
    }
    assert_int_equal(read_status(held, NULL), 200);
    read_order(order, sizeof order);
    assert_string_equal(order, "held k k k s k k k k k k k k k ");
    assert_int_equal(service_stop(master), 0);
}

static void what_is_too_large_or_malformed_does_not_reach_the_workers(void **state)
{
    pid_t master = start(1);
    struct buffer request, large;
    (void)state;
    int held = hold_worker();
    int64_t begin_ms = clock_monotonic_ms();
    buffer_init(&request, RECORDS_MAX);
    buffer_init(&large, RECORDS_MAX);
    for (size_t i = 0; i <= REQUEST_BODY_MAX_BYTES; i++) {
        buffer_add_string(&large, "a");
    }
    request_add(&request, 1, "/", buffer_text(&large));
    int fd = service_connect();
    assert_true(service_send(fd, buffer_text(&request), 4096));
    assert_int_equal(read_status(fd, NULL), 413);
    fd = send_form("/%zz", "x");
    assert_int_equal(read_status(fd, NULL), 400);
    fd = service_connect();
    assert_true(service_send(fd, text_of("GET / HTTP/1.0\r\n\r\n"), 100));
    assert_int_equal(read_status(fd, NULL), 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, PROMPT_MS);
    assert_int_equal(read_status(held, NULL), 200);
    buffer_clear(&request);
    buffer_clear(&large);
    assert_int_equal(service_stop(master), 0);
}

static void a_kept_connection_carries_pages_and_a_form(void **state)
{
    struct buffer page, form, answer;
    (void)state;
    skip_unless_native("speed");
    pid_t master = start(1);
    buffer_init(&page, RECORDS_MAX);
    buffer_init(&form, RECORDS_MAX);
    buffer_init(&answer, RECORDS_MAX);
    request_add(&page, 1, "/", (struct text){0});
    request_keep(&page);
    request_add(&form, 1, "/", text_of("a=x"));
    request_keep(&form);
    int fd = service_connect();
    for (size_t i = 0; i < 3; i++) {
        assert_true(service_send(fd, buffer_text(&page), page.len));
        assert_true(service_read_answer(fd, &answer));
    }
    assert_true(service_send(fd, buffer_text(&form), form.len));
    assert_int_equal(read_status(fd, NULL), 200); /* and closed, not to hang on the worker */
    buffer_clear(&page);
    buffer_clear(&form);
    buffer_clear(&answer);
    assert_int_equal(service_stop(master), 0);
}

static void a_porter_who_dies_comes_back_and_those_who_wait_are_kept(void **state)
{
    pid_t master = start(1);
    int sent[3];
    (void)state;
    int held = hold_worker();
    for (size_t i = 0; i < 3; i++) {
        sent[i] = send_form("/steady", "x");
    }
    pid_t porter = ask_page();
    assert_int_equal(kill(porter, SIGKILL), 0);
    pid_t next = service_ask_pid("/");
    assert_true(next > 0 && next != porter);
    int late = send_form("/", "x");
    assert_int_equal(read_status(held, NULL), 200);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_status(sent[i], NULL), 200);
    }
    assert_int_equal(read_status(late, NULL), 200);
    assert_int_equal(service_stop(master), 0);
}

static void who_hangs_up_in_the_line_does_not_close_whoever_came_after(void **state)
{
    pid_t master = start(1);
    struct buffer request;
    (void)state;
    buffer_init(&request, RECORDS_MAX);
    request_add(&request, 1, "/", text_of("a=x"));
    int held = hold_worker();
    int first = service_connect();
    pause_ms(60); /* so that the porter watches it */
    assert_true(service_send(first, buffer_text(&request), request.len));
    pause_ms(60);
    int second = service_connect(); /* takes the place of the first at the porter's */
    pause_ms(60);
    assert_int_equal(close(first), 0);
    pause_ms(60);
    assert_true(service_send(second, buffer_text(&request), request.len));
    assert_int_equal(read_status(second, NULL), 200);
    assert_int_equal(read_status(held, NULL), 200);
    buffer_clear(&request);
    assert_int_equal(service_stop(master), 0);
}

static void who_left_before_the_turn_came_is_not_answered(void **state)
{
    pid_t master = start(1);
    char order[256];
    (void)state;
    int held = hold_worker();
    int gone = send_form("/known/1", "gone");
    int also_gone = send_form("/", "gone");
    int stays = send_form("/", "stays");
    pause_ms(100); /* until all are in line */
    assert_int_equal(close(gone), 0);
    assert_int_equal(close(also_gone), 0);
    assert_int_equal(read_status(stays, NULL), 200);
    assert_int_equal(read_status(held, NULL), 200);
    read_order(order, sizeof order);
    assert_string_equal(order, "held stays ");
    assert_int_equal(service_stop(master), 0);
}

static void a_worker_that_dies_takes_nobody_with_it_who_waits(void **state)
{
    pid_t master = start(1);
    (void)state;
    int crash = send_form("/crash", "x");
    int after = send_form("/", "x");
    assert_int_equal(read_status(crash, NULL), 0);
    assert_int_equal(read_status(after, NULL), 200);
    assert_int_equal(service_stop(master), 0);
}

static void a_porter_who_alone_is_told_to_stop_is_replaced(void **state)
{
    pid_t master = start(1);
    (void)state;
    pid_t porter = ask_page();
    assert_int_equal(kill(porter, SIGTERM), 0);
    pid_t next = service_ask_pid("/");
    while (next == porter) { /* taken in before it left */
        next = service_ask_pid("/");
    }
    assert_int_equal(read_status(send_form("/", "x"), NULL), 200);
    assert_int_equal(service_stop(master), 0);
}

static void a_worker_who_alone_is_told_to_stop_leaves_those_who_wait_to_the_next(void **state)
{
    pid_t master = start(1);
    int sent[9]; /* 5.4 s of work */
    pid_t first = 0;
    pid_t last = 0;
    (void)state;
    for (size_t i = 0; i < 9; i++) {
        sent[i] = send_form("/slow", "x");
    }
    assert_int_equal(read_status(sent[0], &first), 200);
    assert_int_equal(kill(first, SIGTERM), 0);
    for (size_t i = 1; i < 9; i++) {
        assert_int_equal(read_status(sent[i], &last), 200);
    }
    assert_int_not_equal(last, first);
    assert_int_not_equal(kill(first, 0), 0);
    assert_int_equal(service_stop(master), 0);
}

static void all_who_wait_are_answered_before_the_program_stops(void **state)
{
    pid_t master = start(1);
    struct buffer half;
    int sent[10];
    (void)state;
    buffer_init(&half, RECORDS_MAX);
    request_add(&half, 1, "/", text_of("a=x"));
    int slow = service_connect(); /* whose request is on its way while all stop */
    assert_true(service_send(slow, (struct text){half.data, half.len / 2}, half.len));
    int held = hold_worker();
    for (size_t i = 0; i < 10; i++) {
        sent[i] = send_form("/steady", "x");
    }
    assert_int_equal(kill(master, SIGTERM), 0);
    pause_ms(1200); /* longer than all that waits takes */
    assert_true(service_send(slow, text_from(buffer_text(&half), half.len / 2), half.len));
    assert_int_equal(read_status(slow, NULL), 200);
    assert_int_equal(read_status(held, NULL), 200);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(read_status(sent[i], NULL), 200);
    }
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(service_stop(master), 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 1000);
    buffer_clear(&half);
}

static void a_porter_who_dies_while_all_stop_holds_nobody_up(void **state)
{
    pid_t master = start(1);
    (void)state;
    pid_t porter = ask_page();
    int held = hold_worker();
    int waiting = send_form("/", "x");
    pause_ms(100);
    assert_int_equal(kill(porter, SIGSTOP), 0);
    assert_int_equal(kill(master, SIGTERM), 0);
    pause_ms(1000); /* longer than all that waits takes */
    assert_int_equal(kill(master, 0), 0);
    assert_int_equal(kill(porter, SIGKILL), 0);
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(service_stop(master), 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 1000);
    assert_int_equal(read_status(held, NULL), 200);
    assert_int_equal(read_status(waiting, NULL), 200);
}

static void who_would_hold_up_a_program_that_stops_is_refused(void **state)
{
    pid_t master = start(1);
    int sent[20];
    size_t answered = 0;
    (void)state;
    for (size_t i = 0; i < 20; i++) { /* 12 s of work */
        sent[i] = send_form("/slow", "x");
    }
    pause_ms(100);
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(service_stop(master), 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 11000);
    for (size_t i = 0; i < 20; i++) {
        long status = read_status(sent[i], NULL);
        assert_true(status == 200 || status == 503);
        answered += status == 200;
    }
    assert_in_range(answered, 10, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_do_not_wait_for_forms),
        cmocka_unit_test(forms_are_answered_in_their_order),
        cmocka_unit_test(all_workers_take_part),
        cmocka_unit_test(who_finds_too_many_is_refused_at_once_and_nobody_is_lost),
        cmocka_unit_test(who_is_known_goes_first_even_in_a_flood),
        cmocka_unit_test(those_who_are_known_are_not_without_limit_either),
        cmocka_unit_test(who_comes_too_often_stands_with_the_strangers),
        cmocka_unit_test(two_who_share_a_place_do_not_escape_the_count_in_turn),
        cmocka_unit_test(many_who_are_known_do_not_keep_a_stranger_out),
        cmocka_unit_test(what_is_too_large_or_malformed_does_not_reach_the_workers),
        cmocka_unit_test(a_kept_connection_carries_pages_and_a_form),
        cmocka_unit_test(a_porter_who_dies_comes_back_and_those_who_wait_are_kept),
        cmocka_unit_test(who_hangs_up_in_the_line_does_not_close_whoever_came_after),
        cmocka_unit_test(who_left_before_the_turn_came_is_not_answered),
        cmocka_unit_test(a_worker_that_dies_takes_nobody_with_it_who_waits),
        cmocka_unit_test(a_porter_who_alone_is_told_to_stop_is_replaced),
        cmocka_unit_test(a_worker_who_alone_is_told_to_stop_leaves_those_who_wait_to_the_next),
        cmocka_unit_test(all_who_wait_are_answered_before_the_program_stops),
        cmocka_unit_test(a_porter_who_dies_while_all_stop_holds_nobody_up),
        cmocka_unit_test(who_would_hold_up_a_program_that_stops_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
