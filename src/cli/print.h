/* JSON on standard output, an array of flat objects written one by one. */
#ifndef LATCHKEY_CLI_PRINT_H
#define LATCHKEY_CLI_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object {
    bool has_members;
};

/* Begins an object, and the array before the first one. */
struct json_object json_begin(bool first);
void json_end(struct json_object *object);

/* Adds a text; it is escaped here. */
void json_text(struct json_object *object, const char *name, const char *value);

/* Adds a number. */
void json_number(struct json_object *object, const char *name, int64_t value);

/* Adds true or false. */
void json_bool(struct json_object *object, const char *name, bool value);

/* A list of words with commas between them, as an array of strings. */
void json_words(struct json_object *object, const char *name, const char *words);

/* Ends the array of `count` objects; writes the whole empty array for none. */
void json_close_array(size_t count);

#endif
