/* An answer is whole, with its Status first, or an empty 500. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "http/response.h"

#define EMPTY_500 "Status: 500 Internal Server Error\r\n\r\n"

static struct response response;
static struct buffer printed;

/* The answer as it would be sent. */
static const char *print(bool head_only)
{
    buffer_clear(&printed);
    assert_int_equal(response_print(&response, head_only, &printed), OK);
    return printed.data;
}

static void an_answer_that_nobody_decided_is_a_500(void **state)
{
    (void)state;
    assert_string_equal(print(false), EMPTY_500);
}

static void an_answer_begins_with_its_status(void **state)
{
    (void)state;
    response.status = 403;
    response_add_header(&response, "Content-Type", TEXT("text/plain"));
    response_add_optional(&response, "Remote-User", TEXT(""));
    response_add_optional(&response, "Remote-Name", TEXT("Jürgen"));
    buffer_add_string(&response.body, "no");
    assert_string_equal(print(false), "Status: 403 Forbidden\r\nContent-Type: text/plain\r\n"
                                      "Remote-Name: Jürgen\r\n\r\nno");
    assert_string_equal(print(true), "Status: 403 Forbidden\r\nContent-Type: text/plain\r\n"
                                     "Remote-Name: Jürgen\r\n\r\n");
}

static void answers_without_content_have_none(void **state)
{
    (void)state;
    buffer_add_string(&response.body, "text");
    response.status = 204;
    assert_string_equal(print(false), "Status: 204 No Content\r\n\r\n");
    response.status = 304;
    assert_string_equal(print(false), "Status: 304 Error\r\n\r\n");
}

