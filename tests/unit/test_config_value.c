#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config_value.h"
#include "scratch.h"

/* Values of one key, each alone in a file. */
static void check_values(const char *section, const char *key, const char *const *values, bool good)
{
    char content[512];
    for (; *values != NULL; values++) {
        char error[CONFIG_ERROR_MAX];
        struct config *config = NULL;
        int len = snprintf(content, sizeof content, "[%s]\n%s = %s\n", section, key, *values);
        assert_true(len > 0 && (size_t)len < sizeof content);
        enum status status = config_load(scratch_write("latchkey.conf", content), &config, error);
        if (status != (good ? OK : ERR_INPUT)) {
            fail_msg("%s.%s = %s: %s", section, key, *values, good ? error : "accepted");
        }
        config_free(&config);
    }
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"

static void paths_of_the_pages_have_one_spelling(void **state)
{
    (void)state;
    static const char *const good[] = {"/a", "/auth", "/a/b.c/d_e~f-G", "/...", "/.a", NULL};
    static const char *const bad[] = {"",       "/",    "auth",  "/auth/",   "//auth",    "/a//b",
                                      "/a/./b", "/..",  "/a/..", "/a b",     "/a%20b",    "/a?b",
                                      "/a#b",   "/a;b", "/a\\b", "http://a", "/\xc3\xa4", NULL};
    check_values("site", "path", good, true);
    check_values("site", "path", bad, false);
}

static void host_lists_take_hosts_ports_and_stars(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "a.b",
                                       "localhost:8080",
                                       "*.example.org",
                                       "xn--mhle-0ra.de",
                                       "192.0.2.1",
                                       "a, b ,,c\td",
                                       "a:1 b:65535",
                                       "*.a.org:8443",
                                       LABEL_63,
                                       NULL};
    static const char *const bad[] = {
        "*",   "*.",      "a.*",   "*a.org",      "*.a.org:",   "*:80",
        "a.",  ".a",      "a..b",  "-a",          "a-",         "a_b",
        "a:",  "a:0",     "a:080", "a:65536",     "a:b",        "a/b",
        "a@b", "[::1]",   "*.*.a", "*.192.0.2.1", LABEL_63 "x", "m\xc3\xbchle.de",
        "a|b", "a:80:81", NULL};
    check_values("site", "return_hosts", good, true);
    check_values("site", "return_hosts", bad, false);
}

static void the_sites_address_is_scheme_host_and_port(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "https://example.org",
                                       "http://example.org",
                                       "https://EXAMPLE.org",
                                       "https://localhost:8080",
                                       "http://192.0.2.1:1",
                                       "https://xn--mhle-0ra.de:65535",
                                       NULL};
    static const char *const bad[] = {"example.org",
                                      "//example.org",
                                      "https:",
                                      "https://",
                                      "https:///",
                                      "https://example.org/",
                                      "https://example.org/auth",
                                      "https://example.org?a",
                                      "https://example.org#a",
                                      "https://user@example.org",
                                      "https://user:word@example.org",
                                      "https://*.example.org",
                                      "https://*",
                                      "https://example.org:0",
                                      "https://example.org:65536",
                                      "https://example.org:",
                                      "https://-a.org",
                                      "https://a b",
                                      "https://a,b",
                                      "https://a\"b",
                                      "https://m\xc3\xbchle.de",
                                      "HTTPS://example.org",
                                      "ftp://example.org",
                                      "javascript://example.org",
                                      "https://https://example.org",
                                      NULL};
    check_values("site", "url", good, true);
    check_values("site", "url", bad, false);
}

static void proxies_are_addresses_and_blocks(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",      "127.0.0.1",      "10.0.0.0/8",        "0.0.0.0/0", "::1", "2001:db8::/128",
        "unix:", "::ffff:1.2.3.4", "::ffff:1.2.3.4/96", "::1,unix:", NULL};
    static const char *const bad[] = {"proxy.example.org",
                                      "10.0.0",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "/8",
                                      "::1/129",
                                      "::ffff:1.2.3.4/95",
                                      "::1.2.3.4.5",
                                      "1111:2222:3333:4444:5555:6666:255.255.255.2555",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/8/8",
                                      "unix",
                                      "unix:/x",
                                      "[::1]",
                                      "fe80::1%lo",
                                      "127.0.0.1:80",
                                      "010.0.0.1",
                                      "*",
                                      NULL};
    check_values("site", "trusted_proxies", good, true);
    check_values("site", "trusted_proxies", bad, false);
}

static void cookie_domains_are_host_names(void **state)
{
    (void)state;
    static const char *const good[] = {"", "example.org", "a.b.c.example.org", "EXAMPLE.org", NULL};
    static const char *const bad[] = {".example.org", "example.org.", "192.0.2.1", "a.7",  "a b",
                                      "a;b",          "a,b",          "*.a.org",   "a:80", NULL};
    check_values("session", "cookie_domain", good, true);
    check_values("session", "cookie_domain", bad, false);
}

