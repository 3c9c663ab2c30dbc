/* One JSON object (RFC 8259), written member by member into a buffer. Names are the program's own
 * and are not escaped; values may be anybody's. */
#ifndef LATCHKEY_BASE_JSON_H
#define LATCHKEY_BASE_JSON_H

#include "base/buffer.h"

struct json {
    struct buffer *out; /* borrowed; tells at the end whether all of it fitted */
    bool has_members;
};

/* Begins an object at the end of the buffer, and ends it. */
struct json json_open(struct buffer *out);
void json_close(struct json *json);

/* Adds a member. */
void json_add_text(struct json *json, const char *name, struct text value);
void json_add_number(struct json *json, const char *name, int64_t value);
void json_add_bool(struct json *json, const char *name, bool value);

/* The same for words with commas between them, as an array of strings. */
void json_add_words(struct json *json, const char *name, struct text words);

#endif
