/* The set of ended sessions: all that were put, and none besides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "session/ended.h"
#include "session/memory.h"

#define MANY 100000

/* A key as they are: a digest. */
static void make_key(uint32_t number, uint8_t out[SESSION_KEY_BYTES])
{
    digest_sha256((struct text){(const char *)&number, sizeof number}, out);
}

static void an_empty_set_has_nothing(void **state)
{
    (void)state;
    struct ended ended = {0};
    uint8_t key[SESSION_KEY_BYTES] = {0};
    assert_false(ended_has(&ended, key));
    make_key(1, key);
    assert_false(ended_has(&ended, key));
    ended_clear(&ended);
}

static void a_set_that_grows_keeps_all_and_invents_none(void **state)
{
    (void)state;
    struct ended ended = {0};
    uint8_t key[SESSION_KEY_BYTES];
    for (uint32_t i = 0; i < MANY; i++) {
        make_key(i, key);
        assert_int_equal(ended_add(&ended, key), OK);
        if ((i & (i + 1)) == 0) { /* whenever it has just grown, or is about to */
            for (uint32_t j = 0; j <= i && j < 5000; j++) {
                make_key(j, key);
                assert_true(ended_has(&ended, key));
            }
        }
    }
    assert_int_equal(ended.count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        make_key(i, key);
        assert_true(ended_has(&ended, key));
        make_key(MANY + i, key);
        assert_false(ended_has(&ended, key));
    }
    ended_clear(&ended);
    make_key(0, key);
    assert_false(ended_has(&ended, key));
    assert_int_equal(ended_add(&ended, key), OK); /* usable again */
    assert_true(ended_has(&ended, key));
    ended_clear(&ended);
}

static void keys_that_differ_in_any_bit_are_different(void **state)
{
    (void)state;
    struct ended ended = {0};
    uint8_t key[SESSION_KEY_BYTES];
    make_key(1, key);
    assert_int_equal(ended_add(&ended, key), OK);
    for (size_t bit = 0; bit < SESSION_KEY_BYTES * 8; bit++) {
        key[bit / 8] = (uint8_t)(key[bit / 8] ^ 1 << bit % 8);
        assert_false(ended_has(&ended, key));
        key[bit / 8] = (uint8_t)(key[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(ended_has(&ended, key));
    ended_clear(&ended);
}

static void keys_that_meet_in_one_place_are_all_kept(void **state)
{
    (void)state;
    struct ended ended = {0};
    uint8_t key[SESSION_KEY_BYTES] = {0};
    memset(key, 0xff, 8); /* the last place: the search goes round the end */
    for (uint8_t i = 0; i < 200; i++) {
        key[31] = i;
        assert_int_equal(ended_add(&ended, key), OK);
    }
    for (unsigned i = 0; i < 256; i++) {
        key[31] = (uint8_t)i;
        assert_int_equal(ended_has(&ended, key), i < 200);
    }
    ended_clear(&ended);
}

static void a_key_counts_once(void **state)
{
    (void)state;
    struct ended ended = {0};
    uint8_t key[SESSION_KEY_BYTES];
    make_key(1, key);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ended_add(&ended, key), OK);
    }
    assert_int_equal(ended.count, 1);
    ended_clear(&ended);
}

static void a_full_set_refuses_and_stays_as_it_is(void **state)
{
    (void)state;
    struct ended ended = {0};
    uint8_t key[SESSION_KEY_BYTES] = {0};
    uint64_t number = 0;
    enum status status = OK;
    while (status == OK && number < 2 * MEMORY_ENDED_MAX) {
        number++;
        memcpy(key, &number, sizeof number);
        status = ended_add(&ended, key);
    }
    assert_int_equal(status, ERR_MEMORY);
    assert_int_equal(ended.count, number - 1);
    assert_true(ended.count >= MEMORY_ENDED_MAX);
    assert_false(ended_has(&ended, key));
    number--;
    memcpy(key, &number, sizeof number);
    assert_true(ended_has(&ended, key));
    ended_clear(&ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_has_nothing),
        cmocka_unit_test(a_set_that_grows_keeps_all_and_invents_none),
        cmocka_unit_test(keys_that_differ_in_any_bit_are_different),
        cmocka_unit_test(keys_that_meet_in_one_place_are_all_kept),
        cmocka_unit_test(a_key_counts_once),
        cmocka_unit_test(a_full_set_refuses_and_stays_as_it_is),
    };
    log_open("test_ended", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
