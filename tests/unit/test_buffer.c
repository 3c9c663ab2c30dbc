#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "tables.h"

static void assert_content(struct buffer *buffer, struct text wanted)
{
    assert_false(buffer->failed);
    assert_true(text_equal(buffer_text(buffer), wanted));
    assert_int_equal(buffer->data[buffer->len], '\0');
}

static void pieces_are_joined_and_followed_by_a_nul(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    assert_null(buffer.data);
    assert_int_equal(buffer_text(&buffer).len, 0);
    buffer_add(&buffer, "a\0b", 3);
    buffer_add_text(&buffer, TEXT("-c"));
    buffer_add_string(&buffer, "-d");
    buffer_print(&buffer, "-%d%s", 42, "%n");
    assert_content(&buffer, TEXT("a\0b-c-d-42%n"));
    buffer_clear(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.len, 0);
    assert_int_equal(buffer.limit, 1000);
}

static void adding_nothing_gives_the_empty_string(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 0);
    buffer_add(&buffer, NULL, 0);
    buffer_print(&buffer, "%s", "");
    assert_content(&buffer, TEXT(""));
    buffer_add(&buffer, "x", 1);
    assert_true(buffer.failed);
    buffer_clear(&buffer);
}

static void the_limit_is_reached_but_not_passed(void **state)
{
    (void)state;
    for (size_t limit = 1; limit < 600; limit += 7) {
        struct buffer buffer;
        buffer_init(&buffer, limit);
        for (size_t i = 0; i < limit; i++) {
            buffer_add(&buffer, "x", 1);
        }
        assert_false(buffer.failed);
        assert_int_equal(buffer.len, limit);
        assert_int_equal(strlen(buffer.data), limit);
        buffer_add(&buffer, "y", 1);
        assert_true(buffer.failed);
        assert_int_equal(buffer.len, limit);
        assert_null(strchr(buffer.data, 'y'));
        buffer_clear(&buffer);
        assert_false(buffer.failed);
    }
}

static void the_first_failure_sticks(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4);
    buffer_add_string(&buffer, "ab");
    buffer_print(&buffer, "%s", "cde");
    assert_true(buffer.failed);
    buffer_add_string(&buffer, "c");
    buffer_print(&buffer, "d");
    assert_true(buffer.failed);
    assert_true(text_is(buffer_text(&buffer), "ab"));
    buffer_clear(&buffer);
}

static void lengths_that_overflow_are_refused(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, SIZE_MAX);
    buffer_add_string(&buffer, "abc");
    assert_false(buffer.failed);
    buffer_add(&buffer, "x", SIZE_MAX - 3);
    assert_true(buffer.failed);
    assert_true(text_is(buffer_text(&buffer), "abc"));
    buffer_clear(&buffer);
    buffer_add(&buffer, "x", SIZE_MAX);
    assert_true(buffer.failed);
    buffer_clear(&buffer);
}

static void content_survives_growing(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100000);
    for (unsigned i = 0; i < 10000; i++) {
        buffer_print(&buffer, "%05u", i);
    }
    assert_false(buffer.failed);
    assert_int_equal(buffer.len, 50000);
    assert_memory_equal(buffer.data + 5 * 7777, "07777", 5);
    assert_true(buffer.room <= 100001);
    buffer_clear(&buffer);
}

/* Printing goes into the room that is left; what does not fit there must leave no trace. */
static void a_print_that_does_not_fit_leaves_no_trace(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 600);
    buffer_print(&buffer, "%0500d", 0);
    assert_false(buffer.failed);
    size_t room = buffer.room;
    buffer_print(&buffer, "%0200d", 1);
    assert_true(buffer.failed);
    assert_int_equal(buffer.len, 500);
    for (size_t i = buffer.len; i < room; i++) {
        assert_int_equal(buffer.data[i], '\0');
    }
    buffer_clear(&buffer);
}

