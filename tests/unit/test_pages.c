/* The set of pages, over built-in files of this test's own: they take the place of the library's
 * when the test is linked, so that nothing here depends on what the real pages look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/embedded.h"
#include "html/pages.h"
#include "scratch.h"

#define OUT_MAX 4096

#define FILE_OF(name, literal)                                                                     \
    {                                                                                              \
        name,                                                                                      \
        {                                                                                          \
            literal, sizeof(literal) - 1                                                           \
        }                                                                                          \
    }

const struct embedded_file embedded_templates[] = {
    FILE_OF("README", "{{#not a template"),
    FILE_OF("head.mustache", "<{{title}}>\n"),
    FILE_OF("login.mustache", "{{> head}}\nlogin\n"),
    FILE_OF("logout.mustache", "{{> head}}\nlogout\n"),
    FILE_OF("style.css", "built-in style"),
    {0},
};

static const char *folder;

/* Each test has a folder of its own below the scratch folder. */
static int make_folder(void **state)
{
    static char path[256];
    static int number;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/%d", scratch_folder(), number++);
    folder = path;
    return mkdir(path, 0700);
}

static void put_file(const char *name, const char *content)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", strrchr(folder, '/') + 1, name);
    (void)scratch_write(path, content);
}

static struct pages *open_pages(const char *from)
{
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    enum status status = pages_open(from, &pages, error);
    assert_string_equal(error, "");
    assert_int_equal(status, OK);
    assert_non_null(pages);
    return pages;
}

/* `message` is what stands after the folder's name. */
static void assert_refused(enum status expected, const char *message)
{
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    char whole[PAGES_ERROR_MAX];
    enum status status = pages_open(folder, &pages, error);
    (void)snprintf(whole, sizeof whole, "%.200s%.300s", folder, message);
    assert_string_equal(error, whole);
    assert_int_equal(status, expected);
    assert_null(pages);
}

static void assert_page(const struct pages *pages, const char *name, const char *expected)
{
    struct member members[] = {{"title", value_string("T&T")}};
    struct value model = value_map(members, 1);
    struct buffer out;
    buffer_init(&out, OUT_MAX);
    assert_int_equal(pages_render(pages, name, &model, &out), OK);
    assert_string_equal(out.data != NULL ? out.data : "", expected);
    buffer_clear(&out);
}

static void without_a_folder_the_built_in_pages_are_rendered(void **state)
{
    (void)state;
    static const char *const folders[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        struct pages *pages = open_pages(folders[i]);
        assert_page(pages, "login", "<T&amp;T>\nlogin\n");
        assert_page(pages, "logout", "<T&amp;T>\nlogout\n");
        assert_true(text_is(pages_get_asset(pages, "style.css"), "built-in style"));
        pages_free(&pages);
        assert_null(pages);
    }
}

static void a_file_replaces_the_built_in_one_and_no_other(void **state)
{
    (void)state;
    put_file("login.mustache", "mine: {{> head}}");
    struct pages *pages = open_pages(folder);
    assert_page(pages, "login", "mine: <T&amp;T>\n");
    assert_page(pages, "logout", "<T&amp;T>\nlogout\n");
    pages_free(&pages);
}

static void a_replaced_partial_shows_in_every_page(void **state)
{
    (void)state;
    put_file("head.mustache", "");
    struct pages *pages = open_pages(folder);
    assert_page(pages, "login", "login\n");
    assert_page(pages, "logout", "logout\n");
    pages_free(&pages);
}

static void a_further_partial_counts_when_a_page_uses_it(void **state)
{
    (void)state;
    put_file("login.mustache", "{{> logo}}!");
    put_file("logo.mustache", "logo");
    struct pages *pages = open_pages(folder);
    assert_page(pages, "login", "logo!");
    pages_free(&pages);
}

