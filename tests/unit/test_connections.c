/* The table of connections that wait: who goes when, and in whose favour. */
#include "http/connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tables.h"

static struct connections connections;
static int peers[2 * CONNECTIONS_MAX]; /* the other ends, in the order of being made */
static size_t made;

static int begin(void **state)
{
    (void)state;
    connections_init(&connections);
    made = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    connections_clear(&connections);
    for (size_t i = 0; i < made; i++) {
        (void)close(peers[i]);
    }
    return 0;
}

static struct connection make(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peers[made++] = ends[0];
    return (struct connection){.fd = ends[1]};
}

static struct connection *add(enum standing standing, int64_t now_ms)
{
    const struct connection newcomer = make();
    return connections_add(&connections, &newcomer, standing, now_ms);
}

static bool is_open(size_t i)
{
    char byte = 0;
    return recv(peers[i], &byte, 1, MSG_DONTWAIT) < 0;
}

static void assert_open(size_t first, size_t count)
{
    for (size_t i = 0; i < made; i++) {
        assert_int_equal(is_open(i), i >= first && i < first + count);
    }
}

static void pending_and_idle_ones_are_late_at_times_of_their_own(void **state)
{
    static const struct {
        enum standing standing;
        int64_t patience_ms;
    } cases[] = {{STANDING_PENDING, CONNECTIONS_PENDING_MS}, {STANDING_IDLE, CONNECTIONS_IDLE_MS}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_non_null(add(cases[i].standing, 1000));
        assert_int_equal(connections_deadline(&connections), 1000 + cases[i].patience_ms);
        connections_close_late(&connections, 999 + cases[i].patience_ms);
        assert_true(is_open(i));
        connections_close_late(&connections, 1000 + cases[i].patience_ms);
        assert_false(is_open(i));
        assert_true(connections_deadline(&connections) == INT64_MAX);
    }
}

static void only_those_that_are_late_go(void **state)
{
    (void)state;
    assert_non_null(add(STANDING_IDLE, 0));
    for (int64_t now_ms = 1; now_ms <= 5; now_ms++) {
        assert_non_null(add(STANDING_PENDING, now_ms));
    }
    connections_close_late(&connections, CONNECTIONS_PENDING_MS + 3);
    assert_true(is_open(0));
    for (size_t i = 1; i <= 5; i++) {
        assert_int_equal(is_open(i), i > 3);
    }
}

static void one_pending_too_many_costs_the_oldest_pending_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONNECTIONS_PENDING_MAX + 3; i++) {
        assert_non_null(add(STANDING_PENDING, (int64_t)i));
    }
    assert_open(3, CONNECTIONS_PENDING_MAX);
}

static void one_idle_too_many_costs_nobody_but_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONNECTIONS_IDLE_MAX; i++) {
        assert_non_null(add(STANDING_IDLE, 0));
    }
    struct connection more = make();
    assert_null(connections_add(&connections, &more, STANDING_IDLE, 0));
    assert_true(is_open(CONNECTIONS_IDLE_MAX)); /* it is still its owner's */
    connection_close(&more);
    assert_open(0, CONNECTIONS_IDLE_MAX);
    struct connection *pending = add(STANDING_PENDING, 0);
    assert_non_null(pending);
    assert_false(connections_move(&connections, pending, STANDING_IDLE, 0));
    assert_int_equal(pending->standing, STANDING_PENDING);
}

static void both_kinds_fit_in_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        assert_non_null(add(i % 2 == 0 ? STANDING_IDLE : STANDING_PENDING, 0));
    }
    assert_open(0, CONNECTIONS_MAX);
    struct connection *idle = connections_first_idle(&connections);
    assert_true(connections_move(&connections, idle, STANDING_PENDING, 0));
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        assert_int_equal(is_open(i), i != 1); /* the oldest pending one made room */
    }
}

static void moving_gives_a_new_deadline_and_the_last_place(void **state)
{
    (void)state;
    struct connection *first = add(STANDING_IDLE, 0);
    struct connection *second = add(STANDING_IDLE, 10);
    assert_true(connections_move(&connections, first, STANDING_IDLE, 20));
    assert_ptr_equal(connections_first_idle(&connections), second);
    assert_int_equal(connections_deadline(&connections), 10 + CONNECTIONS_IDLE_MS);
    assert_true(connections_move(&connections, second, STANDING_PENDING, 30));
    assert_int_equal(connections_deadline(&connections), 30 + CONNECTIONS_PENDING_MS);
    assert_ptr_equal(connections_first_idle(&connections), first);
}

static void idle_ones_are_given_up_before_pending_ones_and_old_before_new_ones(void **state)
{
    static const size_t order[] = {1, 3, 0, 2};
    (void)state;
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_non_null(add(i % 2 == 0 ? STANDING_PENDING : STANDING_IDLE, 0));
    }
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_true(is_open(order[i]));
        assert_true(connections_evict(&connections));
        assert_false(is_open(order[i]));
    }
    assert_false(connections_evict(&connections));
}

static void a_key_leads_back_to_its_place(void **state)
{
    bool seen[CONNECTIONS_MAX] = {false};
    (void)state;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *place = add(i % 2 == 0 ? STANDING_IDLE : STANDING_PENDING, 0);
        uint32_t key = connections_key(&connections, place);
        assert_in_range(key, 0, CONNECTIONS_MAX - 1);
        assert_false(seen[key]);
        seen[key] = true;
        assert_ptr_equal(connections_at(&connections, key), place);
    }
}

static void a_place_that_was_left_can_be_told(void **state)
{
    (void)state;
    struct connection *place = add(STANDING_PENDING, 0);
    connections_remove(&connections, place);
    assert_int_equal(place->fd, -1);
    assert_false(is_open(0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pending_and_idle_ones_are_late_at_times_of_their_own),
        TEST(only_those_that_are_late_go),
        TEST(one_pending_too_many_costs_the_oldest_pending_one),
        TEST(one_idle_too_many_costs_nobody_but_itself),
        TEST(both_kinds_fit_in_together),
        TEST(moving_gives_a_new_deadline_and_the_last_place),
        TEST(idle_ones_are_given_up_before_pending_ones_and_old_before_new_ones),
        TEST(a_key_leads_back_to_its_place),
        TEST(a_place_that_was_left_can_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
