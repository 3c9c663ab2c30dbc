/* application/x-www-form-urlencoded, as queries and form bodies carry it (WHATWG URL §5.1, read
 * strictly).
 *
 * Where the standard repairs, this refuses: "%zz" is no percent sign and two letters, a byte that
 * is no UTF-8 is no U+FFFD. '&' alone separates (';' is data, else a cache and we would see
 * different fields); empty pieces between two '&' are nothing. Decoded once, into one block of the
 * arena. */
#include "http/form.h"

#include <string.h>

#include "http/url.h"

/* Copies what holds no escape to `at`; returns its end there. */
static char *put_plain(char *at, struct text plain, bool plus_is_space)
{
    for (size_t i = 0; i < plain.len; i++) {
        at[i] = plus_is_space && plain.data[i] == '+' ? ' ' : plain.data[i];
    }
    return at + plain.len;
}

/* Decodes `text` to *at, which has room for text.len bytes, and moves it on. ERR_INPUT. */
static enum status decode(struct text text, bool plus_is_space, char **at, struct text *out)
{
    char *start = *at;
    char *end = put_plain(start, url_take_plain(&text), plus_is_space);
    while (text.len > 0) {
        unsigned char byte;
        bool escaped;
        if (!url_take_byte(&text, &byte, &escaped)) {
            return ERR_INPUT;
        }
        *end++ = (char)byte;
        end = put_plain(end, url_take_plain(&text), plus_is_space);
    }
    struct text decoded = {start, (size_t)(end - start)};
    if (text_has_byte(decoded, '\0') || !text_is_utf8(decoded)) {
        return ERR_INPUT;
    }
    *at = end;
    *out = decoded;
    return OK;
}

static size_t count_pieces(struct text body)
{
    size_t count = 0;
    while (body.len > 0) {
        count += text_cut(&body, '&').len > 0;
    }
    return count;
}

static bool is_taken(struct fields fields, struct text name)
{
    for (size_t i = 0; i < fields.count; i++) {
        if (text_equal(fields.items[i].name, name)) {
            return true;
        }
    }
    return false;
}

enum status form_parse(struct text body, bool unique, struct arena *arena, struct fields *out)
{
    size_t count = count_pieces(body);
    if (count > REQUEST_FIELDS_MAX) {
        return ERR_TOO_LARGE;
    }
    struct field *items = arena_get_array(arena, count, sizeof *items);
    char *at = arena_get(arena, body.len);
    if (items == NULL || at == NULL) {
        return ERR_MEMORY;
    }
    struct fields fields = {items, 0};
    while (body.len > 0) {
        struct text value = text_cut(&body, '&');
        if (value.len == 0) {
            continue;
        }
        struct text name = text_cut(&value, '=');
        struct field *field = &items[fields.count];
        if (decode(name, true, &at, &field->name) != OK ||
            decode(value, true, &at, &field->value) != OK ||
            (unique && is_taken(fields, field->name))) {
            return ERR_INPUT;
        }
        fields.count++;
    }
    *out = fields;
    return OK;
}

enum status form_decode_path(struct text path, struct arena *arena, struct text *out)
{
    char *at = arena_get(arena, path.len);
    if (at == NULL) {
        return ERR_MEMORY;
    }
    struct text decoded;
    if (decode(path, false, &at, &decoded) != OK || text_has_control(decoded)) {
        return ERR_INPUT;
    }
    *out = decoded;
    return OK;
}
