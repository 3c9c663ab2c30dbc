#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base64url.h"
#include "tables.h"

static const struct {
    const char *bytes;
    const char *text;
} vectors[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"},
};

static void texts_are_those_of_rfc_4648_without_padding(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct text bytes = text_of(vectors[i].bytes);
        char text[16];
        assert_true(BASE64URL_LEN(bytes.len) < sizeof text);
        base64url_encode((const uint8_t *)bytes.data, bytes.len, text);
        assert_string_equal(text, vectors[i].text);
        uint8_t back[8];
        assert_int_equal(base64url_decode(text_of(text), back, bytes.len), OK);
        assert_memory_equal(back, bytes.data, bytes.len);
    }
}

static void another_spelling_is_refused_and_leaves_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } texts[] = {
        {"Zh", 1},    {"Zv", 1},       {"Zm9", 2},   {"Zm-", 2},        {"Zg==", 1},  {"Zg=", 1},
        {"Zm8=", 2},  {"Zm9v", 2},     {"Zm9v", 4},  {"Zm9v ", 3},      {" Zm9v", 3}, {"Zm 9v", 3},
        {"Zm9\n", 3}, {"Zm9v\r\n", 3}, {"+/+/", 3},  {"-_-/", 3},       {"Zm9%", 3},  {"Zm9.", 3},
        {"", 1},      {"Zm9vY", 3},    {"Zm9vY", 4}, {"Zm\xc3\xa9", 3},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        uint8_t bytes[8];
        static const uint8_t zeros[sizeof bytes];
        memset(bytes, 0xaa, sizeof bytes);
        if (base64url_decode(text_of(texts[i].text), bytes, texts[i].len) != ERR_INPUT) {
            fail_msg("accepted: \"%s\"", texts[i].text);
        }
        assert_memory_equal(bytes, zeros, texts[i].len);
    }
}

/* Whether a text is read; it must then be what is written for the bytes. */
static bool reads(struct text text)
{
    uint8_t bytes[8];
    char again[16];
    size_t len = text.len * 3 / 4;
    if (base64url_decode(text, bytes, len) != OK) {
        return false;
    }
    base64url_encode(bytes, len, again);
    assert_memory_equal(again, text.data, text.len);
    return true;
}

/* Of all texts of 2 and 3 characters, as many are read as there are runs of 1 and 2 bytes. The
 * third character is one of many that others take for a digit. */
static void each_run_of_bytes_has_one_spelling(void **state)
{
    (void)state;
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= .";
    size_t good[2] = {0, 0};
    for (unsigned first = 0; first < 65536; first++) {
        char text[3] = {(char)(first >> 8), (char)(first & 0xff), '\0'};
        good[0] += reads((struct text){text, 2});
        for (size_t i = 0; i < sizeof digits; i++) {
            text[2] = digits[i];
            good[1] += reads((struct text){text, 3});
        }
    }
    assert_int_equal(good[0], 256);
    assert_int_equal(good[1], 65536);
}

static void in_each_place_64_characters_are_digits(void **state)
{
    (void)state;
    for (size_t at = 0; at < 4; at++) {
        char text[4] = {'x', 'x', 'x', 'x'};
        size_t good = 0;
        for (int c = 0; c < 256; c++) {
            text[at] = (char)c;
            good += reads((struct text){text, sizeof text});
        }
        assert_int_equal(good, 64);
    }
}

/* Longer runs are read in pieces: no place may be left out. */
static void in_a_long_text_every_place_counts(void **state)
{
    (void)state;
    static const size_t lengths[] = {47, 48, 49, 95, 96, 97, 191, 192, 193, 194, 300};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        uint8_t bytes[300] = {0};
        uint8_t back[300];
        char text[BASE64URL_LEN(sizeof bytes) + 1];
        for (size_t j = 0; j < lengths[i]; j++) {
            bytes[j] = (uint8_t)(7 * j);
        }
        base64url_encode(bytes, lengths[i], text);
        assert_int_equal(base64url_decode(text_of(text), back, lengths[i]), OK);
        assert_memory_equal(back, bytes, lengths[i]);
        for (size_t at = 0; text[at] != '\0'; at++) {
            char kept = text[at];
            text[at] = kept == '-' ? '+' : '=';
            assert_int_equal(base64url_decode(text_of(text), back, lengths[i]), ERR_INPUT);
            text[at] = kept;
        }
    }
}

/* The bits left over in the last character are zeros, in long texts as in short ones. */
static void a_long_text_has_one_last_character(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t len = 190; len < 200; len++) {
        uint8_t bytes[200] = {0};
        char text[BASE64URL_LEN(sizeof bytes) + 1];
        size_t good = 0;
        base64url_encode(bytes, len, text);
        for (size_t i = 0; i < 64; i++) {
            text[BASE64URL_LEN(len) - 1] = digits[i];
            good += base64url_decode(text_of(text), bytes, len) == OK;
        }
        assert_int_equal(good, len % 3 == 0 ? 64 : len % 3 == 1 ? 4 : 16);
    }
}

static void a_run_that_is_too_long_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[BASE64URL_BYTES_MAX + 1] = {0};
    char text[BASE64URL_LEN(sizeof bytes) + 1];
    base64url_encode(bytes, sizeof bytes - 1, text);
    assert_int_equal(base64url_decode(text_of(text), bytes, sizeof bytes - 1), OK);
    base64url_encode(bytes, sizeof bytes, text);
    assert_int_equal(base64url_decode(text_of(text), bytes, sizeof bytes), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_rfc_4648_without_padding),
        cmocka_unit_test(another_spelling_is_refused_and_leaves_zeros),
        cmocka_unit_test(each_run_of_bytes_has_one_spelling),
        cmocka_unit_test(in_each_place_64_characters_are_digits),
        cmocka_unit_test(in_a_long_text_every_place_counts),
        cmocka_unit_test(a_long_text_has_one_last_character),
        cmocka_unit_test(a_run_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
