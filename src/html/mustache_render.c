/* Templates from nodes to text.
 *
 * A walk over the nodes with a stack of contexts, both on the C stack and bounded: sections by what
 * the parser lets through, partials by the depth counted here. The first failure sticks and ends
 * the walk.
 *
 * Values are only ever copied, escaped unless the template says otherwise; no value is parsed, and
 * there are no lambdas, so what a visitor typed never becomes a template. Escaping is for HTML text
 * and quoted attribute values. It does not protect inside <script>, <style>, unquoted attributes or
 * URLs of foreign schemes: templates must not put values there. */
#include "html/mustache_node.h"

#include <string.h>

struct frame {
    const struct value *value;
    const struct frame *outer;
};

/* What each line of a partial begins with; nested partials add theirs after the outer one's. */
struct indent {
    struct text text;
    const struct indent *outer;
};

struct place {
    const struct mustache *mustache;
    const struct indent *indent; /* NULL: none */
    size_t depth;                /* in how many partials */
};

struct render {
    mustache_find *find;
    void *context;
    struct buffer *out;
    enum status status;
};

struct value value_text(struct text text)
{
    return (struct value){.kind = VALUE_TEXT, .text = text};
}

struct value value_string(const char *string)
{
    return value_text(text_of(string));
}

struct value value_bool(bool flag)
{
    return (struct value){.kind = flag ? VALUE_TRUE : VALUE_FALSE};
}

struct value value_list(const struct value *items, size_t count)
{
    return (struct value){.kind = VALUE_LIST, .items = items, .count = count};
}

struct value value_map(const struct member *members, size_t count)
{
    return (struct value){.kind = VALUE_MAP, .members = members, .count = count};
}

static void put(struct render *render, struct text text)
{
    if (render->status != OK || text.len == 0) {
        return;
    }
    if (text.len > render->out->limit - render->out->len) {
        render->status = ERR_TOO_LARGE;
        return;
    }
    buffer_add_text(render->out, text);
    if (render->out->failed) {
        render->status = ERR_MEMORY;
    }
}

static struct text entity_of(char c)
{
    switch (c) {
    case '&':
        return TEXT("&amp;");
    case '<':
        return TEXT("&lt;");
    case '>':
        return TEXT("&gt;");
    case '"':
        return TEXT("&quot;");
    case '\'':
        return TEXT("&#39;");
    default:
        return (struct text){0};
    }
}

static void put_escaped(struct render *render, struct text text)
{
    size_t from = 0;
    if (text.len == 0) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        struct text entity = entity_of(text.data[i]);
        if (entity.len > 0) {
            put(render, (struct text){text.data + from, i - from});
            put(render, entity);
            from = i + 1;
        }
    }
    put(render, text_from(text, from));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as partials do, see render_partial. */
static void put_indent(struct render *render, const struct indent *indent)
{
    if (indent != NULL) {
        put_indent(render, indent->outer);
        put(render, indent->text);
    }
}

static void put_literal(struct render *render, const struct node *node, const struct indent *indent)
{
    struct text rest = node->text;
    bool starts_line = node->starts_line;
    if (indent == NULL) {
        put(render, rest);
        return;
    }
    do {
        const char *end = rest.len > 0 ? memchr(rest.data, '\n', rest.len) : NULL;
        size_t len = end != NULL ? (size_t)(end - rest.data) + 1 : rest.len;
        if (starts_line) {
            put_indent(render, indent);
        }
        put(render, (struct text){rest.data, len});
        rest = text_from(rest, len);
        starts_line = true;
    } while (rest.len > 0);
}

static const struct value *find_member(const struct value *value, struct text name)
{
    if (value->kind != VALUE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (text_is(name, value->members[i].name)) {
            return &value->members[i].value;
        }
    }
    return NULL;
}

/* The first part of a dotted name is looked for from the innermost context outwards; the others
 * only in what was found before them, so that a broken chain never falls back to an outer context.
 */
