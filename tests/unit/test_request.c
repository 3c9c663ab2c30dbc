/* What a carrier may hand over, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/request.h"
#include "sample_request.h"

static void a_plain_request_is_read(void **state)
{
    (void)state;
    sample_set("HTTP_HOST", "example.org:8443");
    sample_set("HTTP_COOKIE", "a=b; c=d");
    sample_set("HTTPS", "on");
    assert_int_equal(sample_parse(), 0);
    assert_int_equal(sample_request.method, METHOD_GET);
    assert_true(text_is(sample_request.uri, "/a%20b?x=1&y"));
    assert_true(text_is(sample_request.path, "/a b"));
    assert_true(text_is(sample_request.query, "x=1&y"));
    assert_true(text_is(sample_request.host, "example.org:8443"));
    assert_true(text_is(sample_request.address, "192.0.2.1"));
    assert_true(sample_request.https);
    assert_false(sample_request.is_page);
    assert_true(text_is(fields_get(sample_request.fields, "x"), "1"));
    assert_true(fields_has(sample_request.fields, "y"));
    assert_true(text_is(fields_get(sample_request.cookies, "c"), "d"));
    assert_int_equal(sample_request.form.count, 0);
    assert_int_equal(sample_request.params.count, sample_source.params.fields.count);
    assert_ptr_equal(sample_request.arena, sample_arena);
    assert_int_equal(sample_request.role, ROLE_RESPONDER);
    sample_source.role = ROLE_AUTHORIZER;
    assert_int_equal(sample_parse(), 0);
    assert_int_equal(sample_request.role, ROLE_AUTHORIZER);
}

static void what_is_required_has_no_default(void **state)
{
    static const char *const names[] = {"REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR",
                                        "SERVER_PROTOCOL"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sample_start();
        sample_set(names[i], NULL);
        assert_int_equal(sample_parse(), 400);
        assert_non_null(strstr(sample_reason, names[i]));
        sample_set(names[i], "");
        assert_int_equal(sample_parse(), 400);
    }
    sample_source.params.fields.count = 0;
    assert_int_equal(sample_parse(), 400);
    sample_source.reads_body = false;
    assert_int_equal(sample_parse(), 400);
}

static void a_refused_request_tells_what_was_known(void **state)
{
    (void)state;
    sample_set("REQUEST_METHOD", "HEAD");
    sample_set("REQUEST_URI", "/%zz");
    assert_int_equal(sample_parse(), 400);
    assert_int_equal(sample_request.method, METHOD_HEAD);
    assert_true(text_is(sample_request.address, "192.0.2.1"));
    assert_int_equal(sample_request.path.len, 0);
    assert_ptr_equal(sample_request.arena, sample_arena);
}

static void methods_are_compared_exactly(void **state)
{
    static const struct {
        const char *name;
        enum method method;
    } cases[] = {
        {"GET", METHOD_GET},      {"HEAD", METHOD_HEAD},   {"POST", METHOD_POST},
        {"get", METHOD_OTHER},    {"GET ", METHOD_OTHER},  {"GETX", METHOD_OTHER},
        {"DELETE", METHOD_OTHER}, {"TRACE", METHOD_OTHER}, {"GE", METHOD_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_set("REQUEST_METHOD", cases[i].name);
        assert_int_equal(sample_parse(), 0);
        assert_int_equal(sample_request.method, cases[i].method);
    }
}

static void the_target_is_taken_apart(void **state)
{
    static const struct {
        const char *sent;
        const char *uri;
        const char *path;
        const char *query;
    } cases[] = {
        {"/", "/", "/", ""},
        {"/?", "/?", "/", ""},
        {"/a?b?c", "/a?b?c", "/a", "b?c"},
        {"/a%3fb", "/a%3fb", "/a?b", ""},
        {"/%2541", "/%2541", "/%41", ""},
        {"//a/../b", "//a/../b", "//a/../b", ""},
        {"/a+b", "/a+b", "/a+b", ""},
        {"http://other.test/x?y", "/x?y", "/x", "y"},
        {"HTTPS://other.test:8443/x", "/x", "/x", ""},
        {"http://[::1]/x", "/x", "/x", ""},
        {"/http://other.test/x", "/http://other.test/x", "/http://other.test/x", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_set("REQUEST_URI", cases[i].sent);
        assert_int_equal(sample_parse(), 0);
        assert_true(text_is(sample_request.uri, cases[i].uri));
        assert_true(text_is(sample_request.path, cases[i].path));
        assert_true(text_is(sample_request.query, cases[i].query));
    }
}

static void a_target_that_servers_may_read_otherwise_is_refused(void **state)
{
    static const char *const uris[] = {
        "a",
        "*",
        "?a",
        "example.org:443",
        "/private#/public",
        "/a b",
        "/a\tb",
        "/a\r\nb",
        "/\x7f",
        "/w\xc3\xbcrfel",
        "/\xff",
        "/%",
        "/%zz",
        "/%4",
        "/%00",
        "/a%00b",
        "/%0a",
        "/%ff",
        "/%c0%af",
        "/?%zz",
        "/?a=%",
        "/?a=%00",
        "/?a=#",
        "/?a=\xc3\xbc",
        "http:/x",
        "http://",
        "http:///x",
        "http://other.test",
        "http://other.test?x/y",
        "http://u@other.test/x",
        "http://other.test:x/x",
        "ftp://other.test/x",
        " /",
    };
    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        for (int reads = 0; reads < 2; reads++) {
            sample_source.reads_body = reads == 1;
            sample_set("REQUEST_URI", uris[i]);
            if (sample_parse() != 400) {
                fail_msg("%s: %s", uris[i], sample_reason);
            }
        }
    }
    sample_set("REQUEST_URI", NULL);
    sample_add(TEXT("REQUEST_URI"), TEXT("/a\0b"));
    assert_int_equal(sample_parse(), 400);
}

static void the_queries_of_others_are_not_taken_apart(void **state)
{
    char uri[2 * REQUEST_FIELDS_MAX + 8] = "/?";
    (void)state;
    for (size_t i = 0; i <= REQUEST_FIELDS_MAX; i++) {
        memcpy(uri + strlen(uri), "a&", sizeof "a&");
    }
    const char *const uris[] = {uri, "/?q=%fc"};
    for (size_t i = 0; i < 2; i++) {
        sample_set("REQUEST_URI", uris[i]);
        sample_source.reads_body = false;
        assert_int_equal(sample_parse(), 0);
        assert_int_equal(sample_request.fields.count, 0);
        sample_source.reads_body = true;
        assert_int_equal(sample_parse(), 400);
    }
    sample_set("REQUEST_URI", "/?a=1&a=2");
    assert_int_equal(sample_parse(), 0);
    assert_true(text_is(fields_get(sample_request.fields, "a"), "1"));
}

static void the_address_is_an_ip_address_or_the_unix_socket(void **state)
{
    static const char *const good[] = {"127.0.0.1", "::1", "::ffff:1.2.3.4", "unix:"};
    static const char *const bad[] = {"localhost", "127.0.0.1:80", "fe80::1%eth0",
                                      " ::1",      "unix",         "1.2.3.4, 5.6.7.8"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        sample_set("REMOTE_ADDR", good[i]);
        assert_int_equal(sample_parse(), 0);
        assert_true(text_is(sample_request.address, good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sample_set("REMOTE_ADDR", bad[i]);
        assert_int_equal(sample_parse(), 400);
        assert_int_equal(sample_request.address.len, 0);
    }
}

static void https_is_on_or_off(void **state)
{
    static const struct {
        const char *value;
        int status;
        bool https;
    } cases[] = {
        {NULL, 0, false},    {"", 0, false},        {"off", 0, false},  {"on", 0, true},
        {"1", 0, true},      {"0", 400, false},     {"ON", 400, false}, {"yes", 400, false},
        {"on ", 400, false}, {"https", 400, false},
    };
    (void)state;
    sample_set("HTTP_X_FORWARDED_PROTO", "https");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_set("HTTPS", cases[i].value);
        assert_int_equal(sample_parse(), cases[i].status);
        assert_int_equal(sample_request.https, cases[i].https);
    }
}

static void a_host_is_one_name_or_absent(void **state)
{
    static const char *const bad[] = {"a,b", "u@h", "a b", "h:", "a/b", "h:99999", "a\tb"};
    (void)state;
    sample_set("HTTP_HOST", "");
    sample_set("HTTP_X_FORWARDED_HOST", "evil.test");
    assert_int_equal(sample_parse(), 0);
    assert_int_equal(sample_request.host.len, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sample_set("HTTP_HOST", bad[i]);
        assert_int_equal(sample_parse(), 400);
        assert_int_equal(sample_request.host.len, 0);
    }
}

static void parameters_given_twice_must_agree(void **state)
{
    static const char *const names[] = {"REMOTE_ADDR",         "REQUEST_METHOD",      "REQUEST_URI",
                                        "REMOTE_USER",         "HTTP_HOST",           "HTTP_ORIGIN",
                                        "HTTP_SEC_FETCH_SITE", "HTTP_X_FORWARDED_FOR"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sample_start();
        sample_add(text_of(names[i]), TEXT("h"));
        sample_add(text_of(names[i]), TEXT("i"));
        assert_int_equal(sample_parse(), 400);
    }
    sample_start();
    sample_add(TEXT("REMOTE_ADDR"), TEXT("192.0.2.1"));
    assert_int_equal(sample_parse(), 0);
    sample_add(TEXT("REMOTE_ADDR"), TEXT("192.0.2.2"));
    assert_int_equal(sample_parse(), 400);
    sample_start();
    sample_add(TEXT("HTTP_ACCEPT_LANGUAGE"), TEXT("de")); /* nothing hangs on it */
    sample_add(TEXT("HTTP_ACCEPT_LANGUAGE"), TEXT("en"));
    assert_int_equal(sample_parse(), 0);
    sample_start();
    sample_add(TEXT("http_host"), TEXT("a")); /* another name */
    sample_add(TEXT("HTTP_HOST"), TEXT("b"));
    assert_int_equal(sample_parse(), 0);
}

