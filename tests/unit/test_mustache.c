/* What the specification leaves open: faults of templates, limits, and values that look like
 * templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "html/mustache.h"

#define OUT_MAX 4096

static const struct value nothing = {.kind = VALUE_FALSE};

static struct mustache *parse(const char *source)
{
    struct mustache *mustache = NULL;
    char error[MUSTACHE_ERROR_MAX];
    enum status status = mustache_parse("page", text_of(source), &mustache, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    return mustache;
}

static void assert_renders(const char *source, const struct value *model, const char *expected)
{
    struct mustache *mustache = parse(source);
    struct buffer out;
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mustache_render(mustache, model, NULL, NULL, &out), OK);
    assert_string_equal(out.data != NULL ? out.data : "", expected);
    assert_false(out.failed);
    buffer_clear(&out);
    mustache_free(&mustache);
    assert_null(mustache);
}

static void a_broken_template_is_refused_with_line_and_cause(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *error;
    } cases[] = {
        {"{{name", "page:1: the tag is not closed with \"}}\""},
        {"a\n\n{{name}", "page:3: the tag is not closed with \"}}\""},
        {"{{", "page:1: the tag is not closed with \"}}\""},
        {"{{{name}}", "page:1: the tag is not closed with \"}}}\""},
        {"{{!comment", "page:1: the tag is not closed with \"}}\""},
        {"{{=<% %>}}", "page:1: the tag is not closed with \"=}}\""},
        {"{{=<% %>=}}\n<%name}}", "page:2: the tag is not closed with \"%>\""},
        {"\n{{#a}}\n{{#b}}\n{{/b}}\n", "page:2: the section \"a\" is not closed"},
        {"{{^a}}", "page:1: the section \"a\" is not closed"},
        {"{{#a}}{{#b}}{{/b}}\n{{#c}}", "page:2: the section \"c\" is not closed"},
        {"{{#a}}\n{{/b}}", "page:2: \"b\" is closed, but the open section is \"a\" of line 1"},
        {"{{#a}}{{#b}}{{/a}}{{/b}}",
         "page:1: \"a\" is closed, but the open section is \"b\" of line 1"},
        {"{{#a}}{{/a.b}}", "page:1: \"a.b\" is closed, but the open section is \"a\" of line 1"},
        {"text\r\n{{/a}}", "page:2: \"a\" is closed, but no section is open"},
        {"{{=<%=}}", "page:1: \"<%\" is not two delimiters: "},
        {"{{==}}", "page:1: \"\" is not two delimiters: "},
        {"{{= =}}", "page:1: \"\" is not two delimiters: "},
        {"{{=a b c=}}", "page:1: \"a b c\" is not two delimiters: "},
        {"{{=<= =>=}}", "page:1: \"<= =>\" is not two delimiters: "},
        {"{{}}", "page:1: the tag has no name"},
        {"{{ }}", "page:1: the tag has no name"},
        {"{{# }}{{/ }}", "page:1: the tag has no name"},
        {"{{>}}", "page:1: the tag has no name"},
        {"{{{}}}", "page:1: the tag has no name"},
        {"{{/}}", "page:1: the tag has no name"},
        {"{{a..b}}", "page:1: \"a..b\" is not a name"},
        {"{{.a}}", "page:1: \".a\" is not a name"},
        {"{{a.}}", "page:1: \"a.\" is not a name"},
        {"{{..}}", "page:1: \"..\" is not a name"},
        {"{{else if}}", "page:1: \"else if\" is not a name"},
        {"{{<parent}}", "page:1: \"<parent\" is not a name"},
        {"{{>*dynamic}}", "page:1: \"*dynamic\" is not a name"},
        {"{{>../secret}}", "page:1: \"../secret\" is not a name"},
        {"{{a|upper}}", "page:1: \"a|upper\" is not a name"},
        {"{{ #a}}{{/a}}", "page:1: \"#a\" is not a name"},
        {"{{a\n{{b}}", "page:1: \"a?{{b\" is not a name"},
        {"{{\x1b[2J}}", "page:1: \"?[2J\" is not a name"},
        {"{{\xff\xc2\x9b}}", "page:1: \"??\" is not a name"},
        {"{{>.}}", "page:1: \".\" is not the name of a partial"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mustache *mustache = NULL;
        char error[MUSTACHE_ERROR_MAX];
        enum status status = mustache_parse("page", text_of(cases[i].source), &mustache, error);
        if (status != ERR_INPUT || mustache != NULL ||
            strncmp(error, cases[i].error, strlen(cases[i].error)) != 0) {
            fail_msg("\"%s\": \"%s\" in place of \"%s\"", cases[i].source, error, cases[i].error);
        }
    }
}

static void a_long_name_does_not_overrun_the_message(void **state)
{
    (void)state;
    char source[2048];
    char name[1024];
    char error[MUSTACHE_ERROR_MAX];
    struct mustache *mustache = NULL;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(source, sizeof source, "{{#%s}}{{/x%.900s}}", name, name);
    assert_int_equal(mustache_parse(name, text_of(source), &mustache, error), ERR_INPUT);
    assert_in_range(strlen(error), 1, MUSTACHE_ERROR_MAX - 1);
    assert_non_null(strstr(error, "is closed, but the open section is"));
}

static void sections_nest_to_the_limit_and_no_deeper(void **state)
{
    (void)state;
    struct buffer source;
    for (int depth = MUSTACHE_DEPTH_MAX; depth <= MUSTACHE_DEPTH_MAX + 1; depth++) {
        struct mustache *mustache = NULL;
        char error[MUSTACHE_ERROR_MAX];
        buffer_init(&source, OUT_MAX);
        for (int i = 0; i < depth; i++) {
            buffer_add_string(&source, "{{#a}}");
        }
        for (int i = 0; i < depth; i++) {
            buffer_add_string(&source, "{{/a}}");
        }
        enum status status = mustache_parse("page", buffer_text(&source), &mustache, error);
        assert_int_equal(status, depth > MUSTACHE_DEPTH_MAX ? ERR_INPUT : OK);
        assert_string_equal(error, depth > MUSTACHE_DEPTH_MAX
                                       ? "page:1: sections are nested more than 32 deep"
                                       : "");
        mustache_free(&mustache);
        buffer_clear(&source);
    }
}

static void every_character_that_html_needs_is_escaped(void **state)
{
    (void)state;
    struct member members[] = {{"x", value_string("<a href=\"x\" id='y'>&amp;</a>")}};
    struct value model = value_map(members, 1);
    assert_renders("{{x}}", &model,
                   "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    assert_renders("{{{x}}}{{&x}}", &model,
                   "<a href=\"x\" id='y'>&amp;</a><a href=\"x\" id='y'>&amp;</a>");
}

static void a_value_is_never_read_as_template(void **state)
{
    (void)state;
    struct member members[] = {{"x", value_string("{{secret}}{{#x}}{{/x}}{{>p}}{{=<% %>=}}{{")},
                               {"secret", value_string("leaked")}};
    struct value model = value_map(members, 2);
    assert_renders("{{x}}{{{x}}}{{#x}}{{.}}{{/x}}", &model,
                   "{{secret}}{{#x}}{{/x}}{{&gt;p}}{{=&lt;% %&gt;=}}{{"
                   "{{secret}}{{#x}}{{/x}}{{>p}}{{=<% %>=}}{{"
                   "{{secret}}{{#x}}{{/x}}{{&gt;p}}{{=&lt;% %&gt;=}}{{");
}

static void bytes_after_a_nul_are_part_of_a_value(void **state)
{
    (void)state;
    struct mustache *mustache = parse("[{{.}}]");
    struct value model = value_text(TEXT("a\0<"));
    struct buffer out;
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mustache_render(mustache, &model, NULL, NULL, &out), OK);
    assert_int_equal(out.len, 8);
    assert_memory_equal(out.data, "[a\0&lt;]", 8);
    buffer_clear(&out);
    mustache_free(&mustache);
}

static void a_section_over_a_value_follows_its_kind(void **state)
{
    (void)state;
    const struct value items[] = {value_string("1"), value_string(""), value_bool(false)};
    const struct {
        struct value value;
        const char *expected;
    } cases[] = {
        {value_bool(false), "no"},         {value_bool(true), "[]"},
        {value_string(""), "no"},          {value_string(NULL), "no"},
        {value_string("text"), "[text]"},  {value_list(NULL, 0), "no"},
        {value_list(items, 3), "[1][][]"}, {value_map(NULL, 0), "[]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct member members[] = {{"x", cases[i].value}};
        struct value model = value_map(members, 1);
        assert_renders("{{#x}}[{{.}}]{{/x}}{{^x}}no{{/x}}", &model, cases[i].expected);
    }
}

static void a_text_as_context_lets_outer_names_through(void **state)
{
    (void)state;
    struct member members[] = {{"user", value_string("ada")}, {"site", value_string("home")}};
    struct value model = value_map(members, 2);
    assert_renders("{{#user}}{{.}} at {{site}}{{/user}}", &model, "ada at home");
}

static void templates_without_tags_and_without_text_render(void **state)
{
    (void)state;
    assert_renders("", &nothing, "");
    assert_renders("no tags { }} \n", &nothing, "no tags { }} \n");
    assert_renders("{{x}}{{#x}}{{/x}}{{^x}}{{/x}}", &nothing, "");
}

static void the_source_need_not_outlive_parsing(void **state)
{
    (void)state;
    char source[] = "{{#x}}yes{{/x}}{{^x}}no{{/x}}";
    struct mustache *mustache = parse(source);
    struct buffer out;
    memset(source, '{', sizeof source - 1);
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mustache_render(mustache, &nothing, NULL, NULL, &out), OK);
    assert_string_equal(out.data, "no");
    buffer_clear(&out);
    mustache_free(&mustache);
}

static void output_over_the_limit_fails_and_marks_the_buffer(void **state)
{
    (void)state;
    static const char *const sources[] = {"12345{{x}}", "{{x}}{{{x}}}67", "{{#x}}12345678{{/x}}"};
    struct member members[] = {{"x", value_string("a&b")}};
    struct value model = value_map(members, 1);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct mustache *mustache = parse(sources[i]);
        struct buffer out;
        buffer_init(&out, 7);
        assert_int_equal(mustache_render(mustache, &model, NULL, NULL, &out), ERR_TOO_LARGE);
        assert_true(out.failed);
        assert_in_range(out.len, 0, 7);
        buffer_clear(&out);
        mustache_free(&mustache);
    }
}

static void output_of_exactly_the_limit_fits(void **state)
{
    (void)state;
    struct mustache *mustache = parse("12{{.}}");
    struct value model = value_string("&");
    struct buffer out;
    buffer_init(&out, 7);
    assert_int_equal(mustache_render(mustache, &model, NULL, NULL, &out), OK);
    assert_string_equal(out.data, "12&amp;");
    buffer_clear(&out);
    mustache_free(&mustache);
}

static void a_buffer_that_failed_before_stays_failed(void **state)
{
    (void)state;
    struct mustache *mustache = parse("x");
    struct buffer out;
    buffer_init(&out, 4);
    buffer_add_string(&out, "too much");
    assert_int_equal(mustache_render(mustache, &nothing, NULL, NULL, &out), ERR_TOO_LARGE);
    buffer_clear(&out);
    mustache_free(&mustache);
}

/* Whatever the name, the template that `context` points to. */
static const struct mustache *find_same(void *context, struct text name)
{
    struct mustache *const *same = context;
    (void)name;
    return *same;
}

