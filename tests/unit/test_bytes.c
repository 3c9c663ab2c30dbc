#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static const struct {
    uint64_t number;
    size_t len;
    uint8_t bytes[8];
} cases[] = {
    {0, 0, {0}},
    {0, 1, {0}},
    {0xff, 1, {0xff}},
    {0x0102, 2, {1, 2}},
    {0xfffe, 2, {0xff, 0xfe}},
    {1, 4, {0, 0, 0, 1}},
    {0x80000000, 4, {0x80, 0, 0, 0}},
    {UINT64_C(0x0102030405060708), 8, {1, 2, 3, 4, 5, 6, 7, 8}},
    {UINT64_MAX, 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
};

static void the_highest_byte_comes_first_and_nothing_beside_is_touched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[10];
        uint8_t wanted[10];
        memset(out, 0xaa, sizeof out);
        memset(wanted, 0xaa, sizeof wanted);
        memcpy(wanted + 1, cases[i].bytes, cases[i].len);
        bytes_put_number(out + 1, cases[i].number, cases[i].len);
        assert_memory_equal(out, wanted, sizeof wanted);
    }
}

static void a_number_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(bytes_get_number(cases[i].bytes, cases[i].len) == cases[i].number);
    }
}

static void of_a_number_too_large_the_lowest_bytes_are_written(void **state)
{
    (void)state;
    uint8_t out[2] = {0};
    bytes_put_number(out, 0x010203, sizeof out);
    assert_int_equal(bytes_get_number(out, sizeof out), 0x0203);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_byte_comes_first_and_nothing_beside_is_touched),
        cmocka_unit_test(a_number_is_read_as_it_was_written),
        cmocka_unit_test(of_a_number_too_large_the_lowest_bytes_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
