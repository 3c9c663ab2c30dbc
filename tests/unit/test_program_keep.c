/* FastCGI workers with kept connections, spoken to in raw records. */
#include "http/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bad_requests.h"
#include "base/clock.h"
#include "fastcgi_client.h"
#include "http/connections.h"
#include "native.h"
#include "pause.h"
#include "service.h"
#include "tables.h"

#define AT_ONCE_MS 1000 /* much less than any limit, much more than a busy machine needs */

static struct buffer request, answer;

static int make_buffers(void **state)
{
    (void)state;
    buffer_init(&request, RECORDS_MAX);
    buffer_init(&answer, RECORDS_MAX);
    return 0;
}

static int drop_buffers(void **state)
{
    (void)state;
    buffer_clear(&request);
    buffer_clear(&answer);
    return 0;
}

static void make_request(uint16_t role, const char *uri, struct text body)
{
    buffer_clear(&request);
    request_add(&request, role, uri, body);
    request_keep(&request);
}

/* Asks on a connection, and wants an answer at once. */
static void assert_answers(int fd)
{
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_send(fd, buffer_text(&request), SIZE_MAX));
    buffer_clear(&answer);
    assert_true(service_read_answer(fd, &answer));
    assert_int_equal(strncmp(answer.data, "Status: 200 ", 12), 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, AT_ONCE_MS);
}

static bool is_open(int fd)
{
    char byte = 0;
    pause_ms(40);
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

/* A connection that was kept after an answer. On a machine that has no time for us it takes
 * several: after a request that took long none is. */
static int connect_kept(void)
{
    for (size_t i = 0; i < 50; i++) {
        int fd = service_connect();
        assert_answers(fd);
        if (is_open(fd)) {
            return fd;
        }
        (void)close(fd);
    }
    fail_msg("no connection is kept");
    return -1;
}

/* Asks on a kept connection; on another one when that was not kept after the last time. Whether it
 * was. */
static bool assert_answers_again(int *fd)
{
    bool was_kept = is_open(*fd);
    if (!was_kept) {
        (void)close(*fd);
        *fd = connect_kept();
    }
    assert_answers(*fd);
    return was_kept;
}

/* Whether the other side has closed, or closes soon, without another byte. */
static bool is_closed(int fd)
{
    char byte = 0;
    for (long waited_ms = 0; waited_ms < AT_ONCE_MS; waited_ms += 10) {
        if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0) {
            return true;
        }
        pause_ms(10);
    }
    return false;
}

static void assert_answers_newcomers(void)
{
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_ask_pid("/") > 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, AT_ONCE_MS);
}

static void a_kept_connection_carries_requests_without_end(void **state)
{
    pid_t master = service_start((struct service_options){0});
    size_t kept = 0;
    (void)state;
    make_request(1, "/", (struct text){0});
    int fd = connect_kept();
    for (size_t i = 0; i < 100; i++) {
        make_request((uint16_t)(1 + i % 2), "/a", i % 4 == 0 ? TEXT("one=two") : (struct text){0});
        kept += assert_answers_again(&fd);
        assert_non_null(strstr(answer.data, i % 2 == 0 ? " responder " : " authorizer "));
        assert_int_equal(strstr(answer.data, " 1 two\n") != NULL, i % 4 == 0);
    }
    assert_in_range(kept, 50, 100);
    make_request(1, "/large", (struct text){0});
    (void)assert_answers_again(&fd);
    assert_true(answer.len > 60000);
    (void)close(fd);
    assert_int_equal(service_stop(master), 0);
}

static void more_idle_connections_than_workers_let_no_request_wait(void **state)
{
    enum { KEPT = 40 };
    static const size_t workers[] = {1, 3};
    (void)state;
    for (size_t i = 0; i < COUNT(workers); i++) {
        pid_t master = service_start((struct service_options){.workers = workers[i]});
        int kept[KEPT];
        make_request(1, "/", (struct text){0});
        for (size_t j = 0; j < KEPT; j++) {
            kept[j] = connect_kept();
        }
        for (size_t j = 0; j < 2 * KEPT; j++) {
            assert_answers_newcomers();
            (void)assert_answers_again(&kept[j * 7 % KEPT]);
        }
        for (size_t j = 0; j < KEPT; j++) {
            (void)close(kept[j]);
        }
        assert_int_equal(service_stop(master), 0);
    }
}

