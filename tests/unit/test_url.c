/* Where a browser may be sent, tried with what has been used against others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/url.h"
#include "tables.h"

#define SELF "auth.example"

static char listed[] = "app.example";
static char listed_with_port[] = "ports.example:8443";
static char listed_below[] = "*.example.org";
static const struct config_list allowed = {
    .items = {listed, listed_with_port, listed_below},
    .count = 3,
};

static bool is_allowed(const char *target)
{
    return url_is_allowed_target(text_of(target), TEXT(SELF), &allowed);
}

/* As a client may send them; each is also tried with its escapes decoded once. */
static const char *const evil_targets[] = {
    "",
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "\\\\evil.test",
    "\\\\\\evil.test",
    "/\\/evil.test",
    "//\\evil.test",
    "/%09/evil.test",
    "/%0a/evil.test",
    "/%0d/evil.test",
    "/%0b/evil.test",
    "/%0c/evil.test",
    "%09//evil.test",
    "%20//evil.test",
    "%00//evil.test",
    "/%5cevil.test",
    "/%2fevil.test",
    "/%2Fevil.test",
    "/.//evil.test",
    "/..//evil.test",
    "/x/..//evil.test",
    "/./\\evil.test",
    "/%2e%2e//evil.test",
    "/;//evil.test",
    ".evil.test",
    "@evil.test",
    ":80@evil.test",
    "http:evil.test",
    "https:evil.test",
    "http:/evil.test",
    "https:///evil.test",
    "https:\\\\evil.test",
    "http:\\/\\/evil.test",
    "HtTpS://evil.test",
    "https://evil.test:443",
    "https://evil%2etest",
    "https://auth.example@evil.test",
    "https://auth.example:x@evil.test",
    "https://app.example%40evil.test",
    "https://app.example.evil.test",
    "https://xapp.example",
    "https://evil-app.example",
    "https://app.example:8443",
    "https://app.example:@evil.test",
    "https://app.example\\.evil.test",
    "https://app.example\\@evil.test",
    "https://app.example%09.evil.test",
    "https://app.example#@evil.test",
    "https://evil.test#app.example",
    "https://evil.test?https://app.example",
    "https://evil.test/app.example",
    "https://app.example..",
    "https://APP.EXAMPLE%00.evil.test",
    "https://app\xe3\x80\x82\x65xample",
    "https://evil\xe3\x80\x82test",
    "//evil%E3%80%82test",
    "//\xef\xbd\x85vil.test",
    "//0x7f.1",
    "//2130706433",
    "//[::ffff:7f00:1]",
    "javascript:alert(1)",
    "jAvAsCrIpT://%0aalert(1)",
    "java%0ascript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "//evil.test/%2f%2e%2e",
    "/%0d%0aSet-Cookie:x=y",
    "/a%0d%0a%0d%0a<script>",
    "/%",
    "/%zz",
    /* Ours. */
    "/%2",
    "/a%2f%2fevil.test",
    "/..",
    "/.",
    "/a/.",
    "/a/..",
    "/a/../b",
    "/%2e/evil.test",
    "/.%2E/evil.test",
    "/%2E./evil.test?x",
    "/a//",
    "/a\tb",
    "/a b",
    "/a\nb",
    "/w\xc3\xbcrfel",
    "/a#b",
    "/a?x=%0aSet-Cookie:y",
    "/a?x=%7f",
    "/a?x=\\",
    "/a?x=#y",
    "/a?x=%",
    "/a[b]",
    "/%5C/evil.test",
    "a/b",
    "?next=/a",
    "https://",
    "https:///",
    "https:////app.example",
    "https://app.example//evil.test",
    "https://app.example/../x",
    "https://app.example?x",
    "https://app.example:",
    "https://app.example:0",
    "https://app.example:0443",
    "https://app.example:99999",
    "https://app.example:443:443",
    "http://app.example:443/",
    "https://app.example:80/",
    "https://user@app.example/",
    "https://ports.example/",
    "https://ports.example:443/",
    "https://example.org/",
    "https://evilexample.org/",
    "https://.example.org/",
    "https://a.example.org:8443/",
    "https://a.example.org.evil.test/",
    "https://*.example.org/",
    "https://auth.example./",
    "https://auth.example:8443/",
    "ftp://app.example/",
    "//app.example/",
    "//auth.example/",
};

/* Decodes escapes once; false when one is bad. */
static bool decode_once(struct text text, struct buffer *out)
{
    while (text.len > 0) {
        unsigned char byte;
        bool escaped;
        if (!url_take_byte(&text, &byte, &escaped)) {
            return false;
        }
        buffer_add(out, &byte, 1);
    }
    return true;
}