static void every_length_of_print_fits_exactly(void **state)
{
    (void)state;
    struct buffer buffer;
    for (int before = 0; before < 600; before += 7) {
        for (int len = 250; len < 260; len++) {
            buffer_init(&buffer, 1000);
            buffer_print(&buffer, "%*s", before, "");
            buffer_print(&buffer, "%*s", len, "x");
            assert_false(buffer.failed);
            assert_int_equal(buffer.len, before + len);
            assert_int_equal(strlen(buffer.data), before + len);
            assert_int_equal(buffer.data[before + len - 1], 'x');
            buffer_clear(&buffer);
        }
    }
}

static void a_reset_wipes_and_keeps_the_room(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000000);
    buffer_reset(&buffer);
    assert_null(buffer.data);
    buffer_add_string(&buffer, "a secret");
    const char *data = buffer.data;
    buffer.failed = true;
    buffer_reset(&buffer);
    assert_content(&buffer, TEXT(""));
    assert_ptr_equal(buffer.data, data);
    for (size_t i = 0; i < sizeof "a secret"; i++) {
        assert_int_equal(data[i], '\0');
    }
    buffer_add_string(&buffer, "b");
    assert_content(&buffer, TEXT("b"));
    buffer_print(&buffer, "%0100000d", 0); /* so much is not kept for the next answer */
    buffer_reset(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.limit, 1000000);
}

static void json_strings_are_escaped_as_rfc_8259_says(void **state)
{
    (void)state;
    static const struct {
        struct text plain;
        const char *escaped;
    } cases[] = {
        {TEXT_INIT(""), ""},
        {TEXT_INIT("plain /'<"), "plain /'<"},
        {TEXT_INIT("\"\\"), "\\\"\\\\"},
        {TEXT_INIT("\b\f\n\r\t"), "\\b\\f\\n\\r\\t"},
        {TEXT_INIT("a\0\x1f\x7f"), "a\\u0000\\u001f\\u007f"},
        {TEXT_INIT("\xc2\x80\xc2\x9f\xc2\xa0"), "\\u0080\\u009f\xc2\xa0"},
        {TEXT_INIT("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8"), "\\u202e\\u2066\\u2028"},
        {TEXT_INIT("gr\xc3\xbc\xf0\x9f\x94\x91"), "gr\xc3\xbc\xf0\x9f\x94\x91"},
        {TEXT_INIT("a\xff"
                   "b\xc3"),
         "a\\ufffdb\\ufffd"},
        {TEXT_INIT("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer buffer;
        buffer_init(&buffer, 1000);
        buffer_add_string(&buffer, "");
        buffer_add_json(&buffer, cases[i].plain);
        assert_content(&buffer, text_of(cases[i].escaped));
        buffer_clear(&buffer);
    }
}

static void all_but_unreserved_characters_are_percent_encoded(void **state)
{
    (void)state;
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (int c = 0; c < 256; c++) {
        struct buffer buffer;
        buffer_init(&buffer, 10);
        const char byte = (char)c;
        buffer_add_percent(&buffer, (struct text){&byte, 1});
        if (memchr(unreserved, c, sizeof unreserved - 1) != NULL) {
            assert_content(&buffer, (struct text){&byte, 1});
        } else {
            struct buffer wanted;
            buffer_init(&wanted, 10);
            buffer_print(&wanted, "%%%02X", (unsigned)c);
            assert_content(&buffer, buffer_text(&wanted));
            buffer_clear(&wanted);
        }
        buffer_clear(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_joined_and_followed_by_a_nul),
        cmocka_unit_test(adding_nothing_gives_the_empty_string),
        cmocka_unit_test(the_limit_is_reached_but_not_passed),
        cmocka_unit_test(the_first_failure_sticks),
        cmocka_unit_test(lengths_that_overflow_are_refused),
        cmocka_unit_test(content_survives_growing),
        cmocka_unit_test(a_print_that_does_not_fit_leaves_no_trace),
        cmocka_unit_test(every_length_of_print_fits_exactly),
        cmocka_unit_test(a_reset_wipes_and_keeps_the_room),
        cmocka_unit_test(json_strings_are_escaped_as_rfc_8259_says),
        cmocka_unit_test(all_but_unreserved_characters_are_percent_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
