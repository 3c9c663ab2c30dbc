/* Borrowed text: a pointer and a length, NUL bytes allowed inside. Nothing here allocates. */
#ifndef LATCHKEY_BASE_TEXT_H
#define LATCHKEY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

struct text {
    const char *data; /* borrowed; may be NULL when len is 0 */
    size_t len;       /* bytes, never counting a NUL at the end */
};

/* A text over a string literal. */
#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* The same as an initializer, for static tables: C does not take a compound literal there. */
#define TEXT_INIT(literal)                                                                         \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* What takes a few instructions stands here and not in text.c, for each request is searched for a
 * dozen names, is cut into a hundred pieces, and most of the words it is compared with are
 * literals, whose length the compiler knows. */

/* A text over a C string; NULL gives the empty text. */
static inline struct text text_of(const char *string)
{
    return (struct text){string, string == NULL ? 0 : strlen(string)};
}

/* The bytes, never NULL: for libraries to which NULL means something else than no bytes. */
const char *text_bytes(struct text text);

/* Equality, byte by byte. Not for secrets: see base/secret.h. */
static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len &&
           (a.len == 0 || (a.data != NULL && b.data != NULL && memcmp(a.data, b.data, a.len) == 0));
}

/* The same against a C string. */
static inline bool text_is(struct text a, const char *b)
{
    return text_equal(a, text_of(b));
}

/* The order of two texts by their bytes: negative, 0 or positive. Not for secrets either. */
int text_compare(struct text a, struct text b);

/* A letter of ASCII in its small form; any other byte as it is. */
char text_lower(char c);

/* Whether the character, `len` bytes of UTF-8, is a control: below U+0020, or U+007F to U+009F,
 * which terminals obey as well. */
bool text_is_control(const char *character, size_t len);

/* Whether the character, `len` bytes of well-formed UTF-8, says how others are shown: a control; a
 * line end (U+2028, U+2029); or what turns the direction of text, and lets one name look like
 * another (U+202A to U+202E, U+2066 to U+2069). */
bool text_is_misleading(const char *character, size_t len);

/* Equality with ASCII letters compared without case. */
bool text_equal_nocase(struct text a, struct text b);

/* Whether `whole` begins with `prefix`, byte by byte; every text begins with the empty one. */
static inline bool text_has_prefix(struct text whole, struct text prefix)
{
    return prefix.len <= whole.len && text_equal((struct text){whole.data, prefix.len}, prefix);
}

/* Whether the byte is an ASCII letter or digit. */
bool text_is_alphanumeric(char byte);

/* What a hexadecimal digit, in either case, counts for; -1: it is none. */
int text_hex_value(char digit);

/* Whether the byte stands in the text; may be NUL. */
static inline bool text_has_byte(struct text text, char byte)
{
    return text.len > 0 && memchr(text.data, byte, text.len) != NULL;
}

/* Whether every byte is an ASCII letter, a digit, or one of `others`. */
bool text_consists_of(struct text text, const char *others);

/* Whether any byte is a control character: below 0x20, or 0x7f. */
bool text_has_control(struct text text);

/* Whether every byte is printable ASCII and no space (VCHAR of RFC 5234 §B.1). */
bool text_is_visible(struct text text);

/* Whether the bytes are well-formed UTF-8 (RFC 3629 §4: no overlong form, no surrogate). */
bool text_is_utf8(struct text text);

/* Bytes of the well-formed UTF-8 character that the text begins with; 0 when it is empty or begins
 * with anything else. */
size_t text_utf8_len(struct text text);

/* Characters (code points) of well-formed UTF-8; of other bytes, any number up to their count. */
size_t text_count_characters(struct text text);

/* Copies what fits of a text that others wrote, for terminals and logs: NUL-terminated in `room`
 * bytes (1 at least), cut between characters, with '?' for each misleading character and each byte
 * that is not UTF-8. */
void text_copy_clean(struct text text, char *out, size_t room);

/* Without spaces and tabs at both ends. */
struct text text_trim(struct text text);

/* What follows the first `bytes` bytes, of which there must be so many. */
static inline struct text text_from(struct text text, size_t bytes)
{
    return bytes == 0 ? text : (struct text){text.data + bytes, text.len - bytes};
}

/* Cuts `prefix` off the front of *rest; false, and nothing cut, when it does not stand there. */
bool text_cut_prefix(struct text *rest, struct text prefix);

/* Cuts the piece before `separator` off the front of *rest and returns it; *rest becomes what
 * follows the separator, or the empty text with NULL data when there was none. */
struct text text_cut(struct text *rest, char separator);

/* Reads a decimal number, digits only, no sign, no spaces, at most `max`.
 * ERR_INPUT when it is anything else; *out untouched then. */
enum status text_parse_number(struct text text, uint64_t max, uint64_t *out) MUST_USE;

/* The entry of the NULL-terminated `names` nearest to `word` (edit distance at most 3 and at most
 * half the word's length), or NULL. For "did you mean". */
const char *text_nearest(const char *word, const char *const *names);

#endif
