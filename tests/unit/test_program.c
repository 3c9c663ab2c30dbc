/* Programs as FastCGI, in real processes, spoken to in raw records. */
#include "http/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bad_requests.h"
#include "base/clock.h"
#include "fastcgi_client.h"
#include "http/connections.h"
#include "http/oversize.h"
#include "native.h"
#include "pause.h"
#include "service.h"

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

static bool has_answer(const char *part)
{
    return answer.data != NULL && strstr(answer.data, part) != NULL;
}

static void assert_status(const char *status)
{
    if (answer.data == NULL || strncmp(answer.data, "Status: ", 8) != 0 ||
        strncmp(answer.data + 8, status, strlen(status)) != 0) {
        fail_msg("instead of %s: %s", status, answer.data == NULL ? "nothing" : answer.data);
    }
}

/* Sends `request` in pieces and reads what comes, raw, into `answer`. */
static void exchange_raw(size_t piece)
{
    int fd = service_connect();
    assert_true(fd >= 0);
    buffer_clear(&answer);
    (void)service_send(fd, buffer_text(&request), piece);
    assert_int_not_equal(service_read(fd, &answer), ENDING_NONE);
}

static void a_request_is_answered_with_its_status_first(void **state)
{
    pid_t master = service_start((struct service_options){0});
    (void)state;
    request_add(&request, 1, "/a/b?c", TEXT("one=two&three=four"));
    assert_true(service_ask(buffer_text(&request), &answer));
    assert_status("200 ");
    assert_true(has_answer(" responder 3 /a/b 2 two\n"));
    assert_int_equal(service_stop(master), 0);
}

static void many_workers_answer_and_end_without_a_leak(void **state)
{
    pid_t master = service_start((struct service_options){.workers = 3});
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        assert_true(service_ask_pid("/") > 0);
    }
    assert_int_equal(service_stop(master), 0);
    buffer_clear(&answer);
    service_read_log(&answer);
    assert_false(has_answer("Sanitizer"));
    assert_false(has_answer("error"));
}

static void head_is_answered_without_a_body(void **state)
{
    pid_t master = service_start((struct service_options){0});
    struct buffer pairs;
    (void)state;
    buffer_init(&pairs, RECORDS_MAX);
    pairs_add_usual(&pairs, "HEAD", "/large");
    record_add_begin(&request, 1);
    stream_add(&request, RECORD_PARAMS, buffer_text(&pairs), 100);
    stream_add(&request, RECORD_STDIN, (struct text){0}, 1);
    assert_true(service_ask(buffer_text(&request), &answer));
    assert_status("200 ");
    assert_true(answer.len < 1000);
    buffer_clear(&pairs);
    assert_int_equal(service_stop(master), 0);
}

static void large_answers_arrive_whole(void **state)
{
    pid_t master = service_start((struct service_options){0});
    (void)state;
    request_add(&request, 1, "/large", (struct text){0});
    assert_true(service_ask(buffer_text(&request), &answer));
    assert_true(answer.len > 60000);
    assert_int_equal(service_stop(master), 0);
}

static void authorizers_are_answered_with_and_without_input(void **state)
{
    pid_t master = service_start((struct service_options){.ignores_body = true});
    (void)state;
    request_add(&request, 2, "/a", (struct text){0});
    for (size_t without = 0; without <= 1; without++) {
        buffer_clear(&answer);
        request.len -= without * 8; /* the empty STDIN record */
        assert_true(service_ask(buffer_text(&request), &answer));
        assert_status("200 ");
        assert_true(has_answer(" authorizer 1 /a 0"));
    }
    assert_int_equal(service_stop(master), 0);
}

static void a_body_that_is_not_wanted_does_not_cost_the_answer(void **state)
{
    pid_t master = service_start((struct service_options){.ignores_body = true});
    static char body[REQUEST_BODY_MAX_BYTES];
    (void)state;
    memset(body, 'b', sizeof body);
    request_add(&request, 1, "/a", (struct text){body, sizeof body});
    for (size_t i = 0; i < 20; i++) {
        buffer_clear(&answer);
        assert_true(service_ask(buffer_text(&request), &answer));
        assert_status("200 ");
        assert_true(has_answer(" 0 \n"));
    }
    assert_int_equal(service_stop(master), 0);
}

static void bad_requests_are_closed_without_a_byte_by_a_worker_that_lives_on(void **state)
{
    pid_t master = service_start((struct service_options){0});
    const char *what = NULL;
    pid_t worker = service_ask_pid("/");
    (void)state;
    assert_true(worker > 0);
    for (size_t i = 0; bad_request_add(&request, i, &what); i++) {
        exchange_raw(request.len);
        if (answer.len > 0) {
            fail_msg("%s: answered", what);
        }
        buffer_clear(&request);
    }
    assert_int_equal(service_ask_pid("/"), worker);
    assert_int_equal(service_stop(master), 0);
}