static void a_partial_without_end_fails(void **state)
{
    (void)state;
    struct mustache *mustache = parse("a\n  {{> self}}\n");
    struct buffer out;
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mustache_render(mustache, &nothing, find_same, &mustache, &out),
                     ERR_TOO_LARGE);
    assert_true(out.failed);
    buffer_clear(&out);
    mustache_free(&mustache);
}

static void a_partial_inside_a_partial_is_indented_by_both(void **state)
{
    (void)state;
    struct member leaf[] = {{"next", value_bool(false)}};
    struct member middle[] = {{"next", value_map(leaf, 1)}};
    struct member top[] = {{"next", value_map(middle, 1)}};
    struct value model = value_map(top, 1);
    struct mustache *mustache = parse("-\n{{#next}}\n {{> self}}\n{{/next}}\n");
    struct buffer out;
    buffer_init(&out, OUT_MAX);
    assert_int_equal(mustache_render(mustache, &model, find_same, &mustache, &out), OK);
    assert_string_equal(out.data, "-\n -\n  -\n");
    buffer_clear(&out);
    mustache_free(&mustache);
}

static void each_line_of_an_indented_partial_is_indented_once(void **state)
{
    (void)state;
    static const struct {
        const char *partial;
        const char *expected;
    } cases[] = {
        {"a\nb\n", "  a\n  b\n"},
        {"{{x}}\n{{x}}{{x}}\n", "  X\n  XX\n"},
        {"a\n{{#x}}b{{/x}}\nc", "  a\n  b\n  c"},
        {"{{#x}}\na\n{{/x}}\nb\n", "  a\n  b\n"},
        {"{{! note }}\na\r\n\r\nb\r\n", "  a\r\n  \r\n  b\r\n"},
        {"", ""},
    };
    struct member members[] = {{"x", value_string("X")}};
    struct value model = value_map(members, 1);
    struct mustache *outer = parse("  {{> partial}}\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mustache *partial = parse(cases[i].partial);
        struct buffer out;
        buffer_init(&out, OUT_MAX);
        assert_int_equal(mustache_render(outer, &model, find_same, &partial, &out), OK);
        assert_string_equal(out.data != NULL ? out.data : "", cases[i].expected);
        buffer_clear(&out);
        mustache_free(&partial);
    }
    mustache_free(&outer);
}

