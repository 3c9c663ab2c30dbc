/* What a session remembers, as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/data_code.h"

static struct session_data *data;

static int set_up(void **state)
{
    (void)state;
    return session_data_new(1000, &data) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    session_data_free(&data);
    assert_null(data);
    session_data_free(&data);
    return 0;
}

static void put(const char *name, const char *value)
{
    assert_int_equal(session_data_put(data, text_of(name), text_of(value)), OK);
}

static void expect(const char *name, const char *value)
{
    assert_true(text_is(session_data_get(data, text_of(name)), value));
}

static void the_bytes_say_the_same(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t len = 0;
    put("b", "22");
    put("a", "");
    put("gone", "1");
    session_data_keep(data);
    assert_int_equal(session_data_drop(data, TEXT("gone")), OK);
    static const uint8_t wanted[] = {1, 0, 0, 'a', 1, 0, 2, 'b', '2', '2'};
    assert_int_equal(session_data_encode(data, bytes, sizeof bytes, &len), OK);
    assert_int_equal(len, sizeof wanted);
    assert_memory_equal(bytes, wanted, sizeof wanted);
    assert_int_equal(session_data_encode(data, bytes, len - 1, &len), ERR_TOO_LARGE);
    assert_int_equal(len, sizeof wanted);
    assert_int_equal(session_data_encode(data, bytes, len, &len), OK);
    session_data_free(&data);
    assert_int_equal(session_data_new(1000, &data), OK);
    assert_int_equal(session_data_decode(data, bytes, len), OK);
    assert_int_equal(session_data_count(data), 2);
    expect("a", "");
    expect("b", "22");
    assert_false(session_data_is_changed(data));
}

static void a_long_value_survives_its_bytes(void **state)
{
    (void)state;
    char value[600];
    uint8_t bytes[700];
    size_t len = 0;
    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (char)(i * 7);
    }
    assert_int_equal(session_data_put(data, TEXT("v"), (struct text){value, sizeof value}), OK);
    assert_int_equal(session_data_encode(data, bytes, sizeof bytes, &len), OK);
    assert_int_equal(len, 604);
    session_data_free(&data);
    assert_int_equal(session_data_new(0, &data), OK);
    assert_int_equal(session_data_decode(data, bytes, len), OK);
    assert_memory_equal(session_data_get(data, TEXT("v")).data, value, sizeof value);
}

static void bytes_that_nobody_would_write_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\1", 1},       /* lengths cut */
        {"\1\0", 2},     /* lengths cut */
        {"\1\0\0", 3},   /* name cut */
        {"\1\0\2a1", 5}, /* value cut */
        {"\1\xff\xff"
         "a1",
         5},                              /* value far too short */
        {"\0\0\1x", 4},                   /* no name */
        {"\1\0\0 ", 4},                   /* no valid name */
        {"\1\0\0a\1\0\0a", 8},            /* twice */
        {"\1\0\0b\1\0\0a", 8},            /* out of order */
        {"\1\0\0a\0", 5},                 /* left over */
        {"\1\0\0a\1\0\0b\2\0\0\0\0", 13}, /* bad name later */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (session_data_decode(data, (const uint8_t *)bad[i].bytes, bad[i].len) != ERR_INPUT) {
            fail_msg("number %zu", i);
        }
        assert_int_equal(session_data_count(data), 0);
    }
    uint8_t long_name[3 + SESSION_DATA_NAME_MAX + 1] = {SESSION_DATA_NAME_MAX + 1};
    memset(long_name + 3, 'x', SESSION_DATA_NAME_MAX + 1);
    assert_int_equal(session_data_decode(data, long_name, sizeof long_name), ERR_INPUT);
    assert_int_equal(session_data_decode(data, NULL, 0), OK);
    assert_int_equal(session_data_count(data), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_bytes_say_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_value_survives_its_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_nobody_would_write_are_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
