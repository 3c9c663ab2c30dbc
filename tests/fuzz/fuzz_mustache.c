/* Templates, filled with what visitors make.
 *
 * Promised, whatever the template is: a value that holds markup comes out escaped, wherever the
 * template puts it, unless the template itself asks for it unescaped; a value that holds a tag is
 * never read as one. To find that out the template is filled twice, with hostile values and with
 * marks in their places: the first must be the second with each mark replaced by its value, escaped
 * here, by another hand. And a template that is refused is refused with name and line.
 *
 * Input: two values (a byte of length before each), the template, and after a line "==" a partial,
 * found under the names "p" and "q". */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "html/mustache.h"

#define OUTPUT_MAX   ((size_t)32 * 1024)
#define PARTIALS_MAX 40 /* rendered in one run; partials that call each other double each time */

/* An '&' between bytes that no template here has: "\1&\3" for the first value, "\2&\3" for the
 * other. */
static const struct text marks[] = {TEXT_INIT("\1&\3"), TEXT_INIT("\2&\3")};
static const struct text escaped_marks[] = {TEXT_INIT("\1&amp;\3"), TEXT_INIT("\2&amp;\3")};

struct partials {
    struct mustache *mustache; /* NULL: the partial is no template */
    size_t calls;
};

static const struct mustache *find(void *context, struct text name)
{
    struct partials *partials = context;
    bool is_named = text_is(name, "p") || text_is(name, "q");
    return is_named && partials->calls++ < PARTIALS_MAX ? partials->mustache : NULL;
}

/* One of them is a list; its items have another list of its name, so that a list within itself
 * ends. */
static enum status fill(const struct mustache *mustache, struct partials *partials,
                        const struct text values[2], struct buffer *out)
{
    const struct member inner[] = {
        {"a", value_text(values[1])},
        {"list", value_list(NULL, 0)},
        {"map", value_bool(false)},
    };
    const struct value items[] = {value_text(values[0]), value_map(inner, 3), value_bool(true)};
    const struct member map[] = {{"a", value_text(values[0])}, {"b", value_text(values[1])}};
    const struct member members[] = {
        {"a", value_text(values[0])},   {"b", value_text(values[1])}, {"yes", value_bool(true)},
        {"list", value_list(items, 3)}, {"map", value_map(map, 2)},   {"no", value_bool(false)},
    };
    const struct value model = value_map(members, sizeof members / sizeof members[0]);
    partials->calls = 0;
    return mustache_render(mustache, &model, find, partials, out);
}

static void add_escaped(struct buffer *out, struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        switch (value.data[i]) {
        case '<':
            buffer_add_string(out, "&lt;");
            break;
        case '>':
            buffer_add_string(out, "&gt;");
            break;
        case '&':
            buffer_add_string(out, "&amp;");
            break;
        case '"':
            buffer_add_string(out, "&quot;");
            break;
        case '\'':
            buffer_add_string(out, "&#39;");
            break;
        default:
            buffer_add(out, &value.data[i], 1);
        }
    }
}

/* Whether a template may ask for a value as it is: by its tags, or by delimiters of its own, after
 * which this does not follow. */
static bool may_unescape(struct text source)
{
    return fuzz_has(source, TEXT("{{{")) || fuzz_has(source, TEXT("{{&")) ||
           fuzz_has(source, TEXT("{{="));
}

/* Puts the values in the places of the marks. False: a mark came out as it is. */
static bool replace_marks(struct text marked, const struct text values[2], struct buffer *out)
{
    bool was_raw = false;
    while (marked.len > 0) {
        bool found = false;
        for (size_t i = 0; i < 2 && !found; i++) {
            if (text_cut_prefix(&marked, escaped_marks[i])) {
                add_escaped(out, values[i]);
                found = true;
            } else if (text_cut_prefix(&marked, marks[i])) {
                buffer_add_text(out, values[i]);
                was_raw = found = true;
            }
        }
        if (!found) {
            buffer_add(out, marked.data, 1);
            marked = text_from(marked, 1);
        }
    }
    return !was_raw;
}

static void check_filled(const struct mustache *mustache, struct partials *partials,
                         const struct text values[2], bool unescapes)
{
    struct buffer hostile;
    struct buffer marked;
    struct buffer wanted;
    buffer_init(&hostile, OUTPUT_MAX);
    buffer_init(&marked, OUTPUT_MAX);
    buffer_init(&wanted, OUTPUT_MAX * 512);
    enum status filled = fill(mustache, partials, values, &hostile);
    fuzz_require(hostile.len <= OUTPUT_MAX && hostile.failed == (filled != OK),
                 "a page has an end, or is known to be cut");
    fuzz_require(filled == OK || filled == ERR_TOO_LARGE, "a template can be filled");
    if (filled == OK && fill(mustache, partials, marks, &marked) == OK) {
        bool is_safe = replace_marks(buffer_text(&marked), values, &wanted);
        fuzz_require(is_safe || unescapes, "values are escaped");
        fuzz_require(!wanted.failed && text_equal(buffer_text(&hostile), buffer_text(&wanted)),
                     "values are put in their places, escaped, and nothing else");
    }
    buffer_clear(&hostile);
    buffer_clear(&marked);
    buffer_clear(&wanted);
}

static struct mustache *parse(const char *name, struct text source)
{
    struct mustache *mustache = NULL;
    char error[MUSTACHE_ERROR_MAX];
    enum status status = mustache_parse(name, source, &mustache, error);
    fuzz_require(status == OK || status == ERR_INPUT, "a template is taken or refused");
    fuzz_require((status == OK) == (mustache != NULL), "what is refused leaves nothing");
    if (status != OK) {
        fuzz_check_place(error, name, fuzz_count_lines(source));
    }
    return mustache;
}

/* A value as short as may be is one, for the empty text is false and would show other things. */
static struct text take_value(struct text *input)
{
    struct text value = fuzz_take_piece(input);
    return value.len > 0 ? value : TEXT("<\">'&{{a}}");
}

bool fuzz_one(struct text input)
{
    struct text values[2];
    struct partials partials = {0};
    values[0] = take_value(&input);
    values[1] = take_value(&input);
    char *copy = malloc(input.len + 1);
    fuzz_require(copy != NULL, "there is memory");
    for (size_t i = 0; i < input.len; i++) { /* no bytes of marks in templates */
        copy[i] = (char)(input.data[i] >= '\1' && input.data[i] <= '\3' ? 'x' : input.data[i]);
    }
    struct text sources = {copy, input.len};
    struct text first = fuzz_take_part(&sources, "==");
    struct mustache *mustache = parse("page", first);
    partials.mustache = parse("part", sources);
    bool accepted = mustache != NULL;
    if (accepted) {
        check_filled(mustache, &partials, values, may_unescape(first) || may_unescape(sources));
    }
    mustache_free(&mustache);
    mustache_free(&partials.mustache);
    free(copy);
    return accepted;
}
