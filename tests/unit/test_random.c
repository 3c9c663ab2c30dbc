#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/random.h"

#define FILLS 1000

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void no_two_fills_are_alike(void **state)
{
    (void)state;
    static uint64_t numbers[FILLS];
    for (size_t i = 0; i < FILLS; i++) {
        assert_int_equal(random_fill(&numbers[i], sizeof numbers[i]), OK);
    }
    qsort(numbers, FILLS, sizeof numbers[0], compare_numbers);
    for (size_t i = 1; i < FILLS; i++) {
        assert_true(numbers[i - 1] != numbers[i]);
    }
}

/* A bit of every place stands both ways in 1,000 fills, or the chance was 1 in 2^993. */
static void every_bit_comes_both_ways(void **state)
{
    (void)state;
    unsigned char ones[40] = {0};
    unsigned char zeros[40] = {0};
    for (size_t i = 0; i < FILLS; i++) {
        unsigned char bytes[40];
        assert_int_equal(random_fill(bytes, sizeof bytes), OK);
        for (size_t at = 0; at < sizeof bytes; at++) {
            ones[at] = (unsigned char)(ones[at] | bytes[at]);
            zeros[at] = (unsigned char)(zeros[at] | ~bytes[at]);
        }
    }
    for (size_t at = 0; at < sizeof ones; at++) {
        assert_int_equal(ones[at], 0xff);
        assert_int_equal(zeros[at], 0xff);
    }
}

/* The kernel may give more than 256 bytes in pieces. */
static void long_runs_are_filled_to_the_end_and_not_further(void **state)
{
    (void)state;
    size_t len = 3 * 1024 * 1024;
    unsigned char *bytes = calloc(1, len + 16);
    assert_non_null(bytes);
    assert_int_equal(random_fill(bytes, len), OK);
    static const unsigned char zeros[16];
    for (size_t at = 0; at < len; at += sizeof zeros) {
        assert_memory_not_equal(bytes + at, zeros, sizeof zeros);
    }
    assert_memory_equal(bytes + len, zeros, sizeof zeros);
    free(bytes);
}

static void a_fill_of_nothing_is_good(void **state)
{
    (void)state;
    unsigned char byte = 42;
    assert_int_equal(random_fill(&byte, 0), OK);
    assert_int_equal(byte, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_fills_are_alike),
        cmocka_unit_test(every_bit_comes_both_ways),
        cmocka_unit_test(long_runs_are_filled_to_the_end_and_not_further),
        cmocka_unit_test(a_fill_of_nothing_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
