/* A growing run of bytes with a limit. The first failure sticks, so that a caller adds many
 * pieces and asks once at the end. */
#ifndef LATCHKEY_BASE_BUFFER_H
#define LATCHKEY_BASE_BUFFER_H

#include "base/text.h"

struct buffer {
    char *data;   /* owned; NULL until something was added; always followed by a NUL */
    size_t len;   /* bytes in use */
    size_t room;  /* bytes allocated */
    size_t limit; /* bytes that it may hold */
    bool failed;  /* an addition did not fit or memory ran out: the content is not whole */
};

/* An empty buffer that may hold up to `limit` bytes. Allocates nothing. */
void buffer_init(struct buffer *buffer, size_t limit);

/* Wipes and frees the content; the buffer is as after buffer_init. */
void buffer_clear(struct buffer *buffer);

/* Wipes the content and keeps the room, for the next content of the kind. */
void buffer_reset(struct buffer *buffer);

/* Adds bytes; on failure sets `failed` and adds nothing. */
void buffer_add(struct buffer *buffer, const void *bytes, size_t len);
void buffer_add_text(struct buffer *buffer, struct text text);
static inline void buffer_add_string(struct buffer *buffer, const char *string)
{
    buffer_add_text(buffer, text_of(string));
}
void buffer_print(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds text as the inside of a JSON string (RFC 8259 §7), and as percent-encoded URL component
 * (RFC 3986 §2.1: everything but unreserved characters is encoded). */
void buffer_add_json(struct buffer *buffer, struct text text);
void buffer_add_percent(struct buffer *buffer, struct text text);

/* The content, borrowed until the next addition. */
struct text buffer_text(const struct buffer *buffer);

#endif