static const struct value *find_value(const struct frame *frame, struct text name)
{
    static const struct value nothing = {.kind = VALUE_FALSE};
    if (text_is(name, ".")) {
        return frame->value;
    }
    const struct value *value = NULL;
    struct text part = text_cut(&name, '.');
    for (; frame != NULL && value == NULL; frame = frame->outer) {
        value = find_member(frame->value, part);
    }
    while (value != NULL && name.data != NULL) {
        value = find_member(value, text_cut(&name, '.'));
    }
    return value != NULL ? value : &nothing;
}

static struct text text_under(const struct frame *frame, struct text name)
{
    const struct value *value = find_value(frame, name);
    return value->kind == VALUE_TEXT ? value->text : (struct text){0};
}

static bool is_true(const struct value *value)
{
    switch (value->kind) {
    case VALUE_TRUE:
    case VALUE_MAP:
        return true;
    case VALUE_TEXT:
        return value->text.len > 0;
    case VALUE_LIST:
        return value->count > 0;
    case VALUE_FALSE:
    default:
        return false;
    }
}

/* Sections nest as deep as the parser lets them, partials as deep as render_partial does; that is
 * MUSTACHE_DEPTH_MAX for both. NOLINTBEGIN(misc-no-recursion) */
static void render_nodes(struct render *render, const struct place *place, size_t from, size_t to,
                         const struct frame *frame);

static void render_section(struct render *render, const struct place *place, size_t index,
                           const struct frame *frame)
{
    const struct node *node = &place->mustache->nodes[index];
    const struct value *value = find_value(frame, node->text);
    if (is_true(value) == (node->kind == NODE_INVERTED)) {
        return;
    }
    if (node->kind == NODE_INVERTED) {
        render_nodes(render, place, index + 1, node->end, frame);
        return;
    }
    bool is_list = value->kind == VALUE_LIST;
    size_t count = is_list ? value->count : 1;
    for (size_t i = 0; i < count && render->status == OK; i++) {
        struct frame inner = {is_list ? &value->items[i] : value, frame};
        render_nodes(render, place, index + 1, node->end, &inner);
    }
}

static void render_partial(struct render *render, const struct place *place,
                           const struct node *node, const struct frame *frame)
{
    const struct mustache *partial =
        render->find != NULL ? render->find(render->context, node->text) : NULL;
    if (partial == NULL) {
        return;
    }
    if (place->depth == MUSTACHE_DEPTH_MAX) {
        render->status = ERR_TOO_LARGE;
        return;
    }
    struct indent indent = {node->indent, place->indent};
    struct place inside = {partial, node->own_line ? &indent : NULL, place->depth + 1};
    render_nodes(render, &inside, 0, partial->count, frame);
}

static void render_nodes(struct render *render, const struct place *place, size_t from, size_t to,
                         const struct frame *frame)
{
    for (size_t i = from; i < to && render->status == OK; i++) {
        const struct node *node = &place->mustache->nodes[i];
        switch (node->kind) {
        case NODE_LITERAL:
            put_literal(render, node, place->indent);
            break;
        case NODE_VARIABLE:
            put_escaped(render, text_under(frame, node->text));
            break;
        case NODE_UNESCAPED:
            put(render, text_under(frame, node->text));
            break;
        case NODE_SECTION:
        case NODE_INVERTED:
            render_section(render, place, i, frame);
            i = node->end - 1;
            break;
        case NODE_PARTIAL:
            render_partial(render, place, node, frame);
            break;
        }
    }
}
/* NOLINTEND(misc-no-recursion) */

enum status mustache_render(const struct mustache *mustache, const struct value *model,
                            mustache_find *find, void *context, struct buffer *out)
{
    struct frame root = {model, NULL};
    struct place place = {mustache, NULL, 0};
    struct render render = {find, context, out, out->failed ? ERR_TOO_LARGE : OK};
    render_nodes(&render, &place, 0, mustache->count, &root);
    if (render.status != OK) {
        out->failed = true;
    }
    return render.status;
}
