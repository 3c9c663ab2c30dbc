/* What a worker's memory has room for: nothing is mixed up when there is more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "database.h"
#include "session/memory.h"

static struct memory *memory;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(memory_open(&memory), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_close(&memory);
    return 0;
}

static bool knows_user(const struct user *user)
{
    struct user found = {0};
    return memory_get_user(memory, user->id, &found);
}

static struct session_row numbered_session(uint32_t number, bool same_set)
{
    struct session_row row = {.user_id = 1 + number, .created_s = NOON + number, .idle_s = 1};
    uint32_t spread = number * UINT32_C(2654435761);
    memcpy(row.key + 28, &number, sizeof number);
    if (!same_set) {
        memcpy(row.key, &spread, sizeof spread);
    }
    memset(row.salt, (int)(number & 0xff), sizeof row.salt);
    return row;
}

static void more_sessions_than_places_are_forgotten_not_mixed(void **state)
{
    (void)state;
    for (int same_set = 0; same_set < 2; same_set++) {
        uint32_t known = 0;
        for (uint32_t i = 0; i < 3 * MEMORY_SESSIONS_MAX; i++) {
            struct session_row row = numbered_session(i, same_set == 1);
            struct session_row found;
            memory_put_session(memory, TOKEN_STORED, &row);
            assert_true(memory_get_session(memory, TOKEN_STORED, row.key, &found));
        }
        for (uint32_t i = 0; i < 3 * MEMORY_SESSIONS_MAX; i++) {
            struct session_row row = numbered_session(i, same_set == 1);
            struct session_row found;
            if (memory_get_session(memory, TOKEN_STORED, row.key, &found)) {
                known++;
                assert_int_equal(found.user_id, row.user_id);
                assert_int_equal(found.created_s, row.created_s);
                assert_memory_equal(found.salt, row.salt, sizeof row.salt);
            }
        }
        assert_true(known <= MEMORY_SESSIONS_MAX && known >= (same_set == 1 ? 1 : 1000));
    }
}

/* A user of whom every field says the number, with texts of that part of their length. */
static struct user numbered_user(int64_t number, size_t part)
{
    struct user user = {.id = number, .locked = number % 2 == 1};
    int byte = 'a' + (int)(number % 26);
    memset(user.name, byte, USER_NAME_MAX / part);
    memset(user.display, byte, USER_DISPLAY_MAX / part);
    memset(user.email, byte, USER_EMAIL_MAX / part);
    memset(user.groups, byte, USER_GROUPS_MAX / part);
    memset(user.salt, byte, sizeof user.salt);
    return user;
}

static void check_user(const struct user *user)
{
    struct user found = {0};
    assert_true(memory_get_user(memory, user->id, &found));
    assert_int_equal(found.id, user->id);
    assert_int_equal(found.locked, user->locked);
    assert_string_equal(found.name, user->name);
    assert_string_equal(found.display, user->display);
    assert_string_equal(found.email, user->email);
    assert_string_equal(found.groups, user->groups);
    assert_memory_equal(found.salt, user->salt, sizeof found.salt);
    assert_string_equal(found.hash, "");
}

static void texts_of_users_come_back_whatever_their_length(void **state)
{
    (void)state;
    static const size_t parts[] = {1, 2000, 2, 1, 3, 64, 1};
    struct user found;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct user user = numbered_user(7, parts[i]);
        (void)snprintf(user.hash, sizeof user.hash, "$secret$");
        memory_put_user(memory, &user);
        check_user(&user);
    }
    assert_false(memory_get_user(memory, 0, &found));
    assert_false(memory_get_user(memory, -7, &found));
    assert_false(memory_get_user(memory, INT64_MAX, &found));
    struct user last = numbered_user(INT64_MAX, 1);
    memory_put_user(memory, &last);
    check_user(&last);
}

static void more_users_than_places_are_forgotten_not_mixed(void **state)
{
    (void)state;
    int64_t known = 0;
    for (int64_t i = 1; i <= 3 * MEMORY_USERS_MAX; i++) {
        struct user user = numbered_user(i, 1 + (size_t)i % 5);
        memory_put_user(memory, &user);
        check_user(&user);
    }
    for (int64_t i = 1; i <= 3 * MEMORY_USERS_MAX; i++) {
        struct user user = numbered_user(i, 1 + (size_t)i % 5);
        if (knows_user(&user)) {
            known++;
            check_user(&user);
        }
    }
    assert_int_equal(known, MEMORY_USERS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(more_sessions_than_places_are_forgotten_not_mixed),
        TEST(texts_of_users_come_back_whatever_their_length),
        TEST(more_users_than_places_are_forgotten_not_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
