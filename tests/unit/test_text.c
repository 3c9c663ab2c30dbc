#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tables.h"

static void a_null_string_is_the_empty_text(void **state)
{
    (void)state;
    assert_int_equal(text_of(NULL).len, 0);
    assert_int_equal(text_of("abc").len, 3);
    assert_true(text_is(text_of(NULL), ""));
    assert_true(text_equal(text_of(NULL), TEXT("")));
}

static void equality_sees_every_byte_and_the_length(void **state)
{
    (void)state;
    assert_true(text_equal(TEXT("a\0b"), TEXT("a\0b")));
    assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
    assert_false(text_equal(TEXT("ab"), TEXT("abc")));
    assert_false(text_equal(TEXT("abc"), TEXT("ab")));
    assert_true(text_is(TEXT("login"), "login"));
    assert_false(text_is(TEXT("login\0"), "login"));
}

static void kinds_of_bytes_are_those_of_ascii(void **state)
{
    static const char alphanumeric[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool wanted = byte != 0 && strchr(alphanumeric, byte) != NULL;
        assert_int_equal(text_is_alphanumeric((char)byte), wanted);
    }
    assert_true(text_consists_of(TEXT(""), ""));
    assert_true(text_consists_of(TEXT("a-Z_9"), "-_"));
    assert_false(text_consists_of(TEXT("a-b"), "_"));
    assert_false(text_consists_of(TEXT("a\0b"), "-_"));
    assert_false(text_consists_of(TEXT("\xc3\xa4"), "-_"));
}

static void hexadecimal_digits_count_in_either_case(void **state)
{
    static const char lower[] = "0123456789abcdef";
    static const char upper[] = "0123456789ABCDEF";
    int digits = 0;
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        digits += text_hex_value((char)byte) >= 0;
    }
    assert_int_equal(digits, 22);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(text_hex_value(lower[i]), i);
        assert_int_equal(text_hex_value(upper[i]), i);
    }
}

static void a_byte_is_found_wherever_it_stands(void **state)
{
    (void)state;
    assert_true(text_has_byte(TEXT("a\0b"), 'b'));
    assert_true(text_has_byte(TEXT("a\0b"), '\0'));
    assert_false(text_has_byte(TEXT("ab"), '\0'));
    assert_false(text_has_byte((struct text){0}, '\0'));
    assert_string_equal(text_bytes((struct text){0}), "");
}

static void a_prefix_is_cut_only_where_it_stands(void **state)
{
    struct text rest = TEXT("https://a");
    (void)state;
    assert_false(text_cut_prefix(&rest, TEXT("http://")));
    assert_true(text_is(rest, "https://a"));
    assert_true(text_cut_prefix(&rest, TEXT("https://")));
    assert_true(text_is(rest, "a"));
    assert_true(text_cut_prefix(&rest, TEXT("")));
    assert_true(text_is(text_from(rest, 0), "a"));
    assert_int_equal(text_from(rest, 1).len, 0);
    assert_null(text_from((struct text){0}, 0).data);
}

static void case_is_ignored_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(text_equal_nocase(TEXT("Content-TYPE"), TEXT("content-type")));
    assert_true(text_equal_nocase(TEXT("AZ"), TEXT("az")));
    assert_false(text_equal_nocase(TEXT("@["), TEXT("`{")));
    assert_false(text_equal_nocase(TEXT("\xc4"), TEXT("\xe4")));
    assert_false(text_equal_nocase(TEXT("a"), TEXT("ab")));
}

static void a_prefix_is_no_longer_than_the_whole(void **state)
{
    (void)state;
    assert_true(text_has_prefix(TEXT("sqlite:x"), TEXT("sqlite:")));
    assert_true(text_has_prefix(TEXT("x"), TEXT("")));
    assert_true(text_has_prefix(text_of(NULL), text_of(NULL)));
    assert_false(text_has_prefix(TEXT("sql"), TEXT("sqlite:")));
    assert_false(text_has_prefix(TEXT("asql"), TEXT("sql")));
}

static void every_control_character_is_found(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char bytes[] = {'a', (char)c};
        assert_int_equal(text_has_control((struct text){bytes, 2}), c < 0x20 || c == 0x7f);
    }
    assert_false(text_has_control(TEXT("")));
}

