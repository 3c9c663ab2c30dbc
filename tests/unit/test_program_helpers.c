/* FastCGI workers of a program whose answers are brief: one, and others that help. */
#define _GNU_SOURCE
#include "http/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "fastcgi_client.h"
#include "native.h"
#include "pause.h"
#include "service.h"

#define AT_ONCE_MS 1000 /* much less than any limit, much more than a busy machine needs */
#define ASKED      20

/* Asks once; by whom it was answered, and how long that took. */
static pid_t ask(int64_t *took_ms)
{
    int64_t begin_ms = clock_monotonic_ms();
    pid_t pid = service_ask_pid("/");
    assert_true(pid > 0);
    *took_ms = clock_monotonic_ms() - begin_ms;
    return pid;
}

/* The first of a master's workers; it waits until there are as many as wanted. */
static pid_t find_first(pid_t master, size_t wanted)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)master, (int)master);
    for (size_t i = 0; i < 250; i++) {
        struct buffer list;
        buffer_init(&list, 4096);
        assert_int_equal(file_read(path, &list), OK);
        char *end = list.data;
        pid_t first = end == NULL ? 0 : (pid_t)strtol(end, &end, 10);
        size_t count = first > 0;
        while (end != NULL && strtol(end, &end, 10) > 0) {
            count++;
        }
        buffer_clear(&list);
        if (count == wanted) {
            pause_ms(50); /* to begin with its work */
            return first;
        }
        pause_ms(20);
    }
    fail_msg("there are not %zu workers", wanted);
    return 0;
}

static void others_answer_while_one_is_held(void **state)
{
    pid_t master = service_start((struct service_options){.workers = 3, .is_brief = true});
    struct buffer request, raw;
    (void)state;
    (void)find_first(master, 3);
    buffer_init(&request, RECORDS_MAX);
    buffer_init(&raw, RECORDS_MAX);
    request_add(&request, 1, "/slow", (struct text){0}); /* 600 ms */
    int held = service_connect();
    assert_true(service_send(held, buffer_text(&request), request.len));
    pause_ms(50);
    for (size_t i = 0; i < ASKED; i++) {
        int64_t took_ms = 0;
        (void)ask(&took_ms);
        assert_in_range(took_ms, 0, 400);
    }
    assert_int_equal(service_read(held, &raw), ENDING_CLOSED);
    buffer_clear(&request);
    buffer_clear(&raw);
    assert_int_equal(service_stop(master), 0);
}

