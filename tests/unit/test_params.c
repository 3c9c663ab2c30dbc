#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/params.h"
#include "tables.h"

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        TEXT_INIT(name), TEXT_INIT(value)                                                          \
    }

static void the_first_of_a_name_is_found_and_only_by_all_of_it(void **state)
{
    static const struct field items[] = {
        FIELD("A", "1"), FIELD("AB", "2"), FIELD("A", "3"), {TEXT_INIT("N"), {NULL, 0}}};
    const struct fields fields = {items, COUNT(items)};
    (void)state;
    assert_true(text_is(fields_get(fields, "A"), "1"));
    assert_true(text_is(fields_get(fields, "AB"), "2"));
    assert_true(fields_has(fields, "N"));
    assert_int_equal(fields_get(fields, "N").len, 0);
    assert_false(fields_has(fields, "ABC"));
    assert_false(fields_has(fields, "a"));
    assert_false(fields_has(fields, ""));
    assert_false(fields_has((struct fields){NULL, 0}, "A"));
}

static void parameters_are_judged_by_the_worst_of_them(void **state)
{
    static const struct {
        enum params_verdict verdict;
        struct field items[4];
        size_t count;
    } cases[] = {
        {PARAMS_SOUND, {{{0}, {0}}}, 0},
        {PARAMS_SOUND, {FIELD("A", "x"), FIELD("B", "=\n\x7f\xff")}, 2},
        {PARAMS_SOUND, {FIELD("A", ""), FIELD("A", "")}, 2},
        {PARAMS_SOUND, {FIELD("HTTP_A", "a\tb\xff"), FIELD("HTTP_A", "c")}, 2},
        {PARAMS_SOUND, {FIELD("HTTP_COOKIE", "a=1"), FIELD("HTTP_COOKIE", "a=2")}, 2},
        {PARAMS_SOUND, {FIELD("HTTP_HOST", "a"), FIELD("HTTP_HOST", "a")}, 2},
        {PARAMS_SOUND, {FIELD("HTTP_HOST", "a"), FIELD("http_host", "b")}, 2},
        {PARAMS_SOUND, {FIELD("HTTP_HOST", "a"), FIELD("HTTP_HOSTS", "b")}, 2},

        {PARAMS_REFUSED, {FIELD("HTTP_HOST", "a"), FIELD("HTTP_HOST", "b")}, 2},
        {PARAMS_REFUSED, {FIELD("HTTP_HOST", "a"), FIELD("A", "x"), FIELD("HTTP_HOST", "")}, 3},
        {PARAMS_REFUSED, {FIELD("HTTP_ORIGIN", "a"), FIELD("HTTP_ORIGIN", "A")}, 2},
        {PARAMS_REFUSED,
         {FIELD("HTTP_CONTENT_ENCODING", "a"), FIELD("HTTP_CONTENT_ENCODING", "b")},
         2},
        {PARAMS_REFUSED, {FIELD("HTTP_SEC_FETCH_SITE", "a"), FIELD("HTTP_SEC_FETCH_SITE", "b")}, 2},
        {PARAMS_REFUSED, {FIELD("HTTP_SEC_FETCH_MODE", "a"), FIELD("HTTP_SEC_FETCH_MODE", "b")}, 2},
        {PARAMS_REFUSED, {FIELD("HTTP_SEC_FETCH_DEST", "a"), FIELD("HTTP_SEC_FETCH_DEST", "b")}, 2},
        {PARAMS_REFUSED,
         {FIELD("HTTP_X_FORWARDED_FOR", "a"), FIELD("HTTP_X_FORWARDED_FOR", "b")},
         2},
        {PARAMS_REFUSED, {FIELD("HTTP_A", "x\r\ny")}, 1},
        {PARAMS_REFUSED, {FIELD("HTTP_A", "x\x7f")}, 1},
        {PARAMS_REFUSED, {FIELD("HTTP_A", "\t\x1b\t")}, 1},

        {PARAMS_BROKEN, {FIELD("", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("=", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("A=B", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("HTTP_A=B", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("A\0B", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("A\n", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("HTTP_A\x7f", "x")}, 1},
        {PARAMS_BROKEN, {FIELD("A", "x\0y")}, 1},
        {PARAMS_BROKEN, {FIELD("HTTP_COOKIE", "a=b\0")}, 1},
        {PARAMS_BROKEN, {FIELD("HTTP_A", "\t\0")}, 1},
        {PARAMS_BROKEN, {FIELD("A", "x"), FIELD("B", "y"), FIELD("A", "xx")}, 3},
        {PARAMS_BROKEN, {FIELD("A", "x"), FIELD("A", "x"), FIELD("A", "")}, 3},
        {PARAMS_BROKEN, {FIELD("HTTP_A", "\n"), FIELD("", "x")}, 2},
        {PARAMS_BROKEN, {FIELD("", "x"), FIELD("HTTP_A", "\n")}, 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct params params = params_judge((struct fields){cases[i].items, cases[i].count});
        assert_ptr_equal(params.fields.items, cases[i].items);
        assert_int_equal(params.fields.count, cases[i].count);
        assert_non_null(params.fault);
        if (params.verdict != cases[i].verdict ||
            (params.fault[0] == '\0') != (params.verdict == PARAMS_SOUND)) {
            fail_msg("case %zu: %d, \"%s\"", i, (int)params.verdict, params.fault);
        }
    }
}

static void parameters_without_a_value_are_empty_ones(void **state)
{
    static const struct field items[] = {{TEXT_INIT("A"), {NULL, 0}}, FIELD("A", "")};
    (void)state;
    assert_int_equal(params_judge((struct fields){items, 2}).verdict, PARAMS_SOUND);
    static const struct field nameless[] = {{{NULL, 0}, {NULL, 0}}};
    assert_int_equal(params_judge((struct fields){nameless, 1}).verdict, PARAMS_BROKEN);
}

static void limits_are_exact_and_excuse_nothing(void **state)
{
    static char names[PARAMS_MAX + 1][8];
    static struct field items[PARAMS_MAX + 1];
    static char large[PARAMS_MAX_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT(items); i++) {
        (void)snprintf(names[i], sizeof names[i], "N%zu", i);
        items[i] = (struct field){text_of(names[i]), TEXT("x")};
    }
    assert_int_equal(params_judge((struct fields){items, PARAMS_MAX}).verdict, PARAMS_SOUND);
    assert_int_equal(params_judge((struct fields){items, PARAMS_MAX + 1}).verdict, PARAMS_REFUSED);
    items[PARAMS_MAX].name = TEXT("");
    assert_int_equal(params_judge((struct fields){items, PARAMS_MAX + 1}).verdict, PARAMS_BROKEN);

    memset(large, 'a', sizeof large);
    items[0] = (struct field){TEXT("A"), {large, sizeof large - 1}};
    assert_int_equal(params_judge((struct fields){items, 1}).verdict, PARAMS_SOUND);
    items[0].value.len++;
    assert_int_equal(params_judge((struct fields){items, 1}).verdict, PARAMS_REFUSED);
}

static void zeroed_parameters_are_not_sound(void **state)
{
    const struct params none = {0};
    (void)state;
    assert_int_not_equal(none.verdict, PARAMS_SOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_a_name_is_found_and_only_by_all_of_it),
        cmocka_unit_test(parameters_are_judged_by_the_worst_of_them),
        cmocka_unit_test(parameters_without_a_value_are_empty_ones),
        cmocka_unit_test(limits_are_exact_and_excuse_nothing),
        cmocka_unit_test(zeroed_parameters_are_not_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
