#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

static void wiping_zeroes_exactly_the_run(void **state)
{
    (void)state;
    char memory[64];
    memset(memory, 's', sizeof memory);
    secret_wipe(memory + 1, sizeof memory - 2);
    assert_int_equal(memory[0], 's');
    assert_int_equal(memory[63], 's');
    for (size_t i = 1; i < sizeof memory - 1; i++) {
        assert_int_equal(memory[i], 0);
    }
    secret_wipe(NULL, 0);
    secret_wipe(memory, 0);
    assert_int_equal(memory[0], 's');
}

static void one_flipped_bit_anywhere_makes_secrets_unequal(void **state)
{
    (void)state;
    unsigned char a[33], b[33];
    for (size_t i = 0; i < sizeof a; i++) {
        a[i] = b[i] = (unsigned char)(i * 31);
    }
    assert_true(secret_is_equal(a, b, sizeof a));
    for (size_t bit = 0; bit < sizeof a * 8; bit++) {
        b[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        assert_false(secret_is_equal(a, b, sizeof a));
        b[bit / 8] ^= (unsigned char)(1U << (bit % 8));
    }
    b[32] ^= 1;
    assert_true(secret_is_equal(a, b, 32));
    assert_true(secret_is_equal(NULL, NULL, 0));
}

static void two_differences_do_not_cancel_out(void **state)
{
    (void)state;
    assert_false(secret_is_equal("ab", "ba", 2));
    assert_false(secret_is_equal("\x01\x01", "\x00\x00", 2));
    assert_false(secret_is_equal("\x80\x80", "\x00\x00", 2));
}

/* Whether the kernel has the flag (proc(5), VmFlags of smaps) for the mapping that begins there. */
static bool has_flag(const void *memory, const char *flag)
{
    char line[1024];
    bool is_ours = false;
    bool found = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long begin = 0;
        char dash = 0;
        if (sscanf(line, "%lx%c", &begin, &dash) == 2 && dash == '-') {
            is_ours = begin == (unsigned long)(uintptr_t)memory;
        } else if (is_ours && strncmp(line, "VmFlags:", 8) == 0) {
            found = strstr(line, flag) != NULL;
        }
    }
    (void)fclose(file);
    return found;
}

static void long_lived_secrets_are_neither_dumped_nor_swapped(void **state)
{
    (void)state;
    const size_t len = 5000;
    unsigned char *memory = secret_new(len);
    assert_non_null(memory);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(memory[i], 0);
    }
    memset(memory, 's', len);
    assert_true(has_flag(memory, " rd "));
    assert_true(has_flag(memory, " dd ")); /* don't dump */
#ifndef __SANITIZE_ADDRESS__               /* whose mlock does nothing */
    assert_true(has_flag(memory, " lo ")); /* locked */
#endif
    secret_free(memory, len);
    secret_free(NULL, 0);
    assert_null(secret_new(0));
    assert_null(secret_new(SIZE_MAX / 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wiping_zeroes_exactly_the_run),
        cmocka_unit_test(one_flipped_bit_anywhere_makes_secrets_unequal),
        cmocka_unit_test(two_differences_do_not_cancel_out),
        cmocka_unit_test(long_lived_secrets_are_neither_dumped_nor_swapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