static void cookie_lines_are_joined(void **state)
{
    (void)state;
    sample_add(TEXT("HTTP_COOKIE"), TEXT("a=1"));
    sample_add(TEXT("HTTP_COOKIE"), TEXT(""));
    sample_add(TEXT("HTTP_COOKIE"), TEXT("b=2; a=3"));
    sample_add(TEXT("HTTP_COOKIE"), TEXT("a=1"));
    assert_int_equal(sample_parse(), 0);
    assert_int_equal(sample_request.cookies.count, 4);
    assert_true(text_is(sample_request.cookies.items[0].value, "1"));
    assert_true(text_is(sample_request.cookies.items[1].value, "2"));
    assert_true(text_is(sample_request.cookies.items[2].value, "3"));
    assert_true(text_is(sample_request.cookies.items[3].value, "1"));
}

static void malformed_parameters_are_refused(void **state)
{
    const struct field cases[] = {
        {TEXT(""), TEXT("x")},
        {TEXT("A=B"), TEXT("x")},
        {TEXT("="), TEXT("x")},
        {TEXT("A\0B"), TEXT("x")},
        {TEXT("A\nB"), TEXT("x")},
        {TEXT("A\x7f"), TEXT("x")},
        {TEXT("A"), TEXT("x\0y")},
        {TEXT("CONTENT_LENGTH"), TEXT("0\0009")},
        {TEXT("HTTP_COOKIE"), TEXT("a=b\0")},
        {TEXT("HTTP_COOKIE"), TEXT("a=b\x01")},
        {TEXT("HTTP_USER_AGENT"), TEXT("x\r\ny")},
        {TEXT("HTTP_USER_AGENT"), TEXT("x\x7f")},
        {TEXT("HTTP_USER_AGENT"), TEXT("\tx\x1b")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_start();
        sample_add(cases[i].name, cases[i].value);
        assert_int_equal(sample_parse(), 400);
    }
    sample_start();
    sample_add(TEXT("HTTP_USER_AGENT"), TEXT("a\tb\xff"));
    sample_add(TEXT("PS1"), TEXT("\x1b[0m\n"));
    sample_add(TEXT("EMPTY"), TEXT(""));
    sample_add(TEXT("NULL"), (struct text){NULL, 0});
    assert_int_equal(sample_parse(), 0);
    assert_true(fields_has(sample_request.params, "EMPTY"));
    assert_true(fields_has(sample_request.params, "NULL"));
    assert_false(fields_has(sample_request.params, "ABSENT"));
}

/* A carrier that forgets to have them judged lets nobody in. */
static void parameters_that_nobody_judged_are_refused(void **state)
{
    (void)state;
    assert_int_equal(sample_parse(), 0);
    sample_source.params = (struct params){.fields = sample_source.params.fields};
    arena_reset(sample_arena);
    assert_int_equal(request_parse(&sample_source, sample_arena, &sample_request, &sample_reason),
                     400);
    assert_non_null(sample_reason);
}

static void parameters_have_a_greatest_number_and_size(void **state)
{
    static char names[SAMPLE_PARAMS_MAX][8];
    static char large[PARAMS_MAX_BYTES + 1];
    (void)state;
    for (size_t i = sample_source.params.fields.count; i < PARAMS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "N%zu", i);
        sample_add(text_of(names[i]), TEXT("x"));
    }
    assert_int_equal(sample_parse(), 0);
    sample_add(TEXT("MORE"), TEXT("x"));
    assert_int_equal(sample_parse(), 400);

    sample_start();
    memset(large, 'a', sizeof large - 1);
    sample_add(TEXT("LARGE"), (struct text){large, PARAMS_MAX_BYTES / 2});
    assert_int_equal(sample_parse(), 0);
    sample_add(TEXT("HTTP_COOKIE"), (struct text){large, PARAMS_MAX_BYTES / 2});
    assert_int_equal(sample_parse(), 400);
}