static void a_connection_cut_anywhere_is_closed_without_a_byte(void **state)
{
    pid_t master = service_start((struct service_options){0});
    pid_t worker = service_ask_pid("/");
    (void)state;
    request_add(&request, 1, "/", TEXT("a=b"));
    for (size_t len = 0; len < request.len; len++) {
        int fd = service_connect();
        assert_true(fd >= 0);
        assert_true(service_send(fd, (struct text){request.data, len}, len + 1));
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        buffer_clear(&answer);
        assert_int_not_equal(service_read(fd, &answer), ENDING_NONE);
        assert_int_equal(answer.len, 0);
    }
    assert_int_equal(service_ask_pid("/"), worker);
    assert_int_equal(service_stop(master), 0);
}

static void a_whole_request_is_answered_on_a_half_closed_connection(void **state)
{
    pid_t master = service_start((struct service_options){0});
    struct buffer raw;
    (void)state;
    buffer_init(&raw, RECORDS_MAX);
    request_add(&request, 1, "/", (struct text){0});
    int fd = service_connect();
    assert_true(service_send(fd, buffer_text(&request), request.len));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(service_read(fd, &raw), ENDING_CLOSED);
    assert_true(answer_read(buffer_text(&raw), &answer));
    buffer_clear(&raw);
    assert_int_equal(service_stop(master), 0);
}

static void silent_connections_keep_nobody_waiting(void **state)
{
    enum { SILENT = 200 };
    pid_t master = service_start((struct service_options){0});
    int silent[SILENT];
    (void)state;
    request_add(&request, 1, "/", (struct text){0});
    for (size_t i = 0; i < SILENT; i++) {
        silent[i] = service_connect();
        assert_true(silent[i] >= 0);
        if (i % 2 == 0) { /* half of them say something and then no more */
            assert_true(service_send(silent[i], (struct text){request.data, request.len / 2}, 9));
        }
    }
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_ask_pid("/") > 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 1500);
    for (size_t i = 0; i < SILENT; i++) {
        (void)close(silent[i]);
    }
    assert_true(service_ask_pid("/") > 0);
    assert_int_equal(service_stop(master), 0);
}

static void a_slow_request_is_answered_and_a_stuck_one_closed_at_its_deadline(void **state)
{
    pid_t master = service_start((struct service_options){0});
    struct buffer raw;
    (void)state;
    buffer_init(&raw, RECORDS_MAX);
    request_add(&request, 1, "/", TEXT("a=b"));
    int64_t begin_ms = clock_monotonic_ms();
    int stuck = service_connect();
    int slow = service_connect();
    assert_true(service_send(stuck, (struct text){request.data, request.len - 1}, request.len));
    for (size_t i = 0; i < request.len; i++) {
        assert_true(service_send(slow, (struct text){request.data + i, 1}, 1));
        pause_ms(2);
    }
    assert_int_equal(service_read(slow, &raw), ENDING_CLOSED);
    assert_true(answer_read(buffer_text(&raw), &answer));
    buffer_clear(&raw);
    assert_int_not_equal(service_read(stuck, &raw), ENDING_NONE);
    assert_int_equal(raw.len, 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, CONNECTIONS_PENDING_MS - 100,
                    CONNECTIONS_PENDING_MS + 3000);
    assert_int_equal(service_stop(master), 0);
}

/* A good request as large as allowed, with `over` more bytes of body. */
static void add_largest(size_t over)
{
    static char bytes[PARAMS_MAX_BYTES];
    struct buffer pairs;
    buffer_init(&pairs, RECORDS_MAX);
    memset(bytes, 'x', sizeof bytes);
    pairs_add_usual(&pairs, "POST", "/big");
    pair_add(&pairs, TEXT("CONTENT_TYPE"), TEXT("application/x-www-form-urlencoded"));
    pair_add(&pairs, TEXT("CONTENT_LENGTH"), text_of(over == 0 ? "16384" : "16385"));
    pair_add(&pairs, TEXT("HTTP_X"),
             (struct text){bytes, PARAMS_MAX_BYTES - pairs.len - 5 - strlen("HTTP_X")});
    assert_int_equal(pairs.len, PARAMS_MAX_BYTES);
    record_add_begin(&request, 1);
    stream_add(&request, RECORD_PARAMS, buffer_text(&pairs), 16000);
    stream_add(&request, RECORD_STDIN, (struct text){bytes, REQUEST_BODY_MAX_BYTES + over}, 8192);
    buffer_clear(&pairs);
}