static void evil_targets_are_refused_as_sent_and_decoded_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof evil_targets / sizeof evil_targets[0]; i++) {
        struct text target = text_of(evil_targets[i]);
        struct buffer decoded;
        if (is_allowed(evil_targets[i])) {
            fail_msg("allowed: %s", evil_targets[i]);
        }
        assert_false(url_is_allowed_target(target, (struct text){0}, &allowed));
        buffer_init(&decoded, target.len + 1);
        if (!decode_once(target, &decoded)) {
            buffer_clear(&decoded);
            continue;
        }
        if (url_is_allowed_target(buffer_text(&decoded), TEXT(SELF), &allowed)) {
            fail_msg("allowed once decoded: %s", evil_targets[i]);
        }
        buffer_clear(&decoded);
    }
}

static void good_targets_are_taken(void **state)
{
    static const char *const targets[] = {
        "/",
        "/a/b?c=d&e=f",
        "/a?u=https://evil.test/",
        "/a?x=%2F%2Fy",
        "/w%C3%BCrfel",
        "/a;v=1",
        "https://app.example/x",
        "https://app.example",
        "https://app.example/",
        "https://APP.example/x?y=//z",
        "https://app.example:443/x",
        "http://app.example/x",
        "http://app.example:80/x",
        "https://auth.example/x",
        "https://auth.example:443/x",
        "http://auth.example/x",
        "https://ports.example:8443/",
        "https://a.example.org/",
        "https://a.b.Example.ORG/",
        "/a/",
        "/.well-known/x",
        "/...",
        "/a..b",
        "/a.",
        "/%41",
        "/a?b[]=1&c=?",
        "/a?b//c/../d",
        /* Not pretty, but on the own host in every browser. */
        "/%20/evil.test",
        "/%252fevil.test",
        "/%ff",
        "/%c0%af%c0%afevil.test",
        "/login?return-to=/x",
        "/logout",
    };
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (!is_allowed(targets[i])) {
            fail_msg("refused: %s", targets[i]);
        }
    }
}

static void targets_have_a_longest_length(void **state)
{
    char target[URL_TARGET_MAX + 2];
    (void)state;
    memset(target, 'a', sizeof target);
    target[0] = '/';
    target[URL_TARGET_MAX] = '\0';
    assert_true(is_allowed(target));
    target[URL_TARGET_MAX] = 'a';
    target[URL_TARGET_MAX + 1] = '\0';
    assert_false(is_allowed(target));
}

static void no_nul_is_overlooked_in_a_target(void **state)
{
    const struct text targets[] = {TEXT("/a\0"), TEXT("/\0/evil.test"), TEXT("\0"),
                                   TEXT("https://app.example\0.evil.test/")};
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        assert_false(url_is_allowed_target(targets[i], TEXT(SELF), &allowed));
    }
}

static void the_own_host_is_the_requests_with_its_port(void **state)
{
    static const struct {
        const char *target;
        const char *host;
        bool is_allowed;
    } cases[] = {
        {"https://h:8443/x", "h:8443", true}, {"https://h/x", "h:8443", false},
        {"https://h/x", "h:443", true},       {"https://h/x", "h:80", false},
        {"http://h/x", "h:80", true},         {"https://[::1]:8443/x", "[::1]:8443", true},
        {"https://[::1]/x", "[::1]", true},   {"https://[::1]/x", "[::2]", false},
        {"https://h/x", "", false},           {"/x", "", true},
        {"https://h/x", "h,h", false},        {"https://h/x", "u@h", false},
    };
    static const struct config_list none = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            url_is_allowed_target(text_of(cases[i].target), text_of(cases[i].host), &none),
            cases[i].is_allowed);
    }
}