/* Bytes are looked at eight at a time: neighbours of every value must change nothing. */
static void a_control_character_is_found_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 19; len++) {
        for (size_t place = 0; place < len; place++) {
            for (int c = 0; c < 256; c++) {
                char bytes[19];
                memset(bytes, c % 2 == 0 ? 0xff : 0x20, sizeof bytes);
                bytes[place] = (char)c;
                assert_int_equal(text_has_control((struct text){bytes, len}),
                                 c < 0x20 || c == 0x7f);
            }
        }
    }
    for (int a = 0x20; a < 256; a++) {
        for (int b = 0x20; b < 256; b++) {
            const char bytes[8] = {(char)a, (char)b, (char)a, (char)b,
                                   (char)b, (char)a, (char)a, (char)b};
            assert_int_equal(text_has_control((struct text){bytes, sizeof bytes}),
                             a == 0x7f || b == 0x7f);
        }
    }
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const struct {
        struct text text;
        bool good;
    } cases[] = {
        {TEXT_INIT(""), true},
        {TEXT_INIT("a\0b"), true},
        {TEXT_INIT("gr\xc3\xbc\xc3\x9f"), true},
        {TEXT_INIT("\xf0\x9f\x94\x91"), true},
        {TEXT_INIT("\xf4\x8f\xbf\xbf"), true},
        {TEXT_INIT("\xf4\x90\x80\x80"), false}, /* above U+10FFFF */
        {TEXT_INIT("\xf5\x80\x80\x80"), false},
        {TEXT_INIT("\xc0\x80"), false}, /* overlong NUL */
        {TEXT_INIT("\xc1\xbf"), false},
        {TEXT_INIT("\xe0\x9f\xbf"), false}, /* overlong */
        {TEXT_INIT("\xf0\x8f\xbf\xbf"), false},
        {TEXT_INIT("\xed\x9f\xbf"), true},
        {TEXT_INIT("\xed\xa0\x80"), false}, /* surrogate */
        {TEXT_INIT("\xee\x80\x80"), true},
        {TEXT_INIT("\x80"), false},
        {TEXT_INIT("\xff"), false},
        {TEXT_INIT("a\xc3"), false}, /* cut */
        {TEXT_INIT("\xe2\x82"), false},
        {TEXT_INIT("\xf0\x9f\x94"), false},
        {TEXT_INIT("\xe2\x82z"), false},
        {TEXT_INIT("\xf8\x88\x80\x80\x80"), false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (text_is_utf8(cases[i].text) != cases[i].good) {
            fail_msg("case %zu", i);
        }
    }
}

static void one_stray_byte_spoils_utf8_of_any_length(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 19; len++) {
        char bytes[19];
        memset(bytes, 'a', sizeof bytes);
        assert_true(text_is_utf8((struct text){bytes, len}));
        for (size_t place = 0; place < len; place++) {
            for (int c = 0x80; c < 0x100; c++) {
                bytes[place] = (char)c;
                assert_false(text_is_utf8((struct text){bytes, len}));
            }
            bytes[place] = 'a';
        }
    }
}

static void what_is_visible_is_ascii_that_leaves_a_mark(void **state)
{
    (void)state;
    assert_true(text_is_visible(TEXT("")));
    for (size_t len = 1; len <= 19; len++) {
        for (size_t place = 0; place < len; place++) {
            for (int c = 0; c < 256; c++) {
                char bytes[19];
                memset(bytes, c % 2 == 0 ? '~' : '!', sizeof bytes);
                bytes[place] = (char)c;
                assert_int_equal(text_is_visible((struct text){bytes, len}), c > 0x20 && c < 0x7f);
            }
        }
    }
}

/* As many as there are code points of that length: U+0080 to U+07FF, U+0800 to U+FFFF less the
 * surrogates. */
static void there_are_as_many_utf8_characters_as_code_points(void **state)
{
    (void)state;
    size_t two = 0, three = 0;
    for (uint32_t n = 0; n < 0x10000; n++) {
        const char bytes[] = {(char)(n >> 8), (char)n};
        two += text_utf8_len((struct text){bytes, 2}) == 2;
    }
    for (uint32_t n = 0xe00000; n < 0xf00000; n++) {
        const char bytes[] = {(char)(n >> 16), (char)(n >> 8), (char)n};
        three += text_utf8_len((struct text){bytes, 3}) == 3;
    }
    assert_int_equal(two, 0x800 - 0x80);
    assert_int_equal(three, 0x10000 - 0x800 - 0x800);
}

static void every_code_point_beyond_the_first_plane_has_four_bytes(void **state)
{
    (void)state;
    for (uint32_t n = 0x10000; n < 0x200000; n++) {
        const char bytes[] = {(char)(0xf0 | n >> 18), (char)(0x80 | (n >> 12 & 63)),
                              (char)(0x80 | (n >> 6 & 63)), (char)(0x80 | (n & 63))};
        assert_int_equal(text_utf8_len((struct text){bytes, 4}), n < 0x110000 ? 4 : 0);
    }
}

