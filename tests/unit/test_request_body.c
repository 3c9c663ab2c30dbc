/* What a body may be, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/request.h"
#include "sample_request.h"

#define FORM "application/x-www-form-urlencoded"

static void a_form_is_read(void **state)
{
    static const char *const types[] = {
        FORM,
        "Application/X-WWW-Form-URLencoded",
        FORM "; charset=utf-8",
        FORM ";charset=UTF-8",
        FORM " ; Charset=\"UTF-8\"",
        FORM ";",
    };
    (void)state;
    sample_set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        sample_set_body("user=a+b&password=%2B", "21", types[i]);
        if (sample_parse() != 0) {
            fail_msg("%s: %s", types[i], sample_reason);
        }
        assert_int_equal(sample_request.form.count, 2);
        assert_true(text_is(fields_get(sample_request.form, "user"), "a b"));
        assert_true(text_is(fields_get(sample_request.form, "password"), "+"));
        assert_false(fields_has(sample_request.form, "x"));
    }
}

static void bodies_of_other_types_are_refused(void **state)
{
    static const char *const types[] = {
        NULL,
        "",
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        FORM "x",
        FORM "; charset=utf-7",
        FORM "; charset=utf-16",
        FORM "; charset=iso-8859-1",
        FORM "; boundary=x",
        FORM "; charset=utf-8; x=y",
        FORM ", text/plain",
        "text/plain; " FORM,
    };
    (void)state;
    sample_set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        sample_set_body("a=b", "3", types[i]);
        assert_int_equal(sample_parse(), 415);
        assert_int_equal(sample_request.form.count, 0);
    }
    sample_set_body("a=b", "3", FORM);
    sample_set("HTTP_CONTENT_ENCODING", "gzip");
    assert_int_equal(sample_parse(), 415);
    sample_set("HTTP_CONTENT_ENCODING", "identity");
    assert_int_equal(sample_parse(), 0);
}

static void an_empty_form_needs_no_type(void **state)
{
    static const char *const lengths[] = {NULL, "", "0"};
    (void)state;
    sample_set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        sample_set_body("", lengths[i], NULL);
        assert_int_equal(sample_parse(), 0);
        assert_int_equal(sample_request.form.count, 0);
        sample_set_body("", lengths[i], "application/json");
        assert_int_equal(sample_parse(), 415);
    }
}

static void the_length_must_be_the_bodys(void **state)
{
    static const char *const lengths[] = {
        NULL,         "",           "0",
        "-1",         "+3",         " 3",
        "3 ",         "0x3",        "3,3",
        "3e0",        "2",          "4",
        "3.",         "x",          "99999999999999999999",
        "2147483647", "4294967299", "18446744073709551619",
    };
    (void)state;
    for (int post = 0; post < 2; post++) {
        sample_set("REQUEST_METHOD", post == 1 ? "POST" : "GET");
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            sample_set_body("a=b", lengths[i], FORM);
            assert_int_equal(sample_parse(), 400);
        }
        sample_set_body("", "3", FORM);
        assert_int_equal(sample_parse(), 400);
        sample_set_body("a=b", "3", FORM);
        assert_int_equal(sample_parse(), 0);
        assert_int_equal(sample_request.form.count, post);
    }
}

static void malformed_forms_are_refused(void **state)
{
    static const char *const bodies[] = {"a=%", "a=%00", "a=%ff", "a=1&a=2", "a=1&a=1"};
    (void)state;
    sample_set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char length[24];
        (void)snprintf(length, sizeof length, "%zu", strlen(bodies[i]));
        sample_set_body(bodies[i], length, FORM);
        assert_int_equal(sample_parse(), 400);
        assert_int_equal(sample_request.form.count, 0);
    }
}

static void bodies_have_a_greatest_size(void **state)
{
    static char body[REQUEST_BODY_MAX_BYTES + 2];
    char length[16];
    (void)state;
    memset(body, 'a', REQUEST_BODY_MAX_BYTES);
    sample_set("REQUEST_METHOD", "POST");
    (void)snprintf(length, sizeof length, "%d", REQUEST_BODY_MAX_BYTES);
    sample_set_body(body, length, FORM);
    assert_int_equal(sample_parse(), 0);

    body[REQUEST_BODY_MAX_BYTES] = 'a';
    (void)snprintf(length, sizeof length, "%d", REQUEST_BODY_MAX_BYTES + 1);
    sample_set_body(body, length, FORM);
    assert_int_equal(sample_parse(), 413);
    sample_source.body_too_large = true;
    sample_set_body("", length, FORM);
    assert_int_equal(sample_parse(), 413);

    sample_source.body_too_large = false;
    memset(body, '&', REQUEST_BODY_MAX_BYTES);
    for (size_t i = 0; i <= REQUEST_FIELDS_MAX; i++) {
        body[2 * i] = 'a';
    }
    body[REQUEST_BODY_MAX_BYTES] = '\0';
    (void)snprintf(length, sizeof length, "%d", REQUEST_BODY_MAX_BYTES);
    sample_set_body(body, length, FORM);
    assert_int_equal(sample_parse(), 413);
}

static void a_program_without_forms_looks_at_no_body(void **state)
{
    static const char *const lengths[] = {NULL, "", "5", "x", "-1", "99999999999999999999"};
    (void)state;
    sample_source.reads_body = false;
    sample_set("REQUEST_METHOD", "POST");
    sample_set("HTTP_CONTENT_ENCODING", "gzip");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        sample_set_body("", lengths[i], "multipart/form-data; boundary=x");
        assert_int_equal(sample_parse(), 0);
        assert_int_equal(sample_request.form.count, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_set_up, sample_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_form_is_read),
        TEST(bodies_of_other_types_are_refused),
        TEST(an_empty_form_needs_no_type),
        TEST(the_length_must_be_the_bodys),
        TEST(malformed_forms_are_refused),
        TEST(bodies_have_a_greatest_size),
        TEST(a_program_without_forms_looks_at_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