static void the_largest_good_request_is_answered_however_it_is_written(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 32768, 8192, 4096, 1500};
    (void)state;
    for (size_t over_tcp = 0; over_tcp <= 1; over_tcp++) {
        pid_t master = service_start(
            (struct service_options){.peers = over_tcp == 1 ? "192.0.2.1, 127.0.0.1" : NULL});
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            struct buffer content;
            buffer_init(&content, RECORDS_MAX);
            buffer_clear(&request);
            add_largest(0);
            exchange_raw(pieces[i]);
            assert_true(answer_read(buffer_text(&answer), &content));
            assert_non_null(strstr(content.data, "/big 1 "));
            buffer_clear(&content);
        }
        assert_int_equal(service_stop(master), 0);
    }
}

static void a_body_over_the_limit_gets_413_with_the_parameters_known(void **state)
{
    static char body[OVERSIZE_MAX_BYTES - 20000];
    pid_t master = service_start((struct service_options){0});
    (void)state;
    add_largest(1);
    assert_true(service_ask(buffer_text(&request), &answer));
    assert_status("413 ");
    assert_true(has_answer("refused /big\n"));
    buffer_clear(&request);
    buffer_clear(&answer);
    request_add(&request, 1, "/huge", (struct text){body, sizeof body});
    assert_true(service_ask(buffer_text(&request), &answer));
    assert_status("413 ");
    assert_int_equal(service_stop(master), 0);
}

static void parameters_over_the_limit_get_413(void **state)
{
    static char bytes[PARAMS_MAX_BYTES];
    struct buffer pairs;
    pid_t master = service_start((struct service_options){0});
    (void)state;
    buffer_init(&pairs, RECORDS_MAX);
    pairs_add_usual(&pairs, "GET", "/");
    memset(bytes, 'x', sizeof bytes);
    pair_add(&pairs, TEXT("HTTP_X"), (struct text){bytes, sizeof bytes});
    record_add_begin(&request, 1);
    stream_add(&request, RECORD_PARAMS, buffer_text(&pairs), 50000);
    stream_add(&request, RECORD_STDIN, (struct text){0}, 1);
    assert_true(service_ask(buffer_text(&request), &answer));
    assert_status("413 ");
    buffer_clear(&pairs);
    assert_int_equal(service_stop(master), 0);
}

static void large_requests_that_are_endless_or_broken_get_no_answer(void **state)
{
    static char body[OVERSIZE_MAX_BYTES + 1];
    pid_t master = service_start((struct service_options){0});
    pid_t worker = service_ask_pid("/");
    (void)state;
    request_add(&request, 1, "/", (struct text){body, sizeof body});
    exchange_raw(65536);
    assert_int_equal(answer.len, 0);

    buffer_clear(&request);
    request_add(&request, 1, "/", (struct text){body, 40000});
    request.len -= 8;
    record_add_plain(&request, RECORD_ABORT, (struct text){0});
    exchange_raw(65536);
    assert_int_equal(answer.len, 0);

    request.len -= 8; /* and cut off */
    int fd = service_connect();
    assert_true(service_send(fd, buffer_text(&request), 65536));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_not_equal(service_read(fd, &answer), ENDING_NONE);
    assert_int_equal(answer.len, 0);
    assert_int_equal(service_ask_pid("/"), worker);
    assert_int_equal(service_stop(master), 0);
}