static void a_connection_is_kept_only_when_nothing_of_the_request_is_left(void **state)
{
    static char body[9000];
    static const struct {
        const char *uri;
        uint16_t role;
        size_t body_bytes;
        bool asks, without_input, ignores_body, kept;
    } cases[] = {
        {.uri = "/", .role = 1, .asks = true, .kept = true},
        {.uri = "/", .role = 1},
        {.uri = "/", .role = 2, .asks = true, .kept = true},
        {.uri = "/", .role = 2, .asks = true, .without_input = true},
        {.uri = "/", .role = 1, .asks = true, .body_bytes = 7000, .kept = true},
        {.uri = "/", .role = 1, .asks = true, .body_bytes = 9000},
        {.uri = "/",
         .role = 1,
         .asks = true,
         .body_bytes = 7000,
         .ignores_body = true,
         .kept = true},
        {.uri = "/", .role = 1, .asks = true, .body_bytes = 9000, .ignores_body = true},
        {.uri = "/slow", .role = 1, .asks = true},
    };
    (void)state;
    memset(body, 'b', sizeof body);
    for (size_t i = 0; i < COUNT(cases); i++) {
        pid_t master =
            service_start((struct service_options){.ignores_body = cases[i].ignores_body});
        make_request(cases[i].role, cases[i].uri, (struct text){body, cases[i].body_bytes});
        request.data[10] = cases[i].asks ? 1 : 0;
        request.len -= cases[i].without_input ? 8 : 0;
        int fd = cases[i].kept ? connect_kept() : service_connect();
        if (!cases[i].kept) {
            assert_answers(fd);
            assert_true(is_closed(fd));
        }
        (void)close(fd);
        assert_int_equal(service_stop(master), 0);
    }
}

static void a_slow_request_on_a_kept_connection_has_ten_seconds_and_holds_nobody_up(void **state)
{
    pid_t master = service_start((struct service_options){0});
    (void)state;
    make_request(1, "/", TEXT("a=b"));
    int stuck = connect_kept();
    int other = connect_kept();
    pause_ms(1500); /* which do not count */
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_send(stuck, (struct text){request.data, request.len - 1}, SIZE_MAX));
    while (is_open(stuck)) {
        assert_answers_newcomers();
        pause_ms(100);
    }
    assert_in_range(clock_monotonic_ms() - begin_ms, CONNECTIONS_PENDING_MS - 100,
                    CONNECTIONS_PENDING_MS + AT_ONCE_MS);
    assert_int_not_equal(service_read(stuck, &answer), ENDING_NONE);
    buffer_clear(&answer);
    service_read_log(&answer);
    assert_non_null(strstr(answer.data, "did not send its request in time"));
    assert_answers(other); /* idle for longer than a request may take */
    (void)close(other);
    assert_int_equal(service_stop(master), 0);
}

static void a_request_in_pieces_on_a_kept_connection_is_answered(void **state)
{
    pid_t master = service_start((struct service_options){0});
    (void)state;
    make_request(1, "/", TEXT("a=b"));
    int fd = connect_kept();
    for (size_t i = 0; i < request.len; i++) {
        assert_true(service_send(fd, (struct text){request.data + i, 1}, 1));
        pause_ms(1);
    }
    buffer_clear(&answer);
    assert_true(service_read_answer(fd, &answer));
    (void)assert_answers_again(&fd);
    (void)close(fd);
    assert_int_equal(service_stop(master), 0);
}