static void only_the_first_character_is_measured(void **state)
{
    (void)state;
    assert_int_equal(text_utf8_len(TEXT("")), 0);
    assert_int_equal(text_utf8_len(TEXT("a\xff")), 1);
    assert_int_equal(text_utf8_len(TEXT("\xc3\xbc\xff")), 2);
    assert_int_equal(text_utf8_len(TEXT("\xff"
                                        "a")),
                     0);
}

static void misleading_characters_are_controls_line_ends_and_turns_of_direction(void **state)
{
    (void)state;
    for (unsigned point = 0; point < 0x10000; point++) {
        char bytes[3] = {(char)point};
        size_t len = 1;
        if (point >= 0x800) {
            bytes[0] = (char)(0xe0 | point >> 12);
            bytes[1] = (char)(0x80 | (point >> 6 & 0x3f));
            bytes[2] = (char)(0x80 | (point & 0x3f));
            len = 3;
        } else if (point >= 0x80) {
            bytes[0] = (char)(0xc0 | point >> 6);
            bytes[1] = (char)(0x80 | (point & 0x3f));
            len = 2;
        }
        bool wanted = point < 0x20 || (point >= 0x7f && point < 0xa0) ||
                      (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
        assert_int_equal(text_is_misleading(bytes, len), wanted);
    }
    assert_false(text_is_misleading("\xf0\x9f\x94\x91", 4));
}

static void a_clean_copy_has_marks_for_what_is_no_text_and_is_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        struct text text;
        size_t room;
        const char *wanted;
    } cases[] = {
        {TEXT_INIT("plain gr\xc3\xbcn"), 20, "plain gr\xc3\xbcn"},
        {TEXT_INIT("a\x1b[2J\xc2\x9b\x7f\0\n"), 20, "a?[2J????"},
        {TEXT_INIT("\xe2\x80\xae"
                   "cod.exe\xe2\x81\xa9"),
         20, "?cod.exe?"},
        {TEXT_INIT("\xff\xc3"
                   "a\xe2\x80"),
         20, "??a??"},
        {TEXT_INIT("ab\xe2\x82\xac"), 6, "ab\xe2\x82\xac"},
        {TEXT_INIT("ab\xe2\x82\xac"), 5, "ab"},
        {TEXT_INIT("abc"), 1, ""},
        {TEXT_INIT(""), 1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[20];
        memset(out, 'z', sizeof out);
        text_copy_clean(cases[i].text, out, cases[i].room);
        assert_string_equal(out, cases[i].wanted);
    }
}

