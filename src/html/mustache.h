/* Logic-less templates: Mustache as its specification (mustache/spec 1.4) has it: variables,
 * unescaped variables, sections, inverted sections, comments, partials, set delimiter, standalone
 * lines.
 *
 * Parsing happens once, at start, and finds every fault; rendering walks the parsed form. Names are
 * letters, digits, '_' and '-', joined by dots, or "." alone; anything else is a fault, so that
 * tags of other template languages are found and not taken for the names of missing values. */
#ifndef LATCHKEY_HTML_MUSTACHE_H
#define LATCHKEY_HTML_MUSTACHE_H

#include "base/buffer.h"

#define MUSTACHE_ERROR_MAX 256
#define MUSTACHE_DEPTH_MAX 32 /* sections within sections, and partials within partials */

struct member;

/* What a template is filled with: a tree of borrowed values, usually on the caller's stack. As a
 * variable only VALUE_TEXT writes anything; as a section every kind but VALUE_FALSE, the empty text
 * and the empty list is true. */
enum value_kind { VALUE_FALSE, VALUE_TRUE, VALUE_TEXT, VALUE_LIST, VALUE_MAP };

struct value {
    enum value_kind kind;
    struct text text;             /* VALUE_TEXT; the empty text is false as a section */
    const struct value *items;    /* VALUE_LIST */
    const struct member *members; /* VALUE_MAP */
    size_t count;                 /* of items or members */
};

struct member {
    const char *name;
    struct value value;
};

/* Values over what the caller keeps: everything pointed to is borrowed. A NULL string is the empty
 * text. */
struct value value_text(struct text text);
struct value value_string(const char *string);
struct value value_bool(bool flag);
struct value value_list(const struct value *items, size_t count);
struct value value_map(const struct member *members, size_t count);

struct mustache; /* one parsed template */

/* Finds the template of a partial's name, or NULL for none (which renders as nothing). */
typedef const struct mustache *mustache_find(void *context, struct text name);

/* Parses `source`, which is copied. `name` stands in error messages: "name:line: what is wrong".
 * ERR_INPUT (error filled), ERR_MEMORY. Free with mustache_free. */
enum status mustache_parse(const char *name, struct text source, struct mustache **out,
                           char error[MUSTACHE_ERROR_MAX]) MUST_USE;
void mustache_free(struct mustache **mustache);

/* Walks the partials that a template names, in their order. *cursor starts at 0. False at the end,
 * else the name, borrowed, and the line where it stands. */
bool mustache_next_partial(const struct mustache *mustache, size_t *cursor, struct text *name,
                           size_t *line);

/* Renders into *out; variables are escaped for HTML (& < > " '). ERR_TOO_LARGE when out's limit or
 * MUSTACHE_DEPTH_MAX is reached, ERR_MEMORY; out->failed is then set. `find` may be NULL: no
 * partials. */
enum status mustache_render(const struct mustache *mustache, const struct value *model,
                            mustache_find *find, void *context, struct buffer *out) MUST_USE;

#endif
