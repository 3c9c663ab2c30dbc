/* What a carrier may hand over, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/request.h"

#define PARAMS_MAX 640
#define FORM       "application/x-www-form-urlencoded"

/* The request that each test changes; see set_up. */
static struct field params[PARAMS_MAX];
static struct request_source source;
static struct request request;
static struct arena *arena;
static const char *reason;

/* Adds a parameter, besides one of that name. */
static void add(struct text name, struct text value)
{
    assert_true(source.params.count < PARAMS_MAX);
    params[source.params.count++] = (struct field){name, value};
}

/* Sets a parameter; NULL takes it away. */
static void set(const char *name, const char *value)
{
    size_t kept = 0;
    for (size_t i = 0; i < source.params.count; i++) {
        if (!text_is(params[i].name, name)) {
            params[kept++] = params[i];
        }
    }
    source.params.count = kept;
    if (value != NULL) {
        add(text_of(name), text_of(value));
    }
}

static int parse(void)
{
    arena_reset(arena);
    reason = NULL;
    int status = request_parse(&source, arena, &request, &reason);
    assert_non_null(reason);
    assert_int_equal(status == 0, reason[0] == '\0');
    return status;
}

static void set_body(const char *body, const char *length, const char *type)
{
    source.body = text_of(body);
    set("CONTENT_LENGTH", length);
    set("CONTENT_TYPE", type);
}

static void start(void)
{
    source = (struct request_source){.params = {params, 0}, .reads_body = true};
    set("REQUEST_METHOD", "GET");
    set("REQUEST_URI", "/a%20b?x=1&y");
    set("REMOTE_ADDR", "192.0.2.1");
    set("SERVER_PROTOCOL", "HTTP/1.1");
}

static void a_plain_request_is_read(void **state)
{
    (void)state;
    set("HTTP_HOST", "example.org:8443");
    set("HTTP_COOKIE", "a=b; c=d");
    set("HTTPS", "on");
    assert_int_equal(parse(), 0);
    assert_int_equal(request.method, METHOD_GET);
    assert_true(text_is(request.uri, "/a%20b?x=1&y"));
    assert_true(text_is(request.path, "/a b"));
    assert_true(text_is(request.query, "x=1&y"));
    assert_true(text_is(request.host, "example.org:8443"));
    assert_true(text_is(request.address, "192.0.2.1"));
    assert_true(request.https);
    assert_false(request.is_page);
    assert_true(text_is(fields_get(request.fields, "x"), "1"));
    assert_true(fields_has(request.fields, "y"));
    assert_true(text_is(fields_get(request.cookies, "c"), "d"));
    assert_int_equal(request.form.count, 0);
    assert_int_equal(request.params.count, source.params.count);
    assert_ptr_equal(request.arena, arena);
    assert_int_equal(request.role, ROLE_RESPONDER);
    source.role = ROLE_AUTHORIZER;
    assert_int_equal(parse(), 0);
    assert_int_equal(request.role, ROLE_AUTHORIZER);
}

static void what_is_required_has_no_default(void **state)
{
    static const char *const names[] = {"REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR",
                                        "SERVER_PROTOCOL"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        start();
        set(names[i], NULL);
        assert_int_equal(parse(), 400);
        assert_non_null(strstr(reason, names[i]));
        set(names[i], "");
        assert_int_equal(parse(), 400);
    }
    source.params.count = 0;
    assert_int_equal(parse(), 400);
    source.reads_body = false;
    assert_int_equal(parse(), 400);
}

static void a_refused_request_tells_what_was_known(void **state)
{
    (void)state;
    set("REQUEST_METHOD", "HEAD");
    set("REQUEST_URI", "/%zz");
    assert_int_equal(parse(), 400);
    assert_int_equal(request.method, METHOD_HEAD);
    assert_true(text_is(request.address, "192.0.2.1"));
    assert_int_equal(request.path.len, 0);
    assert_ptr_equal(request.arena, arena);
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
        set("REQUEST_METHOD", cases[i].name);
        assert_int_equal(parse(), 0);
        assert_int_equal(request.method, cases[i].method);
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
        set("REQUEST_URI", cases[i].sent);
        assert_int_equal(parse(), 0);
        assert_true(text_is(request.uri, cases[i].uri));
        assert_true(text_is(request.path, cases[i].path));
        assert_true(text_is(request.query, cases[i].query));
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
            source.reads_body = reads == 1;
            set("REQUEST_URI", uris[i]);
            if (parse() != 400) {
                fail_msg("%s: %s", uris[i], reason);
            }
        }
    }
    set("REQUEST_URI", NULL);
    add(TEXT("REQUEST_URI"), TEXT("/a\0b"));
    assert_int_equal(parse(), 400);
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
        set("REQUEST_URI", uris[i]);
        source.reads_body = false;
        assert_int_equal(parse(), 0);
        assert_int_equal(request.fields.count, 0);
        source.reads_body = true;
        assert_int_equal(parse(), 400);
    }
    set("REQUEST_URI", "/?a=1&a=2");
    assert_int_equal(parse(), 0);
    assert_true(text_is(fields_get(request.fields, "a"), "1"));
}