/* Asks a service whose first worker stands still; how long the longest answer took. */
static int64_t ask_helpers(bool is_brief)
{
    pid_t master = service_start((struct service_options){.workers = 2, .is_brief = is_brief});
    pid_t first = find_first(master, 2);
    int64_t longest_ms = 0;
    assert_int_equal(kill(first, SIGSTOP), 0);
    for (size_t i = 0; i < ASKED; i++) {
        int64_t took_ms = 0;
        assert_int_not_equal(ask(&took_ms), first);
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    assert_int_equal(kill(first, SIGCONT), 0);
    assert_int_equal(service_stop(master), 0);
    return longest_ms;
}

/* Some tries, for the first may have been stopped while it tended, and then none of them rests. */
static void a_helper_rests_after_it_has_helped_but_not_for_long(void **state)
{
    (void)state;
    int64_t longest_ms = 0;
    for (size_t i = 0; i < 10 && (longest_ms < 10 || longest_ms > AT_ONCE_MS); i++) {
        longest_ms = ask_helpers(true);
    }
    assert_in_range(longest_ms, 10, AT_ONCE_MS);
}

/* How long it takes to ask some times while the first worker tends; INT64_MAX when the try says
 * nothing, for the wrong worker answered. */
static int64_t ask_while_first_tends(void)
{
    pid_t master = service_start((struct service_options){
        .workers = 2, .is_brief = true, .tends = true, .tend_ms = 2000, .again_ms = -1});
    pid_t first = find_first(master, 2);
    int64_t took_ms = 0;
    int64_t sum_ms = INT64_MAX;
    if (ask(&took_ms) == first) {
        sum_ms = 0;
        pause_ms(50);
        for (size_t i = 0; i < ASKED; i++) { /* without a pause in which the helper would tend */
            if (ask(&took_ms) == first) {
                sum_ms = INT64_MAX;
                break;
            }
            sum_ms += took_ms;
        }
    }
    assert_int_equal(service_stop(master), 0);
    return sum_ms;
}

static void helpers_do_not_rest_while_the_first_tends(void **state)
{
    int64_t shortest_ms = INT64_MAX;
    (void)state;
    skip_unless_native("speed");
    for (size_t i = 0; i < 20 && shortest_ms >= 10 * ASKED; i++) {
        int64_t took_ms = ask_while_first_tends();
        shortest_ms = took_ms < shortest_ms ? took_ms : shortest_ms;
    }
    assert_in_range(shortest_ms, 0, 10 * ASKED - 1);
}

/* The shortest of some tries, for a machine may have no time for us. */
static void who_takes_his_time_has_helpers_that_do_not_rest(void **state)
{
    int64_t shortest_ms = INT64_MAX;
    (void)state;
    skip_unless_native("speed");
    for (size_t i = 0; i < 20 && shortest_ms >= 10; i++) {
        int64_t longest_ms = ask_helpers(false);
        shortest_ms = longest_ms < shortest_ms ? longest_ms : shortest_ms;
    }
    assert_in_range(shortest_ms, 0, 9);
}

static void the_first_does_what_one_can_do_alone(void **state)
{
    pid_t master = service_start((struct service_options){.workers = 3, .is_brief = true});
    pid_t first = find_first(master, 3);
    size_t answered = 0;
    (void)state;
    for (size_t i = 0; i < 10 * ASKED; i++) {
        int64_t took_ms = 0;
        answered += ask(&took_ms) == first;
    }
    assert_in_range(answered, 5 * ASKED, 10 * ASKED);
    assert_int_equal(service_stop(master), 0);
}

static void a_first_worker_that_dies_is_replaced_by_a_first_one(void **state)
{
    pid_t master = service_start((struct service_options){.workers = 2, .is_brief = true});
    int64_t took_ms = 0;
    (void)state;
    assert_int_equal(kill(find_first(master, 2), SIGKILL), 0);
    for (size_t i = 0; i < ASKED; i++) {
        (void)ask(&took_ms);
        assert_in_range(took_ms, 0, AT_ONCE_MS);
    }
    pause_ms(300); /* the pause after a young death */
    /* The helper is the older one now, and so the first that is listed. */
    pid_t helper = find_first(master, 2);
    int64_t shortest_ms = INT64_MAX;
    assert_int_equal(kill(helper, SIGSTOP), 0);
    for (size_t i = 0; i < 20 && shortest_ms >= 10 * ASKED; i++) {
        int64_t sum_ms = 0;
        for (size_t j = 0; j < ASKED; j++) {
            assert_int_not_equal(ask(&took_ms), helper);
            sum_ms += took_ms;
        }
        shortest_ms = sum_ms < shortest_ms ? sum_ms : shortest_ms;
    }
    assert_in_range(shortest_ms, 0, 10 * ASKED - 1); /* a helper would stand back 20 ms each time */
    assert_int_equal(kill(helper, SIGCONT), 0);
    assert_int_equal(service_stop(master), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_answer_while_one_is_held),
        cmocka_unit_test(a_helper_rests_after_it_has_helped_but_not_for_long),
        cmocka_unit_test(helpers_do_not_rest_while_the_first_tends),
        cmocka_unit_test(who_takes_his_time_has_helpers_that_do_not_rest),
        cmocka_unit_test(the_first_does_what_one_can_do_alone),
        cmocka_unit_test(a_first_worker_that_dies_is_replaced_by_a_first_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