static void a_page_is_what_a_browser_wants_to_show(void **state)
{
    static const struct {
        const char *method;
        const char *mode;
        const char *dest;
        const char *accept;
        bool is_page;
    } cases[] = {
        {"GET", "navigate", "document", NULL, true},
        {"GET", "navigate", "iframe", NULL, true},
        {"GET", "navigate", NULL, NULL, true},
        {"HEAD", "navigate", "document", NULL, true},
        {"POST", "navigate", "document", "text/html", false},
        {"PUT", NULL, NULL, "text/html", false},
        {"GET", "cors", "empty", "text/html", false},
        {"GET", "no-cors", "image", "text/html", false},
        {"GET", "navigate", "object", "text/html", false},
        {"GET", NULL, "document", NULL, true},
        {"GET", NULL, "script", "text/html", false},
        {"GET", "Navigate", NULL, "text/html", false},
        {"GET", "", "", "text/html", true},
        {"GET", NULL, NULL, NULL, false},
        {"GET", NULL, NULL, "*/*", false},
        {"GET", NULL, NULL, "text/html", true},
        {"GET", NULL, NULL, "Text/HTML;q=0.9", true},
        {"GET", NULL, NULL, "image/png, text/html ;q=1, */*", true},
        {"GET", NULL, NULL, "application/xhtml+xml", true},
        {"GET", NULL, NULL, "application/json", false},
        {"GET", NULL, NULL, "text/htmlx", false},
        {"GET", NULL, NULL, "x;y=text/html", false},
        {"GET", NULL, NULL, "text/*", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_set("REQUEST_METHOD", cases[i].method);
        sample_set("HTTP_SEC_FETCH_MODE", cases[i].mode);
        sample_set("HTTP_SEC_FETCH_DEST", cases[i].dest);
        sample_set("HTTP_ACCEPT", cases[i].accept);
        assert_int_equal(sample_parse(), 0);
        if (sample_request.is_page != cases[i].is_page) {
            fail_msg("case %zu", i);
        }
    }
}

static void a_request_that_memory_does_not_hold_is_a_500(void **state)
{
    struct arena *small = NULL;
    (void)state;
    assert_int_equal(arena_new(1024, &small), OK);
    while (arena_get(small, 16) != NULL) {
    }
    sample_source.params = params_judge(sample_source.params.fields);
    assert_int_equal(request_parse(&sample_source, small, &sample_request, &sample_reason), 500);
    arena_free(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_set_up, sample_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_request_is_read),
        TEST(what_is_required_has_no_default),
        TEST(a_refused_request_tells_what_was_known),
        TEST(methods_are_compared_exactly),
        TEST(the_target_is_taken_apart),
        TEST(a_target_that_servers_may_read_otherwise_is_refused),
        TEST(the_queries_of_others_are_not_taken_apart),
        TEST(the_address_is_an_ip_address_or_the_unix_socket),
        TEST(https_is_on_or_off),
        TEST(a_host_is_one_name_or_absent),
        TEST(parameters_given_twice_must_agree),
        TEST(cookie_lines_are_joined),
        TEST(malformed_parameters_are_refused),
        TEST(parameters_that_nobody_judged_are_refused),
        TEST(parameters_have_a_greatest_number_and_size),
        TEST(a_page_is_what_a_browser_wants_to_show),
        TEST(a_request_that_memory_does_not_hold_is_a_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