static void hosts_are_names_or_literals_with_a_port(void **state)
{
    static const char *const good[] = {
        "example.org",      "EXAMPLE.org",      "localhost",        "a-b.c_d", "example.org.",
        "example.org:8080", "127.0.0.1",        "127.0.0.1:1",      "[::1]",   "[::1]:80",
        "h:65535",          "xn--wrfel-kva.de", "[::ffff:1.2.3.4]",
    };
    static const char *const bad[] = {
        "",
        ".",
        "a..b",
        ".a",
        "a,b",
        "a b",
        "a/b",
        "u@h",
        "h:",
        "h:0",
        "h:080",
        "h:65536",
        "h:+1",
        "h:x",
        ":80",
        "h:80:80",
        "::1",
        "[::1",
        "::1]",
        "[::1]x",
        "[1.2.3.4]",
        "[]",
        "[fe80::1%25eth0]",
        "a\tb",
        "a%41",
        "a\\b",
        "w\xc3\xbcrfel.de",
        "h#x",
        "h?x",
        "a\r\nb",
        "*",
        "*.a.test",
        "[v1.x]",
        "h:80 ",
        "a234567890123456789012345678901234567890123456789012345678901234.test",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!url_is_host(text_of(good[i]))) {
            fail_msg("refused: %s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (url_is_host(text_of(bad[i]))) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    assert_false(url_is_host(TEXT("a\0b")));
}

static void origins_must_be_the_own_host(void **state)
{
    static const struct {
        const char *origin;
        const char *host;
        bool https;
        bool is_own;
    } cases[] = {
        {"https://h.test", "h.test", true, true},
        {"https://H.test", "h.TEST", true, true},
        {"https://h.test:443", "h.test", true, true},
        {"https://h.test", "h.test:443", true, true},
        {"http://h.test", "h.test", false, true},
        {"http://h.test", "h.test:80", false, true},
        {"http://h.test:8080", "h.test:8080", false, true},
        {"https://h.test", "h.test", false, true}, /* TLS ended in front of the server */
        {"http://h.test", "h.test", true, false},
        {"http://h.test:443", "h.test", true, false},
        {"https://h.test:8443", "h.test", true, false},
        {"https://h.test", "h.test:8443", true, false},
        {"http://h.test:8080", "h.test:8081", false, false},
        {"https://sub.h.test", "h.test", true, false},
        {"https://h.test", "sub.h.test", true, false},
        {"https://h.test.evil.test", "h.test", true, false},
        {"https://evil.test", "h.test", true, false},
        {"https://u@h.test", "h.test", true, false},
        {"https://h.test/", "h.test", true, false},
        {"https://h.test https://evil.test", "h.test", true, false},
        {"null", "h.test", true, false},
        {"null", "h.test", false, false},
        {"null", "null", true, false},
        {"", "h.test", true, false},
        {"", "", true, false},
        {"https://", "", true, false},
        {"https://h.test", "", true, false},
        {"h.test", "h.test", true, false},
        {"HTTPS://h.test", "h.test", true, false},
        {"chrome-extension://h.test", "h.test", true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (url_is_origin(text_of(cases[i].origin), cases[i].https, text_of(cases[i].host)) !=
            cases[i].is_own) {
            fail_msg("case %zu: %s at %s", i, cases[i].origin, cases[i].host);
        }
    }
}

static void plain_bytes_are_taken_up_to_the_next_escape(void **state)
{
    (void)state;
    static const struct {
        struct text text;
        size_t plain;
    } cases[] = {
        {TEXT_INIT(""), 0},     {TEXT_INIT("/a+b"), 4}, {TEXT_INIT("/a%20b"), 2},
        {TEXT_INIT("%20b"), 0}, {TEXT_INIT("a\0%"), 2}, {TEXT_INIT("%"), 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text rest = cases[i].text;
        struct text plain = url_take_plain(&rest);
        assert_int_equal(plain.len, cases[i].plain);
        assert_int_equal(rest.len, cases[i].text.len - plain.len);
        assert_true(text_equal(text_from(cases[i].text, plain.len), rest));
        assert_int_equal(url_take_plain(&rest).len, 0);
    }
}

static void bytes_are_taken_with_their_escapes(void **state)
{
    struct text rest = TEXT("a%4a%Ff%zz");
    static const struct {
        unsigned char byte;
        bool escaped;
    } expected[] = {{'a', false}, {'J', true}, {0xff, true}};
    unsigned char byte = 0;
    bool escaped = false;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(url_take_byte(&rest, &byte, &escaped));
        assert_int_equal(byte, expected[i].byte);
        assert_int_equal(escaped, expected[i].escaped);
    }
    assert_false(url_take_byte(&rest, &byte, &escaped));
    assert_true(text_is(rest, "%zz"));
    rest = TEXT("%4");
    assert_false(url_take_byte(&rest, &byte, &escaped));
    rest = TEXT("%4\0");
    assert_false(url_take_byte(&rest, &byte, &escaped));
    rest = TEXT("");
    assert_false(url_take_byte(&rest, &byte, &escaped));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evil_targets_are_refused_as_sent_and_decoded_once),
        cmocka_unit_test(good_targets_are_taken),
        cmocka_unit_test(targets_have_a_longest_length),
        cmocka_unit_test(no_nul_is_overlooked_in_a_target),
        cmocka_unit_test(the_own_host_is_the_requests_with_its_port),
        cmocka_unit_test(hosts_are_names_or_literals_with_a_port),
        cmocka_unit_test(origins_must_be_the_own_host),
        cmocka_unit_test(plain_bytes_are_taken_up_to_the_next_escape),
        cmocka_unit_test(bytes_are_taken_with_their_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
