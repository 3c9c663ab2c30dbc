/* The map of what a session remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "session/data.h"

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

static void drop(const char *name)
{
    assert_int_equal(session_data_drop(data, text_of(name)), OK);
}

/* The content as "a=1 b=2". */
static void expect(const char *content)
{
    char found[256] = "";
    size_t len = 0;
    size_t bytes = 0;
    struct text name = {0};
    while ((name = session_data_next(data, name)).data != NULL) {
        struct text value = session_data_get(data, name);
        assert_non_null(value.data);
        assert_int_equal(value.data[value.len], '\0');
        int printed = snprintf(found + len, sizeof found - len, "%s%.*s=%.*s", len > 0 ? " " : "",
                               (int)name.len, name.data, (int)value.len, value.data);
        assert_in_range(printed, 1, sizeof found - len - 1);
        len += (size_t)printed;
        bytes += name.len + value.len;
    }
    assert_string_equal(found, content);
    assert_int_equal(session_data_bytes(data), bytes);
}

static void names_are_given_in_order_whatever_was_put_when(void **state)
{
    (void)state;
    expect("");
    put("m", "1");
    put("z", "2");
    put("a", "3");
    put("M", "4");
    put("aa", "");
    expect("M=4 a=3 aa= m=1 z=2");
    put("m", "other");
    expect("M=4 a=3 aa= m=other z=2");
    drop("a");
    drop("z");
    expect("M=4 aa= m=other");
    assert_null(session_data_get(data, TEXT("a")).data);
    assert_int_equal(session_data_drop(data, TEXT("a")), ERR_NOT_FOUND);
}

static void a_walk_goes_on_while_what_it_meets_is_dropped(void **state)
{
    (void)state;
    char name[SESSION_DATA_NAME_MAX + 1] = "";
    size_t met = 0;
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "key-%d", i);
        put(name, "value");
    }
    session_data_keep(data);
    name[0] = '\0';
    struct text next;
    while ((next = session_data_next(data, text_of(name))).data != NULL) {
        (void)snprintf(name, sizeof name, "%.*s", (int)next.len, next.data);
        drop(name);
        met++;
    }
    assert_int_equal(met, 40);
    expect("");
    session_data_revert(data);
    assert_int_equal(session_data_bytes(data), 10 * 10 + 30 * 11);
}

static void a_value_is_any_bytes(void **state)
{
    (void)state;
    const char bytes[] = {'\0', '\xff', '\n', '\0'};
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){bytes, sizeof bytes}), OK);
    struct text value = session_data_get(data, TEXT("b"));
    assert_int_equal(value.len, sizeof bytes);
    assert_memory_equal(value.data, bytes, sizeof bytes);
    assert_int_equal(session_data_put(data, TEXT("e"), (struct text){0}), OK);
    value = session_data_get(data, TEXT("e"));
    assert_non_null(value.data);
    assert_int_equal(value.len, 0);
}

static void a_name_is_short_and_plain(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "A.b_c-9", "-", "."};
    static const char *const bad[] = {"", " ", "a b", "a=b", "\xc3\xa4", "a/b", "a\n"};
    char longest[SESSION_DATA_NAME_MAX + 2];
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(session_data_name_is_valid(text_of(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(session_data_name_is_valid(text_of(bad[i])));
        assert_int_equal(session_data_put(data, text_of(bad[i]), TEXT("1")), ERR_INPUT);
    }
    struct text name = {longest, SESSION_DATA_NAME_MAX};
    assert_int_equal(session_data_put(data, name, TEXT("1")), OK);
    name.len++;
    assert_int_equal(session_data_put(data, name, TEXT("1")), ERR_INPUT);
    assert_false(session_data_name_is_valid((struct text){"a\0b", 3}));
}

static void a_name_may_be_part_of_one_that_is_held(void **state)
{
    (void)state;
    put("abc", "1");
    for (size_t i = 0; i < 7; i++) { /* now there is room for no other */
        const char name[] = {(char)('d' + i), '\0'};
        put(name, "1");
    }
    struct text held = session_data_next(data, (struct text){0});
    assert_int_equal(session_data_put(data, text_from(held, 1), TEXT("2")), OK);
    expect("abc=1 bc=2 d=1 e=1 f=1 g=1 h=1 i=1 j=1");
}

static void what_does_not_fit_is_refused_and_nothing_changes(void **state)
{
    (void)state;
    char large[1001];
    memset(large, 'v', sizeof large);
    put("a", "1");
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){large, 998}), ERR_TOO_LARGE);
    assert_int_equal(session_data_put(data, TEXT("a"), (struct text){large, 1000}), ERR_TOO_LARGE);
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){large, SIZE_MAX}),
                     ERR_TOO_LARGE);
    expect("a=1");
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){large, 997}), OK);
    assert_int_equal(session_data_bytes(data), 1000);
    assert_int_equal(session_data_put(data, TEXT("c"), (struct text){0}), ERR_TOO_LARGE);
    put("b", "2");
    assert_int_equal(session_data_put(data, TEXT("a"), (struct text){large, 997}), OK);
}

static void changes_are_known_kept_and_reverted(void **state)
{
    (void)state;
    put("a", "1");
    put("b", "2");
    assert_true(session_data_is_changed(data));
    session_data_keep(data);
    assert_false(session_data_is_changed(data));
    put("a", "1");
    assert_false(session_data_is_changed(data));
    put("a", "x");
    put("a", "1");
    assert_false(session_data_is_changed(data));
    put("a", "y");
    drop("b");
    put("c", "3");
    expect("a=y c=3");
    session_data_revert(data);
    expect("a=1 b=2");
    assert_false(session_data_is_changed(data));
    drop("b");
    put("b", "4");
    drop("a");
    session_data_keep(data);
    expect("b=4");
    put("new", "1");
    drop("new");
    assert_false(session_data_is_changed(data));
    drop("b");
    assert_true(session_data_is_changed(data));
}

static void changes_are_listed_with_what_was_dropped(void **state)
{
    (void)state;
    struct session_change changes[3] = {0};
    put("a", "1");
    put("b", "2");
    put("c", "3");
    session_data_keep(data);
    assert_int_equal(session_data_list_changes(data, changes, 3), 0);
    put("a", "1");
    drop("b");
    put("c", "x");
    put("d", "4");
    assert_int_equal(session_data_list_changes(data, NULL, 0), 3);
    assert_int_equal(session_data_list_changes(data, changes, 2), 3);
    assert_true(text_is(changes[0].name, "b"));
    assert_true(changes[0].removed);
    assert_true(text_is(changes[1].name, "c"));
    assert_true(text_is(changes[1].value, "x"));
    assert_false(changes[1].removed);
    assert_null(changes[2].name.data);
}

static void what_was_read_is_no_change_and_knows_no_room(void **state)
{
    (void)state;
    session_data_free(&data);
    assert_int_equal(session_data_new(1, &data), OK);
    assert_int_equal(session_data_put_read(data, TEXT("name"), TEXT("value")), OK);
    expect("name=value");
    assert_false(session_data_is_changed(data));
    drop("name");
    session_data_revert(data);
    expect("name=value");
    session_data_clear(data);
    session_data_revert(data);
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_given_in_order_whatever_was_put_when, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_walk_goes_on_while_what_it_meets_is_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_value_is_any_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_short_and_plain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_may_be_part_of_one_that_is_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused_and_nothing_changes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(changes_are_known_kept_and_reverted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_are_listed_with_what_was_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_read_is_no_change_and_knows_no_room, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
