/* Hashes of new passwords, and the line before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/hashing.h"
#include "base/log.h"
#include "scratch.h"
#include "verdict_of.h"

#define PASSWORD TEXT("correct horse")

static const struct config config = {.password = {.memory_bytes = 8192, .passes = 1}};

static struct hash_line *open_line(void)
{
    struct hash_line *line = NULL;
    assert_int_equal(hash_line_open(scratch_path("hashing"), 1, &line), OK);
    hash_line_limit_wait(line, 20);
    return line;
}

static void a_hash_is_of_the_password_and_the_configured_cost(void **state)
{
    (void)state;
    const struct password_cost cost = {8192, 1};
    char hash[PASSWORD_HASH_MAX] = "";
    bool stale = true;
    assert_int_equal(hashing_make(&config, NULL, PASSWORD, hash), OK);
    assert_int_equal(verdict_of(PASSWORD, hash, &cost, &stale), ALLOW);
    assert_false(stale);
}

static void whoever_hashes_waits_in_line_and_leaves_it(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_MAX] = "";
    struct hash_line *own = open_line();
    struct hash_line *other = open_line();
    assert_int_equal(hash_line_enter(other), OK);
    assert_int_equal(hashing_make(&config, own, PASSWORD, hash), ERR_BUSY);
    assert_string_equal(hash, "");
    hash_line_leave(other);
    assert_int_equal(hashing_make(&config, own, PASSWORD, hash), OK);
    assert_int_equal(hash_line_enter(other), OK);
    hash_line_close(&own);
    hash_line_close(&other);
}

static void what_cannot_be_hashed_leaves_the_line_too(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_MAX] = "";
    struct hash_line *own = open_line();
    struct hash_line *other = open_line();
    assert_int_equal(hashing_make(&config, own, TEXT("cut\0off"), hash), ERR_INPUT);
    assert_int_equal(hash_line_enter(other), OK);
    hash_line_close(&own);
    hash_line_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_of_the_password_and_the_configured_cost),
        cmocka_unit_test(whoever_hashes_waits_in_line_and_leaves_it),
        cmocka_unit_test(what_cannot_be_hashed_leaves_the_line_too),
    };
    log_open("test_hashing", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
