/* A growing run of bytes.
 *
 * Invariants: len <= limit; room is 0 with data NULL, or above len and at most limit + 1, with
 * data[len] NUL, and what lies behind that NUL was never written or is wiped. It grows by moving
 * into a new allocation and wiping the old one: realloc would leave copies of secrets behind. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define ROOM_MIN  256
#define ROOM_KEPT ((size_t)64 * 1024) /* by a buffer that is reset */

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){.limit = limit};
}

void buffer_clear(struct buffer *buffer)
{
    secret_wipe(buffer->data, buffer->room);
    free(buffer->data);
    buffer_init(buffer, buffer->limit);
}

void buffer_reset(struct buffer *buffer)
{
    if (buffer->data == NULL || buffer->room > ROOM_KEPT) {
        buffer_clear(buffer);
        return;
    }
    secret_wipe(buffer->data, buffer->len);
    buffer->len = 0;
    buffer->failed = false;
}

/* Twice the old room, or more when `needed` is more; never more than the limit asks for. */
static size_t next_room(const struct buffer *buffer, size_t needed)
{
    size_t room = buffer->room < ROOM_MIN ? ROOM_MIN : buffer->room;
    room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
    if (buffer->limit < SIZE_MAX && room > buffer->limit + 1) {
        room = buffer->limit + 1;
    }
    return room < needed ? needed : room;
}

/* What reserve does when the room is too small. */
static bool grow(struct buffer *buffer, size_t len)
{
    if (len > buffer->limit - buffer->len || len >= SIZE_MAX - buffer->len) {
        buffer->failed = true;
        return false;
    }
    size_t room = next_room(buffer, buffer->len + len + 1);
    char *data = malloc(room);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    if (buffer->len > 0) {
        memcpy(data, buffer->data, buffer->len);
    }
    secret_wipe(buffer->data, buffer->room);
    free(buffer->data);
    data[buffer->len] = '\0';
    buffer->data = data;
    buffer->room = room;
    return true;
}

/* Makes room for `len` more bytes and a NUL, or sets `failed`. What is below the room is below the
 * limit. */
static bool reserve(struct buffer *buffer, size_t len)
{
    return !buffer->failed && (len < buffer->room - buffer->len || grow(buffer, len));
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t len)
{
    if (!reserve(buffer, len) || len == 0) {
        return;
    }
    memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
}

void buffer_add_text(struct buffer *buffer, struct text text)
{
    buffer_add(buffer, text.data, text.len);
}

/* Prints into the room that is left, if there is any; otherwise only counts. Bytes of the whole
 * print, or less than 0. */
__attribute__((format(printf, 2, 0))) static int
print_to_rest(struct buffer *buffer, const char *format, va_list arguments)
{
    size_t rest = buffer->room - buffer->len;
    char *place = buffer->data != NULL ? buffer->data + buffer->len : NULL;
    int len = vsnprintf(place, rest, format, arguments);
    if (rest > 0 && (len < 0 || (size_t)len >= rest)) {
        secret_wipe(place, rest); /* it was cut */
    }
    return len;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    if (buffer->failed) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int len = print_to_rest(buffer, format, arguments);
    va_end(arguments);
    if (len >= 0 && (size_t)len >= buffer->room - buffer->len) {
        len = reserve(buffer, (size_t)len) ? len : -1;
        va_start(arguments, format);
        len = len >= 0 ? print_to_rest(buffer, format, arguments) : len;
        va_end(arguments);
    }
    if (len < 0) {
        buffer->failed = true;
        return;
    }
    buffer->len += (size_t)len;
}

/* The letter that stands for an ASCII character behind a backslash, or 0. */
static char json_short_form(char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = c == '\0' ? NULL : strchr(plain, c);
    return found == NULL ? '\0' : letters[found - plain];
}

/* Of a character of UTF-8 of up to three bytes. */
static unsigned code_point(const char *character, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)character;
    switch (len) {
    case 1:
        return bytes[0];
    case 2:
        return (bytes[0] & 0x1fU) << 6 | (bytes[1] & 0x3fU);
    default:
        return (bytes[0] & 0x0fU) << 12 | (bytes[1] & 0x3fU) << 6 | (bytes[2] & 0x3fU);
    }
}

void buffer_add_json(struct buffer *buffer, struct text text)
{
    while (text.len > 0) {
        char c = text.data[0];
        size_t len = text_utf8_len(text);
        char letter = json_short_form(c);
        if (len == 0) { /* JSON is UTF-8 (RFC 8259 §8.1): U+FFFD stands for a stray byte */
            buffer_add_string(buffer, "\\ufffd");
            len = 1;
        } else if (letter != '\0') {
            buffer_add(buffer, (const char[]){'\\', letter}, 2);
        } else if (text_is_misleading(text.data, len)) {
            buffer_print(buffer, "\\u%04x", code_point(text.data, len));
        } else {
            buffer_add(buffer, text.data, len);
        }
        text = text_from(text, len);
    }
}

void buffer_add_percent(struct buffer *buffer, struct text text)
{
    static const struct text marks = TEXT_INIT("-._~"); /* unreserved (RFC 3986 §2.3) */
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (text_is_alphanumeric(text.data[i]) || text_has_byte(marks, text.data[i])) {
            buffer_add(buffer, &text.data[i], 1);
        } else {
            buffer_add(buffer, (const char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
        }
    }
}

struct text buffer_text(const struct buffer *buffer)
{
    return (struct text){buffer->data, buffer->len};
}
