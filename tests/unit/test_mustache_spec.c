/* Every case of the Mustache specification's JSON files, each as a test of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"
#include "html/mustache.h"

#define FOLDER      "tests/data/mustache-spec"
#define CASES_MAX   512
#define ARENA_BYTES (1024 * 1024)
#define OUT_MAX     (64 * 1024)
#define CASES_LEAST 120 /* so that files that vanish or empty themselves are noticed */

static const char *const files[] = {"interpolation", "sections", "inverted",
                                    "comments",      "partials", "delimiters"};

/* The partials of one case, parsed when they are asked for first. */
struct partials {
    json_t *sources;
    struct mustache *parsed[8];
    const char *names[8];
    size_t count;
};

static struct value value_of(struct arena *arena, const json_t *json);

static struct value list_of(struct arena *arena, const json_t *json)
{
    size_t count = json_array_size(json);
    struct value *items = arena_get_array(arena, count, sizeof *items);
    assert_non_null(items);
    for (size_t i = 0; i < count; i++) {
        items[i] = value_of(arena, json_array_get(json, i));
    }
    return value_list(items, count);
}

static struct value map_of(struct arena *arena, json_t *json)
{
    struct member *members = arena_get_array(arena, json_object_size(json), sizeof *members);
    size_t count = 0;
    const char *name = NULL;
    json_t *item = NULL;
    assert_non_null(members);
    json_object_foreach(json, name, item)
    {
        members[count++] = (struct member){name, value_of(arena, item)};
    }
    return value_map(members, count);
}

static struct value number_of(struct arena *arena, const json_t *json)
{
    char text[32];
    if (json_is_integer(json)) {
        (void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(json));
    } else {
        (void)snprintf(text, sizeof text, "%.15g", json_real_value(json));
    }
    const char *copy = arena_copy(arena, text_of(text));
    assert_non_null(copy);
    return value_string(copy);
}

static struct value value_of(struct arena *arena, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return map_of(arena, (json_t *)(uintptr_t)json); /* jansson's iterators want no const */
    case JSON_ARRAY:
        return list_of(arena, json);
    case JSON_STRING:
        return value_text((struct text){json_string_value(json), json_string_length(json)});
    case JSON_INTEGER:
    case JSON_REAL:
        return number_of(arena, json);
    case JSON_TRUE:
        return value_bool(true);
    case JSON_FALSE:
    case JSON_NULL:
    default:
        return value_bool(false);
    }
}

static const struct mustache *find_partial(void *context, struct text name)
{
    struct partials *partials = context;
    for (size_t i = 0; i < partials->count; i++) {
        if (text_is(name, partials->names[i])) {
            return partials->parsed[i];
        }
    }
    const char *key = NULL;
    json_t *source = NULL;
    json_object_foreach(partials->sources, key, source)
    {
        char error[MUSTACHE_ERROR_MAX];
        struct mustache **parsed = &partials->parsed[partials->count];
        if (text_is(name, key)) {
            assert_true(partials->count < sizeof partials->parsed / sizeof *parsed);
            assert_int_equal(mustache_parse(key, text_of(json_string_value(source)), parsed, error),
                             OK);
            partials->names[partials->count++] = key;
            return *parsed;
        }
    }
    return NULL;
}

static void renders_as_the_specification_says(void **state)
{
    json_t *json = *state;
    struct partials partials = {.sources = json_object_get(json, "partials")};
    const char *source = json_string_value(json_object_get(json, "template"));
    struct arena *arena = NULL;
    struct mustache *mustache = NULL;
    struct buffer out;
    char error[MUSTACHE_ERROR_MAX];
    assert_int_equal(arena_new(ARENA_BYTES, &arena), OK);
    buffer_init(&out, OUT_MAX);
    struct value model = value_of(arena, json_object_get(json, "data"));

    enum status status = mustache_parse("template", text_of(source), &mustache, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    assert_int_equal(mustache_render(mustache, &model, find_partial, &partials, &out), OK);
    assert_string_equal(out.data != NULL ? out.data : "",
                        json_string_value(json_object_get(json, "expected")));

    for (size_t i = 0; i < partials.count; i++) {
        mustache_free(&partials.parsed[i]);
    }
    mustache_free(&mustache);
    buffer_clear(&out);
    arena_free(&arena);
}

static struct CMUnitTest cases[CASES_MAX];
static char names[CASES_MAX][128];
static size_t count;

static void add_cases(const char *file, json_t *root)
{
    size_t index = 0;
    json_t *item = NULL;
    json_array_foreach(json_object_get(root, "tests"), index, item)
    {
        if (count == CASES_MAX) {
            (void)fprintf(stderr, "more than %d cases\n", CASES_MAX);
            exit(1);
        }
        (void)snprintf(names[count], sizeof names[count], "%s: %.100s", file,
                       json_string_value(json_object_get(item, "name")));
        cases[count] = (struct CMUnitTest){.name = names[count],
                                           .test_func = renders_as_the_specification_says,
                                           .initial_state = item};
        count++;
    }
}

int main(void)
{
    json_t *roots[sizeof files / sizeof *files] = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        json_error_t error;
        (void)snprintf(path, sizeof path, "%s/%s.json", FOLDER, files[i]);
        roots[i] = json_load_file(path, 0, &error);
        if (roots[i] == NULL) {
            (void)fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
            return 1;
        }
        add_cases(files[i], roots[i]);
    }
    if (count < CASES_LEAST) {
        (void)fprintf(stderr, "only %zu cases in %s\n", count, FOLDER);
        return 1;
    }
    int failed = _cmocka_run_group_tests("mustache specification", cases, count, NULL, NULL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        json_decref(roots[i]);
    }
    return failed;
}