static void two_requests_in_one_go_are_refused(void **state)
{
    pid_t master = service_start((struct service_options){0});
    pid_t worker = service_ask_pid("/");
    (void)state;
    for (size_t answered = 0; answered <= 1; answered++) {
        make_request(1, "/", (struct text){0});
        int fd = answered == 1 ? connect_kept() : service_connect();
        request_add(&request, 1, "/", (struct text){0});
        assert_true(service_send(fd, buffer_text(&request), SIZE_MAX));
        buffer_clear(&answer);
        assert_int_not_equal(service_read(fd, &answer), ENDING_NONE);
        assert_int_equal(answer.len, 0);
    }
    assert_int_equal(service_ask_pid("/"), worker);
    assert_int_equal(service_stop(master), 0);
}

static void a_request_before_the_last_answer_was_read_is_refused(void **state)
{
    struct buffer raw;
    (void)state;
    skip_unless_native("speed");
    pid_t master = service_start((struct service_options){0});
    int fd = service_connect();
    buffer_init(&raw, RECORDS_MAX);
    make_request(1, "/", (struct text){0});
    assert_true(service_send(fd, buffer_text(&request), SIZE_MAX));
    pause_ms(200);
    assert_true(service_send(fd, buffer_text(&request), SIZE_MAX));
    pause_ms(200);
    assert_int_not_equal(service_read(fd, &raw), ENDING_NONE);
    assert_true(answer_read(buffer_text(&raw), &answer)); /* one, and nothing after it */
    buffer_clear(&raw);
    assert_answers_newcomers();
    assert_int_equal(service_stop(master), 0);
}

static void bad_requests_on_a_kept_connection_are_closed_without_a_byte(void **state)
{
    pid_t master = service_start((struct service_options){0});
    pid_t worker = service_ask_pid("/");
    const char *what = NULL;
    struct buffer bad;
    (void)state;
    buffer_init(&bad, RECORDS_MAX);
    make_request(1, "/", (struct text){0});
    for (size_t i = 0; bad_request_add(&bad, i, &what); i++) {
        int fd = connect_kept();
        (void)service_send(fd, buffer_text(&bad), SIZE_MAX);
        buffer_clear(&answer);
        assert_int_not_equal(service_read(fd, &answer), ENDING_NONE);
        if (answer.len > 0) {
            fail_msg("%s: answered", what);
        }
        buffer_clear(&bad);
    }
    assert_int_equal(service_ask_pid("/"), worker);
    assert_int_equal(service_stop(master), 0);
}

static void one_idle_connection_too_many_is_closed_after_its_answer(void **state)
{
    pid_t master = service_start((struct service_options){0});
    int kept[CONNECTIONS_IDLE_MAX];
    (void)state;
    make_request(1, "/", (struct text){0});
    for (size_t i = 0; i < COUNT(kept); i++) {
        kept[i] = connect_kept();
    }
    for (size_t i = 0; i < 5; i++) {
        int fd = service_connect();
        assert_answers(fd);
        assert_true(is_closed(fd));
        (void)close(fd);
    }
    for (size_t i = 0; i < COUNT(kept); i++) {
        assert_answers(kept[i]); /* none had to go */
        (void)close(kept[i]);
    }
    assert_int_equal(service_stop(master), 0);
}

static void idle_connections_give_their_descriptors_to_newcomers(void **state)
{
    enum { KEPT = 40 };
    int kept[KEPT];
    (void)state;
    skip_unless_native("descriptors");
    pid_t master = service_start((struct service_options){.files = 24});
    make_request(1, "/", (struct text){0});
    for (size_t i = 0; i < KEPT; i++) {
        kept[i] = connect_kept();
    }
    assert_answers_newcomers();
    assert_true(is_closed(kept[0]));
    assert_answers(kept[KEPT - 1]);
    for (size_t i = 0; i < KEPT; i++) {
        (void)close(kept[i]);
    }
    assert_int_equal(service_stop(master), 0);
}

static void silent_newcomers_do_not_cost_idle_connections(void **state)
{
    enum { SILENT = 150 };
    pid_t master = service_start((struct service_options){0});
    int silent[SILENT];
    (void)state;
    make_request(1, "/", (struct text){0});
    int fd = connect_kept();
    for (size_t i = 0; i < SILENT; i++) {
        silent[i] = service_connect();
    }
    assert_answers_newcomers();
    assert_answers(fd);
    for (size_t i = 0; i < SILENT; i++) {
        (void)close(silent[i]);
    }
    (void)close(fd);
    assert_int_equal(service_stop(master), 0);
}