static void durations_have_a_unit_and_sizes_may(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds, bytes; /* -1: refused */
    } cases[] = {
        {"90s", 90, -1},
        {"30m", 1800, -1},
        {"12h", 43200, -1},
        {"30d", 2592000, -1},
        {"0s", 0, -1},
        {"90", -1, 90},
        {"64K", -1, 65536},
        {"19M", -1, 19922944},
        {"1G", -1, 1 << 30},
        {"0", -1, 0},
        {"", -1, -1},
        {"s", -1, -1},
        {"K", -1, -1},
        {"-1s", -1, -1},
        {"+1", -1, -1},
        {" 1s", -1, -1},
        {"1 s", -1, -1},
        {"1s ", -1, -1},
        {"1.5h", -1, -1},
        {"1h30m", -1, -1},
        {"1M5", -1, -1},
        {"1w", -1, -1},
        {"1S", -1, -1},
        {"64k", -1, -1},
        {"64KB", -1, -1},
        {"0x10", -1, -1},
        {"1e3", -1, -1},
        {"106751991167301d", -1, -1},
        {"8589934592G", -1, -1},
        {"9223372036854775808", -1, -1},
        {"9223372036854775807", -1, INT64_MAX},
        {"9223372036854775807s", INT64_MAX, -1},
        {"8589934591G", -1, INT64_C(8589934591) << 30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = -1;
        uint64_t bytes = 4711;
        enum status status = config_parse_duration(text_of(cases[i].text), &seconds);
        if (status != (cases[i].seconds < 0 ? ERR_INPUT : OK) || seconds != cases[i].seconds) {
            fail_msg("duration %s", cases[i].text);
        }
        status = config_parse_size(text_of(cases[i].text), &bytes);
        if (status != (cases[i].bytes < 0 ? ERR_INPUT : OK) ||
            bytes != (cases[i].bytes < 0 ? 4711 : (uint64_t)cases[i].bytes)) {
            fail_msg("size %s", cases[i].text);
        }
    }
}

static void numbers_are_written_in_their_largest_unit(void **state)
{
    (void)state;
    static const struct {
        enum config_type type;
        uint64_t number;
        const char *text;
    } cases[] = {
        {CONFIG_NUMBER, 0, "0"},
        {CONFIG_NUMBER, 86400, "86400"},
        {CONFIG_NUMBER, UINT64_MAX, "18446744073709551615"},
        {CONFIG_SIZE, 0, "0"},
        {CONFIG_SIZE, 1000, "1000"},
        {CONFIG_SIZE, 1536, "1536"},
        {CONFIG_SIZE, 65536, "64K"},
        {CONFIG_SIZE, 1 << 30, "1G"},
        {CONFIG_DURATION, 0, "0s"},
        {CONFIG_DURATION, 90, "90s"},
        {CONFIG_DURATION, 900, "15m"},
        {CONFIG_DURATION, 7200, "2h"},
        {CONFIG_DURATION, 86400, "1d"},
        {CONFIG_DURATION, 90000, "25h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[CONFIG_NUMBER_TEXT_MAX];
        config_value_print_number(cases[i].type, cases[i].number, out);
        assert_string_equal(out, cases[i].text);
    }
}

static void a_refused_value_leaves_the_old_one(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    struct text culprit = {0};
    const char *path = scratch_write("latchkey.conf", "[site]\nreturn_hosts = a.org\n");
    assert_int_equal(config_load(path, &config, error), OK);
    const struct config_key *key = config_key_find("site", "return_hosts");
    assert_int_equal(config_value_set(key, TEXT("b.org, c org/"), config, &culprit), ERR_INPUT);
    assert_true(text_is(culprit, "org/"));
    assert_int_equal(config->site.return_hosts.count, 1);
    assert_string_equal(config->site.return_hosts.items[0], "a.org");
    key = config_key_find("site", "path");
    assert_int_equal(config_value_set(key, TEXT("/b/"), config, &culprit), ERR_INPUT);
    assert_string_equal(config->site.path, "/auth");
    key = config_key_find("session", "idle");
    assert_int_equal(config_value_set(key, TEXT("0s"), config, &culprit), ERR_INPUT);
    assert_int_equal(config->session.idle_s, 7200);
    config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_the_pages_have_one_spelling),
        cmocka_unit_test(host_lists_take_hosts_ports_and_stars),
        cmocka_unit_test(the_sites_address_is_scheme_host_and_port),
        cmocka_unit_test(proxies_are_addresses_and_blocks),
        cmocka_unit_test(cookie_domains_are_host_names),
        cmocka_unit_test(durations_have_a_unit_and_sizes_may),
        cmocka_unit_test(numbers_are_written_in_their_largest_unit),
        cmocka_unit_test(a_refused_value_leaves_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
