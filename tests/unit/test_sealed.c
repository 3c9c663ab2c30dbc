/* Sessions in the body of a token: as they were, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/sealed.h"

#define NOON INT64_C(1800000000)

static struct session_row sample(void)
{
    struct session_row row = {
        .user_id = 7,
        .created_s = NOON,
        .seen_s = NOON + 5,
        .idle_s = 1000,
        .expires_s = NOON + 5000,
        .remember = true,
        .address = "192.0.2.7",
        .agent = "Mozilla/5.0",
    };
    memset(row.salt, 0x5a, sizeof row.salt);
    memset(row.key, 0x77, sizeof row.key);
    return row;
}

static struct token sealed_sample(void)
{
    struct session_row row = sample();
    struct token token = {.kind = TOKEN_SEALED, .issued_s = NOON + 9};
    assert_int_equal(sealed_pack(&row, TEXT("data"), &token), OK);
    return token;
}

static void a_session_comes_back_as_it_was_packed(void **state)
{
    (void)state;
    struct session_row row = sample();
    struct session_row found = {.address = "old", .agent = "old"};
    struct token token = sealed_sample();
    assert_int_equal(token.body_len, SEALED_FIXED_BYTES + 4);
    assert_int_equal(sealed_unpack(&token, &found), OK);
    assert_int_equal(found.user_id, 7);
    assert_int_equal(found.created_s, NOON);
    assert_int_equal(found.seen_s, NOON + 9); /* the time of issue */
    assert_int_equal(found.idle_s, 1000);
    assert_int_equal(found.expires_s, NOON + 5000);
    assert_true(found.remember);
    assert_memory_equal(found.salt, row.salt, sizeof row.salt);
    assert_memory_not_equal(found.key, row.key, sizeof row.key); /* the caller's affair */
    assert_string_equal(found.address, "");
    assert_string_equal(found.agent, "");
    struct text data = sealed_data(&token);
    assert_int_equal(data.len, 4);
    assert_memory_equal(data.data, "data", 4);
}

static void the_layout_is_the_one_that_is_drawn(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {
        0,    0,    0,    0,    0,    0,    0,    7,    /* user id */
        0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, /* salt */
        0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, /* */
        0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, /* */
        0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, /* */
        0,    0,    0,    0,    0x6b, 0x49, 0xd2, 0x00, /* created */
        0,    0,    0,    0,    0,    0,    0x03, 0xe8, /* idle */
        0,    0,    0,    0,    0x6b, 0x49, 0xe5, 0x88, /* expires */
        1,    'd',  'a',  't',  'a',
    };
    struct token token = sealed_sample();
    assert_int_equal(token.body_len, sizeof wanted);
    assert_memory_equal(token.body, wanted, sizeof wanted);
}

static void no_shorter_body_is_a_session(void **state)
{
    (void)state;
    struct token token = sealed_sample();
    for (size_t len = 0; len < SEALED_FIXED_BYTES; len++) {
        struct session_row row = {.user_id = 4711};
        token.body_len = len;
        assert_int_equal(sealed_unpack(&token, &row), ERR_INPUT);
        assert_int_equal(row.user_id, 4711);
        assert_int_equal(sealed_data(&token).len, 0);
    }
    struct session_row row;
    token.body_len = SEALED_FIXED_BYTES;
    assert_int_equal(sealed_unpack(&token, &row), OK);
    assert_int_equal(sealed_data(&token).len, 0);
}

static void no_field_may_hold_what_was_never_packed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        size_t len;
        uint8_t bytes[8];
    } cases[] = {
        {"user 0", 0, 8, {0}},
        {"user -1", 0, 8, {255, 255, 255, 255, 255, 255, 255, 255}},
        {"user -2^63", 0, 8, {128}},
        {"created 0", 40, 8, {0}},
        {"created -1", 40, 8, {255, 255, 255, 255, 255, 255, 255, 255}},
        {"created when it ends", 40, 8, {0, 0, 0, 0, 0x6b, 0x49, 0xe5, 0x88}},
        {"created later", 40, 8, {127, 255, 255, 255, 255, 255, 255, 255}},
        {"idle 0", 48, 8, {0}},
        {"idle -1", 48, 8, {255, 255, 255, 255, 255, 255, 255, 255}},
        {"expires 0", 56, 8, {0}},
        {"expires when it begins", 56, 8, {0, 0, 0, 0, 0x6b, 0x49, 0xd2, 0x00}},
        {"expires -1", 56, 8, {255, 255, 255, 255, 255, 255, 255, 255}},
        {"remember 2", 64, 1, {2}},
        {"remember 255", 64, 1, {255}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_row row = {.user_id = 4711};
        struct token token = sealed_sample();
        memcpy(token.body + cases[i].at, cases[i].bytes, cases[i].len);
        if (sealed_unpack(&token, &row) != ERR_INPUT || row.user_id != 4711) {
            fail_msg("%s", cases[i].what);
        }
    }
}

static void data_fills_a_token_to_the_byte_and_no_further(void **state)
{
    (void)state;
    static char bytes[TOKEN_BODY_MAX];
    struct session_row row = sample();
    struct token token = sealed_sample();
    memset(bytes, 'x', sizeof bytes);
    struct text most = {bytes, TOKEN_BODY_MAX - SEALED_FIXED_BYTES};
    struct text over = {bytes, most.len + 1};
    struct token before = token;
    assert_int_equal(sealed_pack(&row, over, &token), ERR_TOO_LARGE);
    assert_memory_equal(&token, &before, sizeof token);
    assert_int_equal(sealed_pack(&row, most, &token), OK);
    assert_int_equal(token.body_len, TOKEN_BODY_MAX);
    assert_int_equal(sealed_data(&token).len, most.len);
    assert_memory_equal(sealed_data(&token).data, bytes, most.len);
    assert_int_equal(sealed_pack(&row, (struct text){0}, &token), OK);
    assert_int_equal(token.body_len, SEALED_FIXED_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_comes_back_as_it_was_packed),
        cmocka_unit_test(the_layout_is_the_one_that_is_drawn),
        cmocka_unit_test(no_shorter_body_is_a_session),
        cmocka_unit_test(no_field_may_hold_what_was_never_packed),
        cmocka_unit_test(data_fills_a_token_to_the_byte_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
