#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)fuzz_one((struct text){(const char *)data, size});
    return 0;
}

void fuzz_require(bool holds, const char *promise)
{
    if (!holds) {
        (void)fprintf(stderr, "fuzz: broken promise: %s\n", promise);
        (void)fflush(stderr);
        abort();
    }
}

struct text fuzz_take(struct text *rest, size_t bytes)
{
    struct text piece = {rest->data, bytes < rest->len ? bytes : rest->len};
    *rest = text_from(*rest, piece.len);
    return piece;
}

uint8_t fuzz_take_byte(struct text *rest)
{
    struct text byte = fuzz_take(rest, 1);
    return byte.len > 0 ? (uint8_t)byte.data[0] : 0;
}

struct text fuzz_take_piece(struct text *rest)
{
    return fuzz_take(rest, fuzz_take_byte(rest));
}

struct text fuzz_take_part(struct text *rest, const char *mark)
{
    struct text after = *rest;
    struct text part = {rest->data, 0};
    while (after.len > 0) {
        struct text line = text_cut(&after, '\n');
        if (text_is(line, mark)) {
            *rest = after;
            return part;
        }
        part.len = after.data != NULL ? (size_t)(after.data - rest->data) : rest->len;
    }
    part = *rest;
    *rest = (struct text){NULL, 0};
    return part;
}

/* By hand: memmem is watched by libFuzzer, which would then try to bring about what it looks for.
 */
bool fuzz_has(struct text whole, struct text part)
{
    for (size_t i = 0; i + part.len <= whole.len; i++) {
        size_t same = 0;
        while (same < part.len && whole.data[i + same] == part.data[same]) {
            same++;
        }
        if (same == part.len) {
            return true;
        }
    }
    return false;
}

const char *fuzz_write_secret(const char *name)
{
    return scratch_write(name, "00c0ffee AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
                               "0badcafe ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8\n");
}

size_t fuzz_count_lines(struct text text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

/* Whether there is nothing but characters that are shown as they are. */
static bool is_clean(struct text text)
{
    while (text.len > 0) {
        size_t len = text_utf8_len(text);
        if (len == 0 || text_is_misleading(text.data, len)) {
            return false;
        }
        text = text_from(text, len);
    }
    return true;
}

void fuzz_check_place(const char *message, const char *name, size_t lines)
{
    struct text rest = text_of(message);
    uint64_t line = 0;
    fuzz_require(is_clean(rest), "a message is one line of clean UTF-8");
    fuzz_require(text_cut_prefix(&rest, text_of(name)) && text_cut_prefix(&rest, TEXT(":")),
                 "a message begins with the name of the file");
    fuzz_require(text_parse_number(text_cut(&rest, ':'), lines, &line) == OK && line > 0,
                 "a message names a line that there is");
    fuzz_require(rest.len > 1 && rest.data[0] == ' ', "a message says what is wrong");
}