static void characters_are_counted_and_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_count_characters(TEXT("")), 0);
    assert_int_equal(text_count_characters((struct text){NULL, 0}), 0);
    assert_int_equal(text_count_characters(TEXT("abc")), 3);
    assert_int_equal(text_count_characters(TEXT("a\0b")), 3);
    assert_int_equal(text_count_characters(TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91")), 3);
    assert_int_equal(text_count_characters(TEXT("\x80\x80")), 0);
}

static void trimming_takes_spaces_and_tabs_from_the_ends_only(void **state)
{
    (void)state;
    assert_true(text_is(text_trim(TEXT(" \t a b\t ")), "a b"));
    assert_true(text_is(text_trim(TEXT("a\n")), "a\n"));
    assert_int_equal(text_trim(TEXT(" \t ")).len, 0);
    assert_int_equal(text_trim(text_of(NULL)).len, 0);
}

static void cutting_gives_all_pieces_and_then_null(void **state)
{
    (void)state;
    struct text rest = TEXT("a;;b\0c;");
    assert_true(text_is(text_cut(&rest, ';'), "a"));
    assert_true(text_is(text_cut(&rest, ';'), ""));
    assert_true(text_equal(text_cut(&rest, ';'), TEXT("b\0c")));
    assert_non_null(rest.data);
    assert_int_equal(rest.len, 0);
    assert_true(text_is(text_cut(&rest, ';'), ""));
    assert_null(rest.data);
    assert_int_equal(text_cut(&rest, ';').len, 0);
}

static void numbers_are_digits_up_to_the_maximum(void **state)
{
    (void)state;
    static const struct {
        struct text text;
        uint64_t max;
        bool good;
        uint64_t number;
    } cases[] = {
        {TEXT_INIT("0"), 0, true, 0},
        {TEXT_INIT("007"), 7, true, 7},
        {TEXT_INIT("8"), 7, false, 0},
        {TEXT_INIT("1"), 0, false, 0},
        {TEXT_INIT("9"), 5, false, 0},
        {TEXT_INIT("65535"), 65535, true, 65535},
        {TEXT_INIT("65536"), 65535, false, 0},
        {TEXT_INIT("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {TEXT_INIT("18446744073709551616"), UINT64_MAX, false, 0},
        {TEXT_INIT("99999999999999999999"), UINT64_MAX, false, 0},
        {TEXT_INIT("184467440737095516150"), UINT64_MAX, false, 0},
        {TEXT_INIT(""), 9, false, 0},
        {TEXT_INIT("+5"), 9, false, 0},
        {TEXT_INIT("-1"), 9, false, 0},
        {TEXT_INIT(" 5"), 9, false, 0},
        {TEXT_INIT("5 "), 9, false, 0},
        {TEXT_INIT("0x5"), 9, false, 0},
        {TEXT_INIT("5\0"), 9, false, 0},
        {TEXT_INIT("1e3"), 9999, false, 0},
        {TEXT_INIT("\xd9\xa3"), 9, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t number = 4711;
        enum status status = text_parse_number(cases[i].text, cases[i].max, &number);
        if ((status == OK) != cases[i].good || number != (cases[i].good ? cases[i].number : 4711)) {
            fail_msg("case %zu: status %d, number %llu", i, (int)status,
                     (unsigned long long)number);
        }
        assert_true(status == OK || status == ERR_INPUT);
    }
}

static void the_nearest_name_is_offered_when_it_is_near(void **state)
{
    (void)state;
    static const char *const names[] = {"idle",          "lifetime",      "remember",
                                        "cookie_domain", "secure_cookie", NULL};
    static const struct {
        const char *word;
        const char *nearest;
    } cases[] = {
        {"idle", "idle"},
        {"idl", "idle"},
        {"lifetim", "lifetime"},
        {"livetime", "lifetime"},
        {"rember", "remember"},
        {"cookie-domain", "cookie_domain"},
        {"securecookies", "secure_cookie"},
        {"password", NULL},
        {"id", NULL},
        {"ie", NULL}, /* two edits, but half of its length is one */
        {"", NULL},
        {"lifeXXXXtime", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = text_nearest(cases[i].word, names);
        if (nearest == NULL || cases[i].nearest == NULL) {
            assert_true(nearest == cases[i].nearest);
        } else {
            assert_string_equal(nearest, cases[i].nearest);
        }
    }
}

static void very_long_words_have_no_nearest_name(void **state)
{
    (void)state;
    static const char long_word[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const char *const names[] = {long_word, "a", NULL};
    assert_null(text_nearest(long_word, names));
    assert_null(text_nearest("aa", (const char *const[]){long_word, NULL}));
    assert_string_equal(text_nearest("aa", names), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_string_is_the_empty_text),
        cmocka_unit_test(equality_sees_every_byte_and_the_length),
        cmocka_unit_test(kinds_of_bytes_are_those_of_ascii),
        cmocka_unit_test(hexadecimal_digits_count_in_either_case),
        cmocka_unit_test(a_byte_is_found_wherever_it_stands),
        cmocka_unit_test(a_prefix_is_cut_only_where_it_stands),
        cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(a_prefix_is_no_longer_than_the_whole),
        cmocka_unit_test(every_control_character_is_found),
        cmocka_unit_test(a_control_character_is_found_at_every_place),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(one_stray_byte_spoils_utf8_of_any_length),
        cmocka_unit_test(what_is_visible_is_ascii_that_leaves_a_mark),
        cmocka_unit_test(there_are_as_many_utf8_characters_as_code_points),
        cmocka_unit_test(every_code_point_beyond_the_first_plane_has_four_bytes),
        cmocka_unit_test(only_the_first_character_is_measured),
        cmocka_unit_test(misleading_characters_are_controls_line_ends_and_turns_of_direction),
        cmocka_unit_test(a_clean_copy_has_marks_for_what_is_no_text_and_is_cut_between_characters),
        cmocka_unit_test(characters_are_counted_and_not_bytes),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_from_the_ends_only),
        cmocka_unit_test(cutting_gives_all_pieces_and_then_null),
        cmocka_unit_test(numbers_are_digits_up_to_the_maximum),
        cmocka_unit_test(the_nearest_name_is_offered_when_it_is_near),
        cmocka_unit_test(very_long_words_have_no_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
