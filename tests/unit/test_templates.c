/* The templates that are built into the programs, as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/embedded.h"
#include "html/pages.h"

static void the_built_in_templates_have_no_fault(void **state)
{
    (void)state;
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    enum status status = pages_open(NULL, &pages, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    pages_free(&pages);
}

static void every_built_in_template_renders_with_an_empty_model(void **state)
{
    (void)state;
    struct value model = value_map(NULL, 0);
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    size_t rendered = 0;
    assert_int_equal(pages_open(NULL, &pages, error), OK);
    for (const struct embedded_file *file = embedded_templates; file->name != NULL; file++) {
        const char *suffix = strstr(file->name, ".mustache");
        char name[64] = "";
        struct buffer out;
        if (suffix == NULL) {
            continue;
        }
        assert_in_range(suffix - file->name, 1, sizeof name - 1);
        memcpy(name, file->name, (size_t)(suffix - file->name));
        buffer_init(&out, PAGE_BYTES_MAX);
        assert_int_equal(pages_render(pages, name, &model, &out), OK);
        assert_in_range(out.len, 1, PAGE_BYTES_MAX);
        assert_null(strstr(out.data, "{{"));
        buffer_clear(&out);
        rendered++;
    }
    assert_true(rendered > 0);
    pages_free(&pages);
}

/* They stand inside <style> and <script>, which end at the first thing that looks like their end.
 */
static void no_plain_file_ends_the_element_that_holds_it(void **state)
{
    (void)state;
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    assert_int_equal(pages_open(NULL, &pages, error), OK);
    struct text style = pages_get_asset(pages, "style.css");
    struct text script = pages_get_asset(pages, "script.js");
    assert_true(style.len > 0 && script.len > 0);
    assert_null(strstr(style.data, "</"));
    assert_null(strstr(script.data, "</"));
    pages_free(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_templates_have_no_fault),
        cmocka_unit_test(every_built_in_template_renders_with_an_empty_model),
        cmocka_unit_test(no_plain_file_ends_the_element_that_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