static void a_worker_that_stops_closes_what_is_idle_and_finishes_what_is_begun(void **state)
{
    pid_t master = service_start((struct service_options){0});
    (void)state;
    make_request(1, "/", (struct text){0});
    int idle = connect_kept();
    int begun = connect_kept();
    assert_true(service_send(begun, (struct text){request.data, 20}, SIZE_MAX));
    pause_ms(100);
    assert_int_equal(kill(master, SIGTERM), 0);
    assert_true(is_closed(idle));
    assert_true(service_send(begun, (struct text){request.data + 20, request.len - 20}, SIZE_MAX));
    buffer_clear(&answer);
    assert_true(service_read_answer(begun, &answer));
    assert_true(is_closed(begun));
    (void)close(idle);
    (void)close(begun);
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(service_stop(master), 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, AT_ONCE_MS);
}

/* Both events are there when the worker wakes. */
static void a_connection_that_came_before_the_stop_is_answered(void **state)
{
    pid_t master = service_start((struct service_options){0});
    pid_t worker = service_ask_pid("/");
    (void)state;
    make_request(1, "/", (struct text){0});
    assert_int_equal(kill(worker, SIGSTOP), 0);
    int fd = service_connect();
    assert_true(service_send(fd, buffer_text(&request), SIZE_MAX));
    assert_int_equal(kill(worker, SIGTERM), 0);
    assert_int_equal(kill(master, SIGTERM), 0);
    pause_ms(100);
    assert_int_equal(kill(worker, SIGCONT), 0);
    buffer_clear(&answer);
    assert_int_not_equal(service_read(fd, &answer), ENDING_NONE);
    assert_true(answer.len > 0);
    (void)close(fd);
    assert_int_equal(service_stop(master), 0);
}

static void a_request_that_came_before_the_stop_is_answered(void **state)
{
    pid_t master = service_start((struct service_options){0});
    struct buffer raw;
    (void)state;
    buffer_init(&raw, RECORDS_MAX);
    make_request(1, "/", (struct text){0});
    int idle = connect_kept();
    int slow = service_connect();
    make_request(1, "/slow", (struct text){0});
    assert_true(service_send(slow, buffer_text(&request), SIZE_MAX));
    pause_ms(200);
    make_request(1, "/", (struct text){0});
    assert_true(service_send(idle, buffer_text(&request), SIZE_MAX));
    assert_int_equal(kill(master, SIGTERM), 0);
    assert_int_equal(service_read(slow, &raw), ENDING_CLOSED);
    assert_true(answer_read(buffer_text(&raw), &answer));
    buffer_clear(&answer);
    assert_true(service_read_answer(idle, &answer));
    assert_true(is_closed(idle));
    buffer_clear(&raw);
    (void)close(idle);
    assert_int_equal(service_stop(master), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_buffers, drop_buffers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_kept_connection_carries_requests_without_end),
        TEST(more_idle_connections_than_workers_let_no_request_wait),
        TEST(a_connection_is_kept_only_when_nothing_of_the_request_is_left),
        TEST(a_slow_request_on_a_kept_connection_has_ten_seconds_and_holds_nobody_up),
        TEST(a_request_in_pieces_on_a_kept_connection_is_answered),
        TEST(two_requests_in_one_go_are_refused),
        TEST(a_request_before_the_last_answer_was_read_is_refused),
        TEST(bad_requests_on_a_kept_connection_are_closed_without_a_byte),
        TEST(one_idle_connection_too_many_is_closed_after_its_answer),
        TEST(idle_connections_give_their_descriptors_to_newcomers),
        TEST(silent_newcomers_do_not_cost_idle_connections),
        TEST(a_worker_that_stops_closes_what_is_idle_and_finishes_what_is_begun),
        TEST(a_connection_that_came_before_the_stop_is_answered),
        TEST(a_request_that_came_before_the_stop_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