static void the_address_is_an_ip_address_or_the_unix_socket(void **state)
{
    static const char *const good[] = {"127.0.0.1", "::1", "::ffff:1.2.3.4", "unix:"};
    static const char *const bad[] = {"localhost", "127.0.0.1:80", "fe80::1%eth0",
                                      " ::1",      "unix",         "1.2.3.4, 5.6.7.8"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        set("REMOTE_ADDR", good[i]);
        assert_int_equal(parse(), 0);
        assert_true(text_is(request.address, good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("REMOTE_ADDR", bad[i]);
        assert_int_equal(parse(), 400);
        assert_int_equal(request.address.len, 0);
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
    set("HTTP_X_FORWARDED_PROTO", "https");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set("HTTPS", cases[i].value);
        assert_int_equal(parse(), cases[i].status);
        assert_int_equal(request.https, cases[i].https);
    }
}

static void a_host_is_one_name_or_absent(void **state)
{
    static const char *const bad[] = {"a,b", "u@h", "a b", "h:", "a/b", "h:99999", "a\tb"};
    (void)state;
    set("HTTP_HOST", "");
    set("HTTP_X_FORWARDED_HOST", "evil.test");
    assert_int_equal(parse(), 0);
    assert_int_equal(request.host.len, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("HTTP_HOST", bad[i]);
        assert_int_equal(parse(), 400);
        assert_int_equal(request.host.len, 0);
    }
}

static void parameters_given_twice_must_agree(void **state)
{
    static const char *const names[] = {"REMOTE_ADDR", "REQUEST_METHOD", "REQUEST_URI",
                                        "HTTP_HOST",   "REMOTE_USER",    "HTTP_X_ANY"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        start();
        add(text_of(names[i]), TEXT("h"));
        add(text_of(names[i]), TEXT("i"));
        assert_int_equal(parse(), 400);
    }
    start();
    add(TEXT("REMOTE_ADDR"), TEXT("192.0.2.1"));
    assert_int_equal(parse(), 0);
    add(TEXT("REMOTE_ADDR"), TEXT("192.0.2.2"));
    assert_int_equal(parse(), 400);
    start();
    add(TEXT("http_host"), TEXT("a")); /* another name */
    add(TEXT("HTTP_HOST"), TEXT("b"));
    assert_int_equal(parse(), 0);
}

static void cookie_lines_are_joined(void **state)
{
    (void)state;
    add(TEXT("HTTP_COOKIE"), TEXT("a=1"));
    add(TEXT("HTTP_COOKIE"), TEXT(""));
    add(TEXT("HTTP_COOKIE"), TEXT("b=2; a=3"));
    add(TEXT("HTTP_COOKIE"), TEXT("a=1"));
    assert_int_equal(parse(), 0);
    assert_int_equal(request.cookies.count, 4);
    assert_true(text_is(request.cookies.items[0].value, "1"));
    assert_true(text_is(request.cookies.items[1].value, "2"));
    assert_true(text_is(request.cookies.items[2].value, "3"));
    assert_true(text_is(request.cookies.items[3].value, "1"));
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
        start();
        add(cases[i].name, cases[i].value);
        assert_int_equal(parse(), 400);
    }
    start();
    add(TEXT("HTTP_USER_AGENT"), TEXT("a\tb\xff"));
    add(TEXT("PS1"), TEXT("\x1b[0m\n"));
    add(TEXT("EMPTY"), TEXT(""));
    add(TEXT("NULL"), (struct text){NULL, 0});
    assert_int_equal(parse(), 0);
    assert_true(fields_has(request.params, "EMPTY"));
    assert_true(fields_has(request.params, "NULL"));
    assert_false(fields_has(request.params, "ABSENT"));
}

static void parameters_have_a_greatest_number_and_size(void **state)
{
    static char names[PARAMS_MAX][8];
    static char large[REQUEST_PARAMS_MAX_BYTES + 1];
    (void)state;
    for (size_t i = source.params.count; i < REQUEST_PARAMS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "N%zu", i);
        add(text_of(names[i]), TEXT("x"));
    }
    assert_int_equal(parse(), 0);
    add(TEXT("MORE"), TEXT("x"));
    assert_int_equal(parse(), 400);

    start();
    memset(large, 'a', sizeof large - 1);
    add(TEXT("LARGE"), (struct text){large, REQUEST_PARAMS_MAX_BYTES / 2});
    assert_int_equal(parse(), 0);
    add(TEXT("HTTP_COOKIE"), (struct text){large, REQUEST_PARAMS_MAX_BYTES / 2});
    assert_int_equal(parse(), 400);
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
        set("REQUEST_METHOD", cases[i].method);
        set("HTTP_SEC_FETCH_MODE", cases[i].mode);
        set("HTTP_SEC_FETCH_DEST", cases[i].dest);
        set("HTTP_ACCEPT", cases[i].accept);
        assert_int_equal(parse(), 0);
        if (request.is_page != cases[i].is_page) {
            fail_msg("case %zu", i);
        }
    }
}

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
    set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        set_body("user=a+b&password=%2B", "21", types[i]);
        if (parse() != 0) {
            fail_msg("%s: %s", types[i], reason);
        }
        assert_int_equal(request.form.count, 2);
        assert_true(text_is(fields_get(request.form, "user"), "a b"));
        assert_true(text_is(fields_get(request.form, "password"), "+"));
        assert_false(fields_has(request.form, "x"));
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
    set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        set_body("a=b", "3", types[i]);
        assert_int_equal(parse(), 415);
        assert_int_equal(request.form.count, 0);
    }
    set_body("a=b", "3", FORM);
    set("HTTP_CONTENT_ENCODING", "gzip");
    assert_int_equal(parse(), 415);
    set("HTTP_CONTENT_ENCODING", "identity");
    assert_int_equal(parse(), 0);
}

