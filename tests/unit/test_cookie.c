/* Cookies as browsers and neighbours send them, and as we write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "http/cookie.h"
#include "request_arena.h"

#define NAME "__Host-sid"

static void only_the_exact_name_is_ours(void **state)
{
    /* The value found under our name; NULL when there must be none. */
    const struct {
        struct text header;
        const char *value;
    } cases[] = {
        {TEXT("__Host-sid=v"), "v"},
        {TEXT("a=1; __Host-sid=v; b=2"), "v"},
        {TEXT("a=1;__Host-sid=v;b=2"), "v"},
        {TEXT("a=1 ; __Host-sid=v ; x"), "v"},
        {TEXT("\t__Host-sid\t=\tv\t;x=y"), "v"},
        {TEXT("__Host-sid="), ""},
        {TEXT("__Host-sid=\"quoted\""), "\"quoted\""},
        {TEXT("__Host-sid=a=b=="), "a=b=="},
        {TEXT("__Host-sid=%41"), "%41"},
        {TEXT("__Host-sid=first; __Host-sid=second"), "first"},
        {TEXT("__Host-sid=v, b=2"), "v, b=2"},
        {TEXT("$Version=1; __Host-sid=\"v\"; $Path=/"), "\"v\""},
        {TEXT("a=1, __Host-sid=v"), NULL},
        {TEXT(""), NULL},
        {TEXT(";;; ;"), NULL},
        {TEXT("__Host-sid"), NULL},
        {TEXT("=__Host-sid=v"), NULL},
        {TEXT("=v"), NULL},
        {TEXT("x__Host-sid=v"), NULL},
        {TEXT("__Host-sid2=v"), NULL},
        {TEXT("__host-sid=v"), NULL},
        {TEXT("__HOST-SID=v"), NULL},
        {TEXT("%5f%5fHost-sid=v"), NULL},
        {TEXT("..Host-sid=v"), NULL},
        {TEXT("\xc2\xa0__Host-sid=v"), NULL},
        {TEXT("\xe2\x80\x80__Host-sid=v"), NULL},
        {TEXT("\xc2\x85__Host-sid=v"), NULL},
        {TEXT("\v__Host-sid=v"), NULL},
        {TEXT("__Host-sid\0=v"), NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fields cookies;
        assert_int_equal(cookie_parse(cases[i].header, *state, &cookies), OK);
        struct text value = fields_get(cookies, NAME);
        if (cases[i].value == NULL) {
            assert_null(value.data);
        } else {
            assert_non_null(value.data);
            assert_true(text_is(value, cases[i].value));
        }
    }
}

static void pairs_without_a_name_are_nothing(void **state)
{
    struct fields cookies;
    assert_int_equal(cookie_parse(TEXT("=v; x; ;\t=__Host-sid=v; a="), *state, &cookies), OK);
    assert_int_equal(cookies.count, 1);
    assert_true(text_is(cookies.items[0].name, "a"));
    assert_non_null(cookies.items[0].value.data);
}

static void values_are_bytes_as_they_came(void **state)
{
    struct fields cookies;
    assert_int_equal(cookie_parse(TEXT("a=x\0y\xff"), *state, &cookies), OK);
    assert_int_equal(cookies.count, 1);
    assert_true(text_equal(cookies.items[0].value, TEXT("x\0y\xff")));
}

/* Fills `out` with `count` cookies "c=1", then one of ours. */
static struct text many_cookies(size_t count, char *out)
{
    static const char other[] = "c=1; ";
    static const char ours[] = NAME "=v";
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(out + len, other, sizeof other - 1);
        len += sizeof other - 1;
    }
    memcpy(out + len, ours, sizeof ours);
    return (struct text){out, len + sizeof ours - 1};
}

static void ours_is_found_behind_as_many_as_browsers_keep(void **state)
{
    char header[8 * COOKIE_LIST_MAX];
    struct fields cookies;
    struct text text = many_cookies(200, header);
    assert_int_equal(cookie_parse(text, *state, &cookies), OK);
    assert_int_equal(cookies.count, 201);
    assert_true(text_is(fields_get(cookies, NAME), "v"));

    text = many_cookies(COOKIE_LIST_MAX, header);
    assert_int_equal(cookie_parse(text, *state, &cookies), OK);
    assert_int_equal(cookies.count, COOKIE_LIST_MAX);
    assert_false(fields_has(cookies, NAME));
}

