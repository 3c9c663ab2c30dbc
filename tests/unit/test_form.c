/* Forms and paths: decoded once, and refused where others repair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/form.h"
#include "request_arena.h"

static void assert_text(struct text actual, struct text expected)
{
    assert_int_equal(actual.len, expected.len);
    assert_memory_equal(actual.data, expected.data, expected.len);
}

static void fields_are_decoded_in_the_order_sent(void **state)
{
    const struct {
        const char *body;
        size_t count;
        struct field fields[3];
    } cases[] = {
        {"", 0, {{TEXT(""), TEXT("")}}},
        {"&&&", 0, {{TEXT(""), TEXT("")}}},
        {"a=b&c=d", 2, {{TEXT("a"), TEXT("b")}, {TEXT("c"), TEXT("d")}}},
        {"c=d&&a=b&", 2, {{TEXT("c"), TEXT("d")}, {TEXT("a"), TEXT("b")}}},
        {"a&b=", 2, {{TEXT("a"), TEXT("")}, {TEXT("b"), TEXT("")}}},
        {"===", 1, {{TEXT(""), TEXT("==")}}},
        {"a=b=c", 1, {{TEXT("a"), TEXT("b=c")}}},
        {"a=1+2%2b3%203", 1, {{TEXT("a"), TEXT("1 2+3 3")}}},
        {"a=1;b=2", 1, {{TEXT("a"), TEXT("1;b=2")}}},
        {"a%3Db=c%26d", 1, {{TEXT("a=b"), TEXT("c&d")}}},
        {"user[]=a&user.x=b", 2, {{TEXT("user[]"), TEXT("a")}, {TEXT("user.x"), TEXT("b")}}},
        {"a=%c3%bc&A=\xc3\xbc", 2, {{TEXT("a"), TEXT("ü")}, {TEXT("A"), TEXT("ü")}}},
        {"a=%2541", 1, {{TEXT("a"), TEXT("%41")}}},
        {"a=%0d%0a%7f", 1, {{TEXT("a"), TEXT("\r\n\x7f")}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fields fields;
        assert_int_equal(form_parse(text_of(cases[i].body), true, *state, &fields), OK);
        assert_int_equal(fields.count, cases[i].count);
        for (size_t j = 0; j < fields.count; j++) {
            assert_text(fields.items[j].name, cases[i].fields[j].name);
            assert_text(fields.items[j].value, cases[i].fields[j].value);
        }
    }
}

static void malformed_forms_are_refused(void **state)
{
    const struct text bodies[] = {
        TEXT("a=%"),         TEXT("a=%0"),      TEXT("a=%gg"),       TEXT("a=%0g"),
        TEXT("a=%00"),       TEXT("a=b\0c"),    TEXT("%00=b"),       TEXT("a=%c0%80"),
        TEXT("a=%ff"),       TEXT("a=\xff"),    TEXT("a=%ed%a0%80"), TEXT("a=%f8%88%80%80%80"),
        TEXT("a=%e0%80%af"), TEXT("a=%c3"),     TEXT("%c3=%bc"),     TEXT("a=1&a=2"),
        TEXT("a=1&b&a=1"),   TEXT("a=1&%61=2"), TEXT("a=% 41"),      TEXT("a=%-1"),
        TEXT("=&="),         TEXT("a=%u0041"),  TEXT("a=1&b=%"),     TEXT("a=%f4%90%80%80"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fields fields = {NULL, 7};
        assert_int_equal(form_parse(bodies[i], true, *state, &fields), ERR_INPUT);
        assert_int_equal(fields.count, 7);
    }
}

static void a_query_may_repeat_a_name(void **state)
{
    struct fields fields;
    assert_int_equal(form_parse(TEXT("a=1&a=2"), false, *state, &fields), OK);
    assert_int_equal(fields.count, 2);
    assert_text(fields_get(fields, "a"), TEXT("1"));
}

static void only_so_many_fields_are_taken(void **state)
{
    char body[2 * (REQUEST_FIELDS_MAX + 1) + 1];
    struct fields fields;
    for (size_t i = 0; i <= REQUEST_FIELDS_MAX; i++) {
        memcpy(body + 2 * i, "a&", sizeof "a&");
    }
    struct text text = {body, 2 * REQUEST_FIELDS_MAX};
    assert_int_equal(form_parse(text, false, *state, &fields), OK);
    assert_int_equal(fields.count, REQUEST_FIELDS_MAX);
    assert_int_equal(form_parse(text_of(body), false, *state, &fields), ERR_TOO_LARGE);
}

static void a_form_that_memory_does_not_hold_fails(void **state)
{
    char body[2048];
    struct arena *small = NULL;
    struct fields fields;
    struct text path;
    (void)state;
    memset(body, 'a', sizeof body);
    assert_int_equal(arena_new(1024, &small), OK);
    assert_int_equal(form_parse((struct text){body, sizeof body}, true, small, &fields),
                     ERR_MEMORY);
    assert_int_equal(form_decode_path((struct text){body, sizeof body}, small, &path), ERR_MEMORY);
    arena_free(&small);
}

static void paths_are_decoded_once_and_keep_their_plus(void **state)
{
    static const char *const cases[][2] = {
        {"/", "/"},         {"/a+b", "/a+b"},   {"/a%20b", "/a b"},
        {"/%2541", "/%41"}, {"/a%2fb", "/a/b"}, {"/w%C3%BCrfel", "/würfel"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text path;
        assert_int_equal(form_decode_path(text_of(cases[i][0]), *state, &path), OK);
        assert_text(path, text_of(cases[i][1]));
    }
}

static void malformed_paths_are_refused(void **state)
{
    static const char *const paths[] = {"/%",    "/%0",  "/%zz",         "/%00",    "/%0a",
                                        "/%1f",  "/%7f", "/%ff",         "/%c0%af", "/a\tb",
                                        "/\x7f", "/%09", "/\xc3\xbc\xff"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct text path = {NULL, 7};
        assert_int_equal(form_decode_path(text_of(paths[i]), *state, &path), ERR_INPUT);
        assert_int_equal(path.len, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_decoded_in_the_order_sent),
        cmocka_unit_test(malformed_forms_are_refused),
        cmocka_unit_test(a_query_may_repeat_a_name),
        cmocka_unit_test(only_so_many_fields_are_taken),
        cmocka_unit_test(a_form_that_memory_does_not_hold_fails),
        cmocka_unit_test(paths_are_decoded_once_and_keep_their_plus),
        cmocka_unit_test(malformed_paths_are_refused),
    };
    return cmocka_run_group_tests(tests, request_arena_set_up, request_arena_tear_down);
}
