/* JSON objects, flat ones with perhaps a list of words in them: all that anything here has to say
 * in JSON. What does not fit into the buffer makes the buffer fail, not the object shorter. */
#include "base/json.h"

#include <inttypes.h>

static void add_string(struct buffer *out, struct text text)
{
    buffer_add_string(out, "\"");
    buffer_add_json(out, text);
    buffer_add_string(out, "\"");
}

static void add_name(struct json *json, const char *name)
{
    buffer_print(json->out, "%s\"%s\":", json->has_members ? "," : "", name);
    json->has_members = true;
}

struct json json_open(struct buffer *out)
{
    buffer_add_string(out, "{");
    return (struct json){.out = out};
}

void json_close(struct json *json)
{
    buffer_add_string(json->out, "}");
}

void json_add_text(struct json *json, const char *name, struct text value)
{
    add_name(json, name);
    add_string(json->out, value);
}

void json_add_number(struct json *json, const char *name, int64_t value)
{
    add_name(json, name);
    buffer_print(json->out, "%" PRId64, value);
}

void json_add_bool(struct json *json, const char *name, bool value)
{
    add_name(json, name);
    buffer_add_string(json->out, value ? "true" : "false");
}

void json_add_words(struct json *json, const char *name, struct text words)
{
    add_name(json, name);
    buffer_add_string(json->out, "[");
    for (bool first = true; words.len > 0; first = false) {
        buffer_add_string(json->out, first ? "" : ",");
        add_string(json->out, text_cut(&words, ','));
    }
    buffer_add_string(json->out, "]");
}