static void cookies_that_memory_does_not_hold_fail(void **state)
{
    char header[8 * COOKIE_LIST_MAX];
    struct arena *small = NULL;
    struct fields cookies;
    (void)state;
    assert_int_equal(arena_new(64, &small), OK);
    assert_int_equal(cookie_parse(many_cookies(100, header), small, &cookies), ERR_MEMORY);
    arena_free(&small);
}

static void a_cookie_is_written_with_all_its_attributes(void **state)
{
    const struct {
        struct cookie cookie;
        const char *line;
    } cases[] = {
        {{.name = "__Host-sid", .value = TEXT("v"), .secure = true},
         "Set-Cookie: __Host-sid=v; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"},
        {{.name = "__Host-sid", .value = TEXT("v"), .domain = "", .secure = true},
         "Set-Cookie: __Host-sid=v; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"},
        {{.name = "__Host-sid", .value = TEXT("v"), .secure = true, .keep = true, .max_age_s = 60},
         "Set-Cookie: __Host-sid=v; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax\r\n"},
        {{.name = "__Host-sid", .value = TEXT("v"), .secure = true, .max_age_s = 60},
         "Set-Cookie: __Host-sid=v; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"},
        {{.name = "sid", .value = TEXT("v"), .keep = true, .max_age_s = -5},
         "Set-Cookie: sid=v; Path=/; Max-Age=0; HttpOnly; SameSite=Lax\r\n"},
        {{.name = "__Secure-sid", .value = TEXT("v"), .secure = true, .domain = "example.org"},
         "Set-Cookie: __Secure-sid=v; Path=/; Domain=example.org; Secure; HttpOnly; "
         "SameSite=Lax\r\n"},
        {{.name = "__Host-sid", .secure = true},
         "Set-Cookie: __Host-sid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax\r\n"},
        {{.name = "__Host-sid", .secure = true, .keep = true, .max_age_s = 60},
         "Set-Cookie: __Host-sid=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct response response;
        response_init(&response);
        cookie_set(&response, &cases[i].cookie);
        assert_false(response.failed);
        assert_string_equal(response.headers.data, cases[i].line);
        response_clear(&response);
    }
}

/* Sets the cookie; whether the response took it. */
static bool is_set(struct cookie cookie)
{
    struct response response;
    response_init(&response);
    capture_start();
    cookie_set(&response, &cookie);
    capture_end();
    bool taken = !response.failed && response.headers.len > 0;
    if (!taken) {
        assert_true(response.failed);
        assert_int_equal(response.headers.len, 0);
    }
    response_clear(&response);
    return taken;
}

static void a_cookie_that_browsers_would_not_keep_is_refused(void **state)
{
    const struct text values[] = {TEXT("a;b"),  TEXT("a b"),      TEXT("a,b"),
                                  TEXT("a\"b"), TEXT("a\\b"),     TEXT("a\r\nb"),
                                  TEXT("a\0b"), TEXT("\xc3\xbc"), TEXT("a\x7f")};
    static const char *const names[] = {"", "a b", "a=b", "a;b", "a\r\nb", "\xc3\xbc"};
    static const char *const domains[] = {"a b",   "a;b",   ".example.org", "example.org:80",
                                          "[::1]", "a\r\nb"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_false(is_set((struct cookie){.name = "sid", .value = values[i]}));
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(is_set((struct cookie){.name = names[i], .value = TEXT("v")}));
    }
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        assert_false(
            is_set((struct cookie){.name = "sid", .value = TEXT("v"), .domain = domains[i]}));
    }
    assert_false(is_set((struct cookie){.name = "__Host-sid", .value = TEXT("v")}));
    assert_false(is_set((struct cookie){.name = "__Secure-sid", .value = TEXT("v")}));
    assert_false(is_set((struct cookie){
        .name = "__Host-sid", .value = TEXT("v"), .secure = true, .domain = "example.org"}));
    assert_true(is_set((struct cookie){.name = "sid", .value = TEXT("v")}));
}

static void a_cookie_fills_at_most_what_browsers_keep(void **state)
{
    static const char rest[] = "sid=; Path=/; HttpOnly; SameSite=Lax";
    char value[COOKIE_MAX_BYTES];
    size_t most = COOKIE_MAX_BYTES - (sizeof rest - 1);
    (void)state;
    memset(value, 'a', sizeof value);
    assert_true(is_set((struct cookie){.name = "sid", .value = {value, most}}));
    assert_false(is_set((struct cookie){.name = "sid", .value = {value, most + 1}}));
}

