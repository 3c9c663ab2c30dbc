/* Templates from text to nodes.
 *
 * One pass over the source, tag by tag. Three things are decided here, once, so that rendering need
 * not think of them:
 * - Standalone lines. A tag other than a variable that has its line for itself takes the line with
 *   it, white space and line end ("\n" or "\r\n") included. The source alone decides this: what is
 *   not blank before or after the tag, be it another tag, keeps the line.
 * - Where lines begin. A partial on a line of its own indents each line of what it brings in. Every
 *   line that is kept therefore begins with a literal, an empty one where a tag comes first.
 * - Delimiters. They hold from the tag that sets them to the end of this template, never in its
 *   partials.
 *
 * Templates are the operator's, not the visitor's: a fault is reported with its line, and nothing
 * here bounds the work that a template may ask for, beyond its depth. */
#include "html/mustache_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For "%.*s" in messages: as much of an offending piece as helps to find it. */
#define SHOWN(text) ((int)((text).len < 40 ? (text).len : 40)), (text).data

struct parser {
    struct mustache *mustache;
    const char *name;
    char *error;
    struct text source;
    size_t at; /* what comes before is in the nodes */
    struct text open;
    struct text close;
    size_t sections[MUSTACHE_DEPTH_MAX]; /* the open ones: indices of nodes */
    size_t depth;
};

struct tag {
    char sign; /* one of SIGNS, or NUL for a variable */
    size_t begin;
    size_t end;
    struct text inner; /* without the white space around it */
};

static const char SIGNS[] = "#^/!>&{=";

static size_t line_of(const char *source, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++) {
        line += source[i] == '\n';
    }
    return line;
}

/* A template is one of a person's own, but may be any file by mistake: what a message repeats of it
 * is cleaned, for it goes to a terminal. */
static enum status refuse(const struct parser *parser, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status refuse(const struct parser *parser, size_t at, const char *format, ...)
{
    char sentence[MUSTACHE_ERROR_MAX];
    int used = snprintf(sentence, sizeof sentence, "%.100s:%zu: ", parser->name,
                        line_of(parser->source.data, at));
    if (used >= 0 && used < MUSTACHE_ERROR_MAX) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(sentence + used, sizeof sentence - (size_t)used, format, arguments);
        va_end(arguments);
    }
    text_copy_clean(text_of(sentence), parser->error, MUSTACHE_ERROR_MAX);
    return ERR_INPUT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\n' || c == '\r';
}

