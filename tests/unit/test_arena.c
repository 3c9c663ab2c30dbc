#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static struct arena *new_arena(size_t limit)
{
    struct arena *arena = NULL;
    assert_int_equal(arena_new(limit, &arena), OK);
    return arena;
}

static void assert_zero(const char *memory, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(memory[i], 0);
    }
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena *arena = new_arena(100000);
    char *pieces[50];
    for (size_t i = 0; i < 50; i++) {
        size_t len = i * 37 + 1;
        pieces[i] = arena_get(arena, len);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        assert_zero(pieces[i], len);
        memset(pieces[i], (int)i + 1, len);
    }
    for (size_t i = 0; i < 50; i++) {
        for (size_t j = 0; j < i * 37 + 1; j++) {
            assert_int_equal(pieces[i][j], (int)i + 1);
        }
    }
    arena_free(&arena);
    assert_null(arena);
}

static void the_limit_is_kept_and_given_back_by_reset(void **state)
{
    (void)state;
    struct arena *arena = new_arena(160);
    for (int round = 0; round < 3; round++) {
        assert_non_null(arena_get(arena, 80));
        assert_null(arena_get(arena, 81));
        assert_non_null(arena_get(arena, 80));
        assert_null(arena_get(arena, 1));
        assert_non_null(arena_get(arena, 0));
        arena_reset(arena);
    }
    arena_free(&arena);
}

static void an_uneven_limit_is_not_exceeded(void **state)
{
    (void)state;
    struct arena *arena = new_arena(10);
    assert_null(arena_get(arena, 11));
    assert_non_null(arena_get(arena, 10));
    assert_null(arena_get(arena, 1));
    arena_free(&arena);
    arena = new_arena(0);
    assert_null(arena_get(arena, 1));
    assert_non_null(arena_get(arena, 0));
    arena_free(&arena);
}

static void many_tiny_pieces_count_with_their_padding(void **state)
{
    (void)state;
    struct arena *arena = new_arena(1600);
    size_t given = 0;
    while (given < 1600 && arena_get(arena, 1) != NULL) {
        given++;
    }
    assert_int_equal(given, 1600 / _Alignof(max_align_t));
    arena_free(&arena);
}

static void reset_wipes_what_was_given_out(void **state)
{
    (void)state;
    struct arena *arena = new_arena(1000000);
    char *before = arena_get(arena, 1000);
    assert_non_null(before);
    memset(before, 's', 1000);
    arena_reset(arena);
    assert_zero(before, 1000); /* the first block stays, so the old pointer may be looked at */
    char *after = arena_get(arena, 1000);
    assert_ptr_equal(after, before);
    arena_free(&arena);
}

static void pieces_larger_than_a_block_are_given_and_taken_back(void **state)
{
    (void)state;
    struct arena *arena = new_arena((size_t)1 << 20);
    for (int round = 0; round < 3; round++) {
        char *small = arena_get(arena, 10);
        char *large = arena_get(arena, 500000);
        char *other = arena_get(arena, 500000);
        assert_non_null(small);
        assert_non_null(large);
        assert_non_null(other);
        assert_zero(large, 500000);
        memset(large, 'x', 500000);
        memset(other, 'y', 500000);
        assert_null(arena_get(arena, 100000));
        arena_reset(arena);
    }
    arena_free(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct arena *arena = new_arena(SIZE_MAX);
    assert_null(arena_get(arena, SIZE_MAX));
    assert_null(arena_get(arena, SIZE_MAX - 5));
    assert_null(arena_get_array(arena, SIZE_MAX / 2 + 1, 2));
    assert_null(arena_get_array(arena, (size_t)1 << 33, (size_t)1 << 33));
    assert_null(arena_copy(arena, (struct text){"", SIZE_MAX}));
    assert_non_null(arena_get_array(arena, 0, 8));
    assert_non_null(arena_get_array(arena, 8, 0));
    assert_non_null(arena_get_array(arena, 3, 8));
    arena_free(&arena);
}

static void a_copy_is_the_text_and_a_nul(void **state)
{
    (void)state;
    struct arena *arena = new_arena(64);
    char *copy = arena_copy(arena, TEXT("a\0b"));
    assert_memory_equal(copy, "a\0b", 4);
    char *empty = arena_copy(arena, text_of(NULL));
    assert_string_equal(empty, "");
    assert_null(arena_copy(arena, TEXT("0123456789012345678901234567890123456789")));
    arena_free(&arena);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    struct arena *arena = NULL;
    arena_free(&arena);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(the_limit_is_kept_and_given_back_by_reset),
        cmocka_unit_test(an_uneven_limit_is_not_exceeded),
        cmocka_unit_test(many_tiny_pieces_count_with_their_padding),
        cmocka_unit_test(reset_wipes_what_was_given_out),
        cmocka_unit_test(pieces_larger_than_a_block_are_given_and_taken_back),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_copy_is_the_text_and_a_nul),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