static void a_value_fills_its_room_to_the_byte(void **state)
{
    static const struct cookie cases[] = {
        {.name = "s"},
        {.name = "sid", .domain = ""},
        {.name = "sid", .keep = true},
        {.name = "sid", .keep = true, .max_age_s = -60},
        {.name = "sid", .keep = true, .max_age_s = INT64_MAX},
        {.name = "sid", .max_age_s = INT64_MAX},
        {.name = "__Host-sid", .secure = true},
        {.name = "__Host-sid", .secure = true, .keep = true, .max_age_s = 2592000},
        {.name = "__Secure-sid", .secure = true, .domain = "www.example.org", .keep = true},
    };
    char value[COOKIE_MAX_BYTES];
    (void)state;
    memset(value, 'a', sizeof value);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cookie cookie = cases[i];
        struct buffer line;
        const char *fault = NULL;
        size_t room = cookie_room(&cookie);
        buffer_init(&line, SIZE_MAX);
        cookie.value = (struct text){value, room};
        assert_int_equal(cookie_room(&cookie), room);
        assert_true(cookie_print(&cookie, &line, &fault));
        assert_int_equal(line.len, COOKIE_MAX_BYTES);
        cookie.value.len++;
        assert_int_equal(cookie_room(&cookie), room);
        assert_false(cookie_print(&cookie, &line, &fault));
        assert_string_equal(fault, "it is larger than browsers keep");
        assert_int_equal(line.len, COOKIE_MAX_BYTES);
        buffer_clear(&line);
    }
}

static void a_name_that_fills_the_cookie_leaves_no_room(void **state)
{
    char name[COOKIE_MAX_BYTES + 1];
    size_t rest = strlen("=; Path=/; HttpOnly; SameSite=Lax");
    (void)state;
    memset(name, 'n', sizeof name);
    name[COOKIE_MAX_BYTES] = '\0';
    assert_int_equal(cookie_room(&(struct cookie){.name = name}), 0);
    name[COOKIE_MAX_BYTES - rest] = '\0';
    assert_int_equal(cookie_room(&(struct cookie){.name = name}), 0);
    name[COOKIE_MAX_BYTES - rest - 1] = '\0';
    assert_int_equal(cookie_room(&(struct cookie){.name = name}), 1);
}

static void a_cookie_is_printed_behind_what_is_there_or_not_at_all(void **state)
{
    static const char line[] = "sid=v; Path=/; HttpOnly; SameSite=Lax";
    const char *fault = "none";
    struct buffer out;
    (void)state;
    buffer_init(&out, 2 + sizeof line - 1);
    buffer_add_string(&out, "x ");
    assert_false(cookie_print(&(struct cookie){.name = "s d"}, &out, &fault));
    assert_string_equal(fault, "its name or value has characters that are not allowed");
    assert_false(out.failed);
    assert_string_equal(out.data, "x ");
    fault = "none";
    assert_true(cookie_print(&(struct cookie){.name = "sid", .value = TEXT("v")}, &out, &fault));
    assert_string_equal(fault, "none");
    assert_string_equal(out.data, "x sid=v; Path=/; HttpOnly; SameSite=Lax");
    assert_false(cookie_print(&(struct cookie){.name = "sid", .value = TEXT("v")}, &out, &fault));
    assert_string_equal(fault, "there is no room for it");
    assert_int_equal(out.len, 2 + sizeof line - 1);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_exact_name_is_ours),
        cmocka_unit_test(pairs_without_a_name_are_nothing),
        cmocka_unit_test(values_are_bytes_as_they_came),
        cmocka_unit_test(ours_is_found_behind_as_many_as_browsers_keep),
        cmocka_unit_test(cookies_that_memory_does_not_hold_fail),
        cmocka_unit_test(a_cookie_is_written_with_all_its_attributes),
        cmocka_unit_test(a_cookie_that_browsers_would_not_keep_is_refused),
        cmocka_unit_test(a_cookie_fills_at_most_what_browsers_keep),
        cmocka_unit_test(a_value_fills_its_room_to_the_byte),
        cmocka_unit_test(a_name_that_fills_the_cookie_leaves_no_room),
        cmocka_unit_test(a_cookie_is_printed_behind_what_is_there_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, request_arena_set_up, request_arena_tear_down);
}