static struct text trim(struct text text)
{
    while (text.len > 0 && is_space(text.data[0])) {
        text = text_from(text, 1);
    }
    while (text.len > 0 && is_space(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static bool find(struct text source, size_t from, struct text what, size_t *at)
{
    for (size_t i = from; i + what.len <= source.len; i++) {
        if (source.data[i] == what.data[0] && memcmp(source.data + i, what.data, what.len) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* The end of a tag's inside: before the closing delimiter and, unless NUL, the mark before that. */
static bool find_close(const struct parser *parser, size_t from, char mark, size_t *at)
{
    size_t close = from;
    while (find(parser->source, close, parser->close, &close)) {
        if (mark == '\0' || (close > from && parser->source.data[close - 1] == mark)) {
            *at = close - (mark != '\0');
            return true;
        }
        close++;
    }
    return false;
}

static enum status read_tag(const struct parser *parser, size_t begin, struct tag *tag)
{
    size_t from = begin + parser->open.len;
    *tag = (struct tag){.begin = begin};
    if (from < parser->source.len && parser->source.data[from] != '\0' &&
        strchr(SIGNS, parser->source.data[from]) != NULL) {
        tag->sign = parser->source.data[from++];
    }
    char mark = '\0';
    if (tag->sign == '{') {
        mark = '}';
    } else if (tag->sign == '=') {
        mark = '=';
    }
    size_t to = 0;
    if (!find_close(parser, from, mark, &to)) {
        return refuse(parser, begin, "the tag is not closed with \"%.1s%.*s\"", &mark,
                      SHOWN(parser->close));
    }
    tag->inner = trim((struct text){parser->source.data + from, to - from});
    tag->end = to + (mark != '\0') + parser->close.len;
    return OK;
}

/* Whether the tag has its line for itself; then where the line begins and where the next does. */
static bool find_line(struct text source, const struct tag *tag, size_t *from, size_t *to)
{
    size_t begin = tag->begin;
    while (begin > 0 && is_blank(source.data[begin - 1])) {
        begin--;
    }
    size_t end = tag->end;
    while (end < source.len && is_blank(source.data[end])) {
        end++;
    }
    if (begin > 0 && source.data[begin - 1] != '\n') {
        return false;
    }
    if (end + 1 < source.len && source.data[end] == '\r' && source.data[end + 1] == '\n') {
        end++;
    }
    if (end < source.len && source.data[end] != '\n') {
        return false;
    }
    *from = begin;
    *to = end < source.len ? end + 1 : end;
    return true;
}

static bool starts_line(const struct parser *parser, size_t at)
{
    return at == 0 || parser->source.data[at - 1] == '\n';
}

/* Adds what stands between the last tag and `to`; then, where the next tag begins a line that is
 * kept, an empty piece: it is where the indentation goes. */
static enum status add_literal(struct parser *parser, size_t to, bool line_is_kept)
{
    size_t from = parser->at;
    enum status status = OK;
    if (to > from) {
        status = mustache_add_node(parser->mustache,
                                   (struct node){.kind = NODE_LITERAL,
                                                 .text = {parser->source.data + from, to - from},
                                                 .starts_line = starts_line(parser, from),
                                                 .at = from});
    }
    if (status == OK && line_is_kept && starts_line(parser, to)) {
        status =
            mustache_add_node(parser->mustache, (struct node){.kind = NODE_LITERAL,
                                                              .text = {parser->source.data + to, 0},
                                                              .starts_line = true,
                                                              .at = to});
    }
    return status;
}

static enum status check_name(const struct parser *parser, const struct tag *tag)
{
    struct text name = tag->inner;
    if (name.len == 0) {
        return refuse(parser, tag->begin, "the tag has no name");
    }
    if (text_is(name, ".")) {
        return tag->sign != '>' ? OK
                                : refuse(parser, tag->begin, "\".\" is not the name of a partial");
    }
    struct text rest = name;
    while (rest.data != NULL) {
        struct text part = text_cut(&rest, '.');
        if (part.len == 0 || !text_consists_of(part, "_-")) {
            return refuse(
                parser, tag->begin,
                "\"%.*s\" is not a name: letters, digits, \"_\" and \"-\", joined by dots",
                SHOWN(name));
        }
    }
    return OK;
}

static enum status open_section(struct parser *parser, const struct tag *tag)
{
    if (parser->depth == MUSTACHE_DEPTH_MAX) {
        return refuse(parser, tag->begin, "sections are nested more than %d deep",
                      MUSTACHE_DEPTH_MAX);
    }
    parser->sections[parser->depth++] = parser->mustache->count;
    return mustache_add_node(parser->mustache,
                             (struct node){.kind = tag->sign == '#' ? NODE_SECTION : NODE_INVERTED,
                                           .text = tag->inner,
                                           .at = tag->begin});
}

static enum status close_section(struct parser *parser, const struct tag *tag)
{
    if (parser->depth == 0) {
        return refuse(parser, tag->begin, "\"%.*s\" is closed, but no section is open",
                      SHOWN(tag->inner));
    }
    struct node *section = &parser->mustache->nodes[parser->sections[parser->depth - 1]];
    if (!text_equal(section->text, tag->inner)) {
        return refuse(
            parser, tag->begin, "\"%.*s\" is closed, but the open section is \"%.*s\" of line %zu",
            SHOWN(tag->inner), SHOWN(section->text), line_of(parser->source.data, section->at));
    }
    section->end = parser->mustache->count;
    parser->depth--;
    return OK;
}

static enum status set_delimiters(struct parser *parser, const struct tag *tag)
{
    struct text open = tag->inner;
    size_t len = 0;
    while (len < open.len && !is_space(open.data[len])) {
        len++;
    }
    struct text close = trim(text_from(open, len));
    open.len = len;
    bool is_good = open.len > 0 && close.len > 0;
    for (size_t i = 0; i < tag->inner.len; i++) {
        is_good = is_good && tag->inner.data[i] != '=';
    }
    for (size_t i = 0; i < close.len; i++) {
        is_good = is_good && !is_space(close.data[i]);
    }
    if (!is_good) {
        return refuse(parser, tag->begin,
                      "\"%.*s\" is not two delimiters: two words without \"=\", a space between",
                      SHOWN(tag->inner));
    }
    parser->open = open;
    parser->close = close;
    return OK;
}

/* `indent` is the white space before a tag that has its line for itself, else NULL. */
static enum status add_tag(struct parser *parser, const struct tag *tag, const struct text *indent)
{
    struct node node = {.kind = NODE_VARIABLE, .text = tag->inner, .at = tag->begin};
    if (tag->sign == '!') {
        return OK;
    }
    if (tag->sign == '=') {
        return set_delimiters(parser, tag);
    }
    enum status status = check_name(parser, tag);
    if (status != OK) {
        return status;
    }
    switch (tag->sign) {
    case '#':
    case '^':
        return open_section(parser, tag);
    case '/':
        return close_section(parser, tag);
    case '>':
        node.kind = NODE_PARTIAL;
        node.own_line = indent != NULL;
        node.indent = indent != NULL ? *indent : (struct text){0};
        break;
    case '&':
    case '{':
        node.kind = NODE_UNESCAPED;
        break;
    default:
        break;
    }
    return mustache_add_node(parser->mustache, node);
}

static enum status parse_tag(struct parser *parser, size_t begin)
{
    struct tag tag;
    enum status status = read_tag(parser, begin, &tag);
    if (status != OK) {
        return status;
    }
    size_t from = tag.begin;
    size_t to = tag.end;
    bool is_variable = tag.sign == '\0' || tag.sign == '&' || tag.sign == '{';
    bool own_line = !is_variable && find_line(parser->source, &tag, &from, &to);
    struct text indent = {parser->source.data + from, tag.begin - from};
    status = add_literal(parser, from, !own_line);
    if (status == OK) {
        status = add_tag(parser, &tag, own_line ? &indent : NULL);
    }
    parser->at = to;
    return status;
}

static enum status parse_all(struct parser *parser)
{
    size_t begin = 0;
    while (find(parser->source, parser->at, parser->open, &begin)) {
        enum status status = parse_tag(parser, begin);
        if (status != OK) {
            return status;
        }
    }
    if (parser->depth > 0) {
        const struct node *section = &parser->mustache->nodes[parser->sections[parser->depth - 1]];
        return refuse(parser, section->at, "the section \"%.*s\" is not closed",
                      SHOWN(section->text));
    }
    return add_literal(parser, parser->source.len, false);
}

enum status mustache_parse(const char *name, struct text source, struct mustache **out,
                           char error[MUSTACHE_ERROR_MAX])
{
    error[0] = '\0';
    *out = NULL;
    struct mustache *mustache = calloc(1, sizeof *mustache);
    char *copy = malloc(source.len + 1);
    if (mustache == NULL || copy == NULL) {
        free(mustache);
        free(copy);
        return ERR_MEMORY;
    }
    if (source.len > 0) {
        memcpy(copy, source.data, source.len);
    }
    copy[source.len] = '\0';
    mustache->source = copy;
    struct parser parser = {.mustache = mustache,
                            .name = name,
                            .error = error,
                            .source = {copy, source.len},
                            .open = TEXT("{{"),
                            .close = TEXT("}}")};
    enum status status = parse_all(&parser);
    if (status == OK) {
        *out = mustache;
    } else {
        mustache_free(&mustache);
    }
    return status;
}

void mustache_free(struct mustache **mustache)
{
    if (*mustache != NULL) {
        free((*mustache)->nodes);
        free((*mustache)->source);
        free(*mustache);
        *mustache = NULL;
    }
}

bool mustache_next_partial(const struct mustache *mustache, size_t *cursor, struct text *name,
                           size_t *line)
{
    while (*cursor < mustache->count) {
        const struct node *node = &mustache->nodes[(*cursor)++];
        if (node->kind == NODE_PARTIAL) {
            *name = node->text;
            *line = line_of(mustache->source, node->at);
            return true;
        }
    }
    return false;
}