static void plain_files_come_from_the_folder_when_they_are_there(void **state)
{
    (void)state;
    struct pages *pages = open_pages(folder);
    assert_true(text_is(pages_get_asset(pages, "style.css"), "built-in style"));
    assert_int_equal(pages_get_asset(pages, "script.js").len, 0);
    pages_free(&pages);

    put_file("style.css", "{{not a template");
    put_file("script.js", "my script");
    pages = open_pages(folder);
    assert_true(text_is(pages_get_asset(pages, "style.css"), "{{not a template"));
    assert_true(text_is(pages_get_asset(pages, "script.js"), "my script"));
    pages_free(&pages);
}

static void only_the_plain_files_are_given_out_as_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {"login.mustache", "login", "README", "style", ""};
    struct pages *pages = open_pages(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(pages_get_asset(pages, names[i]).len, 0);
    }
    pages_free(&pages);
}

static void a_page_that_does_not_exist_is_not_found(void **state)
{
    (void)state;
    static const char *const names[] = {"lost", "", "login.mustache", "style.css", "README"};
    struct pages *pages = open_pages(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct value model = value_bool(false);
        struct buffer out;
        buffer_init(&out, OUT_MAX);
        assert_int_equal(pages_render(pages, names[i], &model, &out), ERR_NOT_FOUND);
        assert_int_equal(out.len, 0);
        buffer_clear(&out);
    }
    pages_free(&pages);
}

static void a_page_over_the_limit_of_the_output_fails(void **state)
{
    (void)state;
    struct pages *pages = open_pages(NULL);
    struct value model = value_bool(false);
    struct buffer out;
    buffer_init(&out, 4);
    assert_int_equal(pages_render(pages, "login", &model, &out), ERR_TOO_LARGE);
    buffer_clear(&out);
    pages_free(&pages);
}

static void hidden_files_and_backups_are_passed_over(void **state)
{
    (void)state;
    put_file(".login.mustache.swp", "{{#broken");
    put_file(".hidden", "");
    put_file("login.mustache~", "{{#broken");
    put_file("notes~", "");
    struct pages *pages = open_pages(folder);
    assert_page(pages, "login", "<T&amp;T>\nlogin\n");
    pages_free(&pages);
}

static void a_file_that_no_page_uses_is_refused_with_the_nearest_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *message;
    } cases[] = {
        {"logni.mustache", "; did you mean login.mustache?"},
        {"login.mustach", "; did you mean login.mustache?"},
        {"Head.mustache", "; did you mean head.mustache?"},
        {"styles.css", "; did you mean style.css?"},
        {"scrip.js", "; did you mean script.js?"},
        {"extraordinary.png", "; remove it from the folder"},
        {"README", "; remove it from the folder"},
        {".mustache~x", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        char message[256];
        put_file(cases[i].name, "");
        if (cases[i].message == NULL) {
            struct pages *pages = open_pages(folder);
            pages_free(&pages);
        } else {
            (void)snprintf(message, sizeof message, "/%s: no page uses a file of this name%s",
                           cases[i].name, cases[i].message);
            assert_refused(ERR_INPUT, message);
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, cases[i].name);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_template_that_only_uses_itself_is_refused(void **state)
{
    (void)state;
    put_file("loop.mustache", "\n{{> loop}}");
    assert_refused(ERR_INPUT, "/loop.mustache:2: this partial leads back to itself");
}

static void partials_that_lead_in_a_circle_are_refused(void **state)
{
    (void)state;
    put_file("head.mustache", "{{> logo}}");
    put_file("logo.mustache", "\n\n{{#x}}{{> head}}{{/x}}");
    assert_refused(ERR_INPUT, "/logo.mustache:3: this partial leads back to itself");
}

static void a_partial_that_two_pages_share_is_no_circle(void **state)
{
    (void)state;
    put_file("login.mustache", "{{> head}}{{> logo}}");
    put_file("logo.mustache", "{{> head}}{{> head}}");
    struct pages *pages = open_pages(folder);
    assert_page(pages, "login", "<T&amp;T>\n<T&amp;T>\n<T&amp;T>\n");
    pages_free(&pages);
}

static void a_partial_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    put_file("login.mustache", "\n{{> haed}}");
    assert_refused(ERR_INPUT, "/login.mustache:2: there is no haed.mustache for this partial; did "
                              "you mean head.mustache?");
    put_file("login.mustache", "{{> extraordinary}}");
    assert_refused(ERR_INPUT,
                   "/login.mustache:1: there is no extraordinary.mustache for this partial");
}

static void a_broken_template_is_refused_with_folder_file_and_line(void **state)
{
    (void)state;
    put_file("logout.mustache", "\n{{#x}}");
    assert_refused(ERR_INPUT, "/logout.mustache:2: the section \"x\" is not closed");
}

static void a_file_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    put_file("login.mustache", "caf\xe9");
    assert_refused(ERR_INPUT, "/login.mustache: the file is not UTF-8");
}