static void the_statuses_that_we_use_have_their_phrases(void **state)
{
    static const struct {
        int status;
        const char *phrase;
    } cases[] = {
        {200, "OK"},
        {204, "No Content"},
        {303, "See Other"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {299, "Error"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(response_reason(cases[i].status), cases[i].phrase);
    }
}

static void a_status_that_is_none_becomes_a_500(void **state)
{
    static const int statuses[] = {0, -1, 20, 100, 199, 600, 2000};
    (void)state;
    buffer_add_string(&response.body, "text");
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        response.status = statuses[i];
        assert_string_equal(print(false), EMPTY_500);
    }
}

static void a_header_that_could_split_the_answer_spoils_it(void **state)
{
    const struct {
        const char *name;
        struct text value;
    } cases[] = {
        {"Location", TEXT("/a\r\nStatus: 200")},
        {"Location", TEXT("/a\nSet-Cookie: x=y")},
        {"Location", TEXT("/a\r")},
        {"Location", TEXT("/a\0b")},
        {"Remote-User", TEXT("\x1b[0m")},
        {"Remote-User", TEXT("a\r\n folded")},
        {"Remote-User", TEXT("a\x7f")},
        {"Remote-User", TEXT("a\tb")},
        {"X-Sendfile:", TEXT("/etc/passwd")},
        {"X Y", TEXT("z")},
        {"X\r\nY", TEXT("z")},
        {"X-\xc3\xbc", TEXT("z")},
        {"", TEXT("z")},
        {"Status", TEXT("200 OK")},
        {"status", TEXT("200 OK")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        response_reset(&response);
        response.status = 200;
        buffer_add_string(&response.body, "secret");
        response_add_header(&response, "Remote-Groups", TEXT("admin"));
        response_add_header(&response, cases[i].name, cases[i].value);
        assert_true(response.failed);
        assert_string_equal(print(false), EMPTY_500);
    }
}

static void letters_that_only_look_like_line_ends_are_passed_on(void **state)
{
    (void)state;
    response.status = 204;
    response_add_header(&response, "Remote-Name", TEXT("\xe5\x98\x8a\xe5\x98\x8d"));
    assert_string_equal(print(false), "Status: 204 No Content\r\n"
                                      "Remote-Name: \xe5\x98\x8a\xe5\x98\x8d\r\n\r\n");
}

static void a_redirection_has_a_status_and_a_place(void **state)
{
    (void)state;
    response_redirect(&response, 303, TEXT("/auth/login?next=%2Fa"));
    assert_string_equal(print(false),
                        "Status: 303 See Other\r\nLocation: /auth/login?next=%2Fa\r\n\r\n");
    response_reset(&response);
    response_redirect(&response, 401, TEXT("https://auth.example/login"));
    assert_string_equal(print(false),
                        "Status: 401 Unauthorized\r\nLocation: https://auth.example/login\r\n\r\n");
}

static void a_redirection_to_nowhere_is_a_500(void **state)
{
    const struct {
        int status;
        struct text location;
    } cases[] = {
        {200, TEXT("/a")},          {204, TEXT("/a")},        {500, TEXT("/a")},
        {403, TEXT("/a")},          {303, TEXT("")},          {303, TEXT("a")},
        {303, TEXT("//evil.test")}, {303, TEXT("/\\evil")},   {303, TEXT("javascript:x")},
        {303, TEXT("/a b")},        {303, TEXT("/\xc3\xbc")}, {303, TEXT("/a\r\nb: c")},
        {303, TEXT("?a")},          {303, TEXT("/a\0")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        response_reset(&response);
        response_redirect(&response, cases[i].status, cases[i].location);
        assert_string_equal(print(false), EMPTY_500);
    }
}

static void an_answer_that_does_not_fit_is_a_500(void **state)
{
    static const char piece[1024] = {'a'};
    (void)state;
    response.status = 200;
    for (size_t i = 0; i <= RESPONSE_BODY_MAX / sizeof piece; i++) {
        buffer_add(&response.body, piece, sizeof piece);
    }
    assert_string_equal(print(false), EMPTY_500);

    response_reset(&response);
    response.status = 200;
    for (size_t i = 0; i <= RESPONSE_HEADERS_MAX; i++) {
        response_add_header(&response, "A", TEXT("b"));
    }
    assert_string_equal(print(false), EMPTY_500);
}

static void an_answer_that_was_reset_is_the_500_of_the_start(void **state)
{
    (void)state;
    response.status = 200;
    response_add_header(&response, "Set-Cookie", TEXT("sid=secret"));
    buffer_add_string(&response.body, "secret");
    response_add_header(&response, "Status", TEXT("200"));
    size_t room = response.headers.room;
    size_t used = response.headers.len;
    response_reset(&response);
    assert_string_equal(print(false), EMPTY_500);
    assert_false(response.failed);
    assert_int_equal(response.headers.room, room);
    for (size_t i = 0; i < used; i++) {
        assert_int_equal(response.headers.data[i], 0);
    }
    response.status = 204;
    assert_string_equal(print(false), "Status: 204 No Content\r\n\r\n");
}

static void what_cannot_be_printed_whole_is_an_error(void **state)
{
    struct buffer small;
    (void)state;
    response.status = 200;
    buffer_add_string(&response.body, "0123456789");
    buffer_init(&small, 20);
    assert_int_equal(response_print(&response, false, &small), ERR_TOO_LARGE);
    buffer_clear(&small);
}

static int set_up(void **state)
{
    (void)state;
    capture_start();
    response_init(&response);
    buffer_init(&printed, 2 * (RESPONSE_BODY_MAX + RESPONSE_HEADERS_MAX));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    response_clear(&response);
    buffer_clear(&printed);
    capture_end();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_that_nobody_decided_is_a_500),
        TEST(an_answer_begins_with_its_status),
        TEST(answers_without_content_have_none),
        TEST(the_statuses_that_we_use_have_their_phrases),
        TEST(a_status_that_is_none_becomes_a_500),
        TEST(a_header_that_could_split_the_answer_spoils_it),
        TEST(letters_that_only_look_like_line_ends_are_passed_on),
        TEST(a_redirection_has_a_status_and_a_place),
        TEST(a_redirection_to_nowhere_is_a_500),
        TEST(an_answer_that_does_not_fit_is_a_500),
        TEST(an_answer_that_was_reset_is_the_500_of_the_start),
        TEST(what_cannot_be_printed_whole_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