static void only_named_peers_may_speak_over_tcp(void **state)
{
    static const struct {
        const char *peers;
        bool may;
    } cases[] = {{"", true}, {"127.0.0.1", true}, {"192.0.2.1", false}, {"nonsense", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pid_t master = service_start((struct service_options){.peers = cases[i].peers});
        assert_int_equal(service_ask_pid("/") > 0, cases[i].may);
        assert_int_equal(service_stop(master), 0);
    }
}

static void a_worker_that_dies_leaves_no_answer_and_is_replaced(void **state)
{
    pid_t master = service_start((struct service_options){0});
    pid_t first = service_ask_pid("/");
    (void)state;
    request_add(&request, 1, "/crash", (struct text){0});
    for (size_t i = 0; i < 3; i++) {
        exchange_raw(request.len);
        assert_int_equal(answer.len, 0);
        pid_t next = service_ask_pid("/");
        assert_true(next > 0 && next != first);
    }
    assert_int_equal(service_stop(master), 0);
}

static void workers_that_die_young_come_back_ever_more_slowly(void **state)
{
    pid_t master = service_start((struct service_options){0});
    int64_t begin_ms = clock_monotonic_ms();
    (void)state;
    request_add(&request, 1, "/crash", (struct text){0});
    for (size_t i = 0; i < 4; i++) { /* pauses of 100, 200, 400 and 800 ms follow */
        exchange_raw(request.len);
    }
    assert_true(service_ask_pid("/") > 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 1400, 8000);
    assert_int_equal(service_stop(master), 0);
}

static void a_stop_signal_lets_the_request_at_hand_finish(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct buffer raw;
        pid_t master = service_start((struct service_options){0});
        buffer_init(&raw, RECORDS_MAX);
        buffer_clear(&request);
        buffer_clear(&answer);
        assert_true(service_ask_pid("/") > 0);
        request_add(&request, 1, "/slow", (struct text){0});
        int fd = service_connect();
        int late = service_connect(); /* accepted before, complete only afterwards */
        assert_true(service_send(late, (struct text){request.data, 20}, 20));
        pause_ms(100);
        assert_true(service_send(fd, buffer_text(&request), request.len));
        pause_ms(200);
        assert_int_equal(kill(master, signals[i]), 0);
        assert_int_equal(service_read(fd, &raw), ENDING_CLOSED);
        assert_true(answer_read(buffer_text(&raw), &answer));
        buffer_clear(&raw);
        pause_ms(100);
        assert_true(
            service_send(late, (struct text){request.data + 20, request.len - 20}, request.len));
        assert_int_equal(service_read(late, &raw), ENDING_CLOSED);
        assert_true(answer_read(buffer_text(&raw), &answer));
        buffer_clear(&raw);
        assert_int_equal(service_stop(master), 0);
        assert_int_equal(service_connect(), -1);
    }
}

static void workers_do_not_outlive_their_master(void **state)
{
    pid_t master = service_start((struct service_options){.workers = 2});
    (void)state;
    assert_true(service_ask_pid("/") > 0);
    assert_int_equal(kill(master, SIGKILL), 0);
    assert_int_equal(service_stop(master), -1);
    for (size_t i = 0; i < 50; i++) {
        int fd = service_connect();
        if (fd < 0) {
            return; /* nobody holds the socket any more */
        }
        (void)close(fd);
        pause_ms(100);
    }
    fail_msg("the socket is still served");
}

static void running_out_of_descriptors_is_survived(void **state)
{
    enum { SILENT = 60 };
    int silent[SILENT];
    (void)state;
    skip_unless_native("descriptors");
    pid_t master = service_start((struct service_options){.files = 24});
    for (size_t i = 0; i < SILENT; i++) {
        silent[i] = service_connect();
        assert_true(silent[i] >= 0);
    }
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_ask_pid("/") > 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 1500);
    for (size_t i = 0; i < SILENT; i++) {
        (void)close(silent[i]);
    }
    assert_int_equal(service_stop(master), 0);
}

static void a_peer_that_does_not_read_holds_nobody_up(void **state)
{
    pid_t master = service_start((struct service_options){0});
    int deaf[10];
    (void)state;
    request_add(&request, 1, "/large", (struct text){0});
    for (size_t i = 0; i < 10; i++) {
        deaf[i] = service_connect();
        assert_true(service_send(deaf[i], buffer_text(&request), request.len));
    }
    int64_t begin_ms = clock_monotonic_ms();
    assert_true(service_ask_pid("/") > 0);
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 1500);
    for (size_t i = 0; i < 10; i++) {
        (void)close(deaf[i]);
    }
    assert_int_equal(service_stop(master), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_buffers, drop_buffers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_with_its_status_first),
        TEST(many_workers_answer_and_end_without_a_leak),
        TEST(head_is_answered_without_a_body),
        TEST(large_answers_arrive_whole),
        TEST(authorizers_are_answered_with_and_without_input),
        TEST(a_body_that_is_not_wanted_does_not_cost_the_answer),
        TEST(bad_requests_are_closed_without_a_byte_by_a_worker_that_lives_on),
        TEST(a_connection_cut_anywhere_is_closed_without_a_byte),
        TEST(a_whole_request_is_answered_on_a_half_closed_connection),
        TEST(silent_connections_keep_nobody_waiting),
        TEST(a_slow_request_is_answered_and_a_stuck_one_closed_at_its_deadline),
        TEST(the_largest_good_request_is_answered_however_it_is_written),
        TEST(a_body_over_the_limit_gets_413_with_the_parameters_known),
        TEST(parameters_over_the_limit_get_413),
        TEST(large_requests_that_are_endless_or_broken_get_no_answer),
        TEST(only_named_peers_may_speak_over_tcp),
        TEST(a_worker_that_dies_leaves_no_answer_and_is_replaced),
        TEST(workers_that_die_young_come_back_ever_more_slowly),
        TEST(a_stop_signal_lets_the_request_at_hand_finish),
        TEST(workers_do_not_outlive_their_master),
        TEST(running_out_of_descriptors_is_survived),
        TEST(a_peer_that_does_not_read_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