static void a_file_of_the_greatest_size_is_read_and_a_larger_one_refused(void **state)
{
    (void)state;
    static char content[PAGE_BYTES_MAX + 2];
    memset(content, 'x', sizeof content - 1);
    put_file("style.css", content);
    assert_refused(ERR_INPUT, "/style.css: larger than 65536 bytes");
    content[PAGE_BYTES_MAX] = '\0';
    put_file("style.css", content);
    struct pages *pages = open_pages(folder);
    assert_int_equal(pages_get_asset(pages, "style.css").len, PAGE_BYTES_MAX);
    pages_free(&pages);
}

static void a_folder_in_place_of_a_file_is_refused(void **state)
{
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/login.mustache", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(ERR_SYSTEM, "/login.mustache: cannot be read: Is a directory");
}

static void a_folder_that_does_not_exist_is_not_found(void **state)
{
    (void)state;
    char path[512];
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    (void)snprintf(path, sizeof path, "%s/lost", folder);
    assert_int_equal(pages_open(path, &pages, error), ERR_NOT_FOUND);
    assert_non_null(strstr(error, "/lost: the folder cannot be read"));

    put_file("style.css", "");
    (void)snprintf(path, sizeof path, "%s/style.css", folder);
    assert_int_equal(pages_open(path, &pages, error), ERR_NOT_FOUND);
    assert_null(pages);
}

static void a_long_folder_name_does_not_overrun_the_message(void **state)
{
    (void)state;
    char path[3000];
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(pages_open(path, &pages, error), ERR_SYSTEM);
    assert_in_range(strlen(error), 1, PAGES_ERROR_MAX - 1);
    assert_null(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_OF(name) cmocka_unit_test_setup(name, make_folder)
        TEST_OF(without_a_folder_the_built_in_pages_are_rendered),
        TEST_OF(a_file_replaces_the_built_in_one_and_no_other),
        TEST_OF(a_replaced_partial_shows_in_every_page),
        TEST_OF(a_further_partial_counts_when_a_page_uses_it),
        TEST_OF(plain_files_come_from_the_folder_when_they_are_there),
        TEST_OF(only_the_plain_files_are_given_out_as_they_are),
        TEST_OF(a_page_that_does_not_exist_is_not_found),
        TEST_OF(a_page_over_the_limit_of_the_output_fails),
        TEST_OF(hidden_files_and_backups_are_passed_over),
        TEST_OF(a_file_that_no_page_uses_is_refused_with_the_nearest_name),
        TEST_OF(a_template_that_only_uses_itself_is_refused),
        TEST_OF(partials_that_lead_in_a_circle_are_refused),
        TEST_OF(a_partial_that_two_pages_share_is_no_circle),
        TEST_OF(a_partial_that_does_not_exist_is_refused),
        TEST_OF(a_broken_template_is_refused_with_folder_file_and_line),
        TEST_OF(a_file_that_is_not_utf8_is_refused),
        TEST_OF(a_file_of_the_greatest_size_is_read_and_a_larger_one_refused),
        TEST_OF(a_folder_in_place_of_a_file_is_refused),
        TEST_OF(a_folder_that_does_not_exist_is_not_found),
        TEST_OF(a_long_folder_name_does_not_overrun_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