static void the_partials_of_a_template_are_listed_with_their_lines(void **state)
{
    (void)state;
    struct mustache *mustache = parse("{{> head}}\n{{#x}}\n{{>a-b}} {{> head }}{{/x}}\n{{y}}");
    static const struct {
        const char *name;
        size_t line;
    } expected[] = {{"head", 1}, {"a-b", 3}, {"head", 3}};
    size_t cursor = 0;
    size_t line = 0;
    struct text name;
    for (size_t i = 0; i < 3; i++) {
        assert_true(mustache_next_partial(mustache, &cursor, &name, &line));
        assert_true(text_is(name, expected[i].name));
        assert_int_equal(line, expected[i].line);
    }
    assert_false(mustache_next_partial(mustache, &cursor, &name, &line));
    assert_false(mustache_next_partial(mustache, &cursor, &name, &line));
    mustache_free(&mustache);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    struct mustache *mustache = NULL;
    mustache_free(&mustache);
    assert_null(mustache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_template_is_refused_with_line_and_cause),
        cmocka_unit_test(a_long_name_does_not_overrun_the_message),
        cmocka_unit_test(sections_nest_to_the_limit_and_no_deeper),
        cmocka_unit_test(every_character_that_html_needs_is_escaped),
        cmocka_unit_test(a_value_is_never_read_as_template),
        cmocka_unit_test(bytes_after_a_nul_are_part_of_a_value),
        cmocka_unit_test(a_section_over_a_value_follows_its_kind),
        cmocka_unit_test(a_text_as_context_lets_outer_names_through),
        cmocka_unit_test(templates_without_tags_and_without_text_render),
        cmocka_unit_test(the_source_need_not_outlive_parsing),
        cmocka_unit_test(output_over_the_limit_fails_and_marks_the_buffer),
        cmocka_unit_test(output_of_exactly_the_limit_fits),
        cmocka_unit_test(a_buffer_that_failed_before_stays_failed),
        cmocka_unit_test(a_partial_without_end_fails),
        cmocka_unit_test(a_partial_inside_a_partial_is_indented_by_both),
        cmocka_unit_test(each_line_of_an_indented_partial_is_indented_once),
        cmocka_unit_test(the_partials_of_a_template_are_listed_with_their_lines),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