static void an_empty_form_needs_no_type(void **state)
{
    static const char *const lengths[] = {NULL, "", "0"};
    (void)state;
    set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        set_body("", lengths[i], NULL);
        assert_int_equal(parse(), 0);
        assert_int_equal(request.form.count, 0);
        set_body("", lengths[i], "application/json");
        assert_int_equal(parse(), 415);
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
        set("REQUEST_METHOD", post == 1 ? "POST" : "GET");
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            set_body("a=b", lengths[i], FORM);
            assert_int_equal(parse(), 400);
        }
        set_body("", "3", FORM);
        assert_int_equal(parse(), 400);
        set_body("a=b", "3", FORM);
        assert_int_equal(parse(), 0);
        assert_int_equal(request.form.count, post);
    }
}

static void malformed_forms_are_refused(void **state)
{
    static const char *const bodies[] = {"a=%", "a=%00", "a=%ff", "a=1&a=2", "a=1&a=1"};
    (void)state;
    set("REQUEST_METHOD", "POST");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char length[24];
        (void)snprintf(length, sizeof length, "%zu", strlen(bodies[i]));
        set_body(bodies[i], length, FORM);
        assert_int_equal(parse(), 400);
        assert_int_equal(request.form.count, 0);
    }
}

static void bodies_have_a_greatest_size(void **state)
{
    static char body[REQUEST_BODY_MAX_BYTES + 2];
    char length[16];
    (void)state;
    memset(body, 'a', REQUEST_BODY_MAX_BYTES);
    set("REQUEST_METHOD", "POST");
    (void)snprintf(length, sizeof length, "%d", REQUEST_BODY_MAX_BYTES);
    set_body(body, length, FORM);
    assert_int_equal(parse(), 0);

    body[REQUEST_BODY_MAX_BYTES] = 'a';
    (void)snprintf(length, sizeof length, "%d", REQUEST_BODY_MAX_BYTES + 1);
    set_body(body, length, FORM);
    assert_int_equal(parse(), 413);
    source.body_too_large = true;
    set_body("", length, FORM);
    assert_int_equal(parse(), 413);

    source.body_too_large = false;
    memset(body, '&', REQUEST_BODY_MAX_BYTES);
    for (size_t i = 0; i <= REQUEST_FIELDS_MAX; i++) {
        body[2 * i] = 'a';
    }
    body[REQUEST_BODY_MAX_BYTES] = '\0';
    (void)snprintf(length, sizeof length, "%d", REQUEST_BODY_MAX_BYTES);
    set_body(body, length, FORM);
    assert_int_equal(parse(), 413);
}

static void a_program_without_forms_looks_at_no_body(void **state)
{
    static const char *const lengths[] = {NULL, "", "5", "x", "-1", "99999999999999999999"};
    (void)state;
    source.reads_body = false;
    set("REQUEST_METHOD", "POST");
    set("HTTP_CONTENT_ENCODING", "gzip");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        set_body("", lengths[i], "multipart/form-data; boundary=x");
        assert_int_equal(parse(), 0);
        assert_int_equal(request.form.count, 0);
    }
}

static void a_request_that_memory_does_not_hold_is_a_500(void **state)
{
    struct arena *small = NULL;
    (void)state;
    assert_int_equal(arena_new(1024, &small), OK);
    while (arena_get(small, 16) != NULL) {
    }
    assert_int_equal(request_parse(&source, small, &request, &reason), 500);
    arena_free(&small);
}

static int set_up(void **state)
{
    (void)state;
    start();
    return arena_new(256 * 1024, &arena) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        TEST(parameters_have_a_greatest_number_and_size),
        TEST(a_page_is_what_a_browser_wants_to_show),
        TEST(a_form_is_read),
        TEST(bodies_of_other_types_are_refused),
        TEST(an_empty_form_needs_no_type),
        TEST(the_length_must_be_the_bodys),
        TEST(malformed_forms_are_refused),
        TEST(bodies_have_a_greatest_size),
        TEST(a_program_without_forms_looks_at_no_body),
        TEST(a_request_that_memory_does_not_hold_is_a_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
