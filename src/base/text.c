/* Borrowed text.
 *
 * No locale is asked: letters are ASCII letters, whatever the environment says, because an
 * attacker may influence a CGI program's environment, and because names compared here are names of
 * protocols. */
#include "base/text.h"

#include <limits.h>
#include <string.h>

#define NEAREST_LEN_MAX      63
#define NEAREST_DISTANCE_MAX 3

const char *text_bytes(struct text text)
{
    return text.data != NULL ? text.data : "";
}

int text_compare(struct text a, struct text b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_is_control(const char *character, size_t len)
{
    unsigned char first = (unsigned char)character[0];
    if (len == 1) {
        return first < 0x20 || first == 0x7f;
    }
    return len == 2 && first == 0xc2 && (unsigned char)character[1] < 0xa0;
}

bool text_is_misleading(const char *character, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)character;
    if (len == 3 && bytes[0] == 0xe2) {
        return (bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) ||
               (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9);
    }
    return text_is_control(character, len);
}

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (text_lower(a.data[i]) != text_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool text_is_alphanumeric(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

int text_hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char letter = text_lower(digit);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool text_consists_of(struct text text, const char *others)
{
    struct text marks = text_of(others);
    for (size_t i = 0; i < text.len; i++) {
        if (!text_is_alphanumeric(text.data[i]) && !text_has_byte(marks, text.data[i])) {
            return false;
        }
    }
    return true;
}

#define ONES ((uint64_t)0x0101010101010101) /* in each byte of a word */
#define TOPS (0x80 * ONES)

/* Which of the bytes are control characters: a top bit is set if and only if the answer for the
 * word is yes. A byte that is below n (1 to 0x80) borrows from its highest bit when n is taken from
 * it, if that bit was not set; a borrow may reach the next byte too, but only from one that is
 * found already. */
static uint64_t find_controls(uint64_t word)
{
    uint64_t deletes = word ^ (0x7f * ONES); /* zero where DEL was */
    return ((word - 0x20 * ONES) | (deletes - ONES)) & ~word & TOPS;
}

static uint64_t find_beyond_ascii(uint64_t word)
{
    return word & TOPS;
}

/* Likewise. */
static uint64_t find_invisible(uint64_t word)
{
    uint64_t blanks = word ^ (' ' * ONES);
    return find_controls(word) | ((blanks - ONES) & ~blanks & TOPS) | find_beyond_ascii(word);
}

static uint64_t get_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Whether `find` finds something in any word of the text, with marks before a short one; the last
 * word overlaps the one before. Every byte of every request and answer passes here. */
static inline bool has_in_words(struct text text, uint64_t (*find)(uint64_t))
{
    const size_t width = sizeof(uint64_t);
    if (text.len < width) {
        uint64_t word = '!' * ONES;
        for (size_t i = 0; i < text.len; i++) {
            word = word << CHAR_BIT | (unsigned char)text.data[i];
        }
        return find(word) != 0;
    }
    for (size_t i = 0; i < text.len - width; i += width) {
        if (find(get_word(text.data + i)) != 0) {
            return true;
        }
    }
    return find(get_word(text.data + text.len - width)) != 0;
}

bool text_has_control(struct text text)
{
    return has_in_words(text, find_controls);
}

bool text_is_visible(struct text text)
{
    return !has_in_words(text, find_invisible);
}

/* The table of RFC 3629 §4, one line per line there: which first bytes, how long, and the bounds of
 * the second byte, which alone keep out overlong forms, surrogates and what is above U+10FFFF. */
static const struct {
    unsigned char first_min, first_max, len, second_min, second_max;
} utf8_forms[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool is_between(char c, unsigned char min, unsigned char max)
{
    unsigned char byte = (unsigned char)c;
    return byte >= min && byte <= max;
}

static bool has_form(struct text text, size_t form)
{
    size_t len = utf8_forms[form].len;
    if (len > text.len) {
        return false;
    }
    if (len > 1 &&
        !is_between(text.data[1], utf8_forms[form].second_min, utf8_forms[form].second_max)) {
        return false;
    }
    for (size_t i = 2; i < len; i++) {
        if (!is_between(text.data[i], 0x80, 0xbf)) {
            return false;
        }
    }
    return true;
}

size_t text_utf8_len(struct text text)
{
    if (text.len == 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++) {
        if (is_between(text.data[0], utf8_forms[i].first_min, utf8_forms[i].first_max)) {
            return has_form(text, i) ? utf8_forms[i].len : 0;
        }
    }
    return 0;
}

bool text_is_utf8(struct text text)
{
    if (!has_in_words(text, find_beyond_ascii)) {
        return true; /* as most are */
    }
    while (text.len > 0) {
        size_t len = text_utf8_len(text);
        if (len == 0) {
            return false;
        }
        text = text_from(text, len);
    }
    return true;
}

/* Every byte but those that continue a character begins one. */
size_t text_count_characters(struct text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.data[i] & 0xc0U) != 0x80U;
    }
    return count;
}

void text_copy_clean(struct text text, char *out, size_t room)
{
    size_t used = 0;
    while (text.len > 0) {
        size_t len = text_utf8_len(text);
        bool good = len > 0 && !text_is_misleading(text.data, len);
        size_t taken = good ? len : 1;
        if (used + taken >= room) {
            break;
        }
        memcpy(out + used, good ? text.data : "?", taken);
        used += taken;
        text = text_from(text, len > 0 ? len : 1);
    }
    out[used] = '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text text_trim(struct text text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text = text_from(text, 1);
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

bool text_cut_prefix(struct text *rest, struct text prefix)
{
    if (!text_has_prefix(*rest, prefix)) {
        return false;
    }
    *rest = text_from(*rest, prefix.len);
    return true;
}

struct text text_cut(struct text *rest, char separator)
{
    struct text piece = *rest;
    const char *found = piece.len == 0 ? NULL : memchr(piece.data, separator, piece.len);
    if (found == NULL) {
        *rest = (struct text){NULL, 0};
        return piece;
    }
    piece.len = (size_t)(found - piece.data);
    rest->data = found + 1;
    rest->len -= piece.len + 1;
    return piece;
}

enum status text_parse_number(struct text text, uint64_t max, uint64_t *out)
{
    if (text.len == 0) {
        return ERR_INPUT;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return ERR_INPUT;
        }
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (digit > max || number > (max - digit) / 10) {
            return ERR_INPUT;
        }
        number = number * 10 + digit;
    }
    *out = number;
    return OK;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The least number of bytes to insert, delete or replace that makes `a` of `b` (Levenshtein), kept
 * as one row of the usual table: row[j] is the distance of the first i bytes of a and j of b. */
static size_t edit_distance(struct text a, struct text b)
{
    size_t row[NEAREST_LEN_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

const char *text_nearest(const char *word, const char *const *names)
{
    struct text wanted = text_of(word);
    if (wanted.len > NEAREST_LEN_MAX) {
        return NULL;
    }
    const char *nearest = NULL;
    size_t bound = smaller(NEAREST_DISTANCE_MAX, wanted.len / 2) + 1;
    for (; *names != NULL; names++) {
        struct text name = text_of(*names);
        if (name.len > NEAREST_LEN_MAX) {
            continue;
        }
        size_t distance = edit_distance(wanted, name);
        if (distance < bound) {
            bound = distance;
            nearest = *names;
        }
    }
    return nearest;
}
