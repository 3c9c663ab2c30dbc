/* Errors of standard output show when it is flushed at the end of the command. */
#include "cli/print.h"

#include <stdio.h>

#include "base/buffer.h"

#define STRING_MAX 8192

static void put_string(struct text text)
{
    struct buffer escaped;
    buffer_init(&escaped, STRING_MAX);
    buffer_add_json(&escaped, text);
    struct text out = buffer_text(&escaped);
    (void)printf("\"%.*s\"", (int)out.len, out.len > 0 ? out.data : "");
    buffer_clear(&escaped);
}

static void put_name(struct json_object *object, const char *name)
{
    (void)fputs(object->has_members ? ", " : "", stdout);
    object->has_members = true;
    put_string(text_of(name));
    (void)fputs(": ", stdout);
}

struct json_object json_begin(bool first)
{
    (void)fputs(first ? "[\n  {" : ",\n  {", stdout);
    return (struct json_object){false};
}

void json_end(struct json_object *object)
{
    (void)fputc('}', stdout);
    object->has_members = false;
}

void json_text(struct json_object *object, const char *name, const char *value)
{
    put_name(object, name);
    put_string(text_of(value));
}

void json_number(struct json_object *object, const char *name, int64_t value)
{
    put_name(object, name);
    (void)printf("%lld", (long long)value);
}

void json_bool(struct json_object *object, const char *name, bool value)
{
    put_name(object, name);
    (void)fputs(value ? "true" : "false", stdout);
}

void json_words(struct json_object *object, const char *name, const char *words)
{
    struct text rest = text_of(words);
    put_name(object, name);
    (void)fputc('[', stdout);
    for (bool first = true; rest.len > 0; first = false) {
        (void)fputs(first ? "" : ", ", stdout);
        put_string(text_cut(&rest, ','));
    }
    (void)fputc(']', stdout);
}

void json_close_array(size_t count)
{
    (void)puts(count == 0 ? "[]" : "\n]");
}
