/* Words for browsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/agent.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define IOS    "AppleWebKit/605.1.15 (KHTML, like Gecko) "
#define WIN    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define MAC    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define LINUX  "Mozilla/5.0 (X11; Linux x86_64) "
#define PHONE  "Mozilla/5.0 (Linux; Android 10; K) "
#define IPHONE "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) "
#define IPAD   "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) "

static const struct {
    const char *agent, *words;
} known[] = {
    {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
    {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
     "Firefox on Linux"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
     "Firefox on Windows"},
    {"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:52.0) Gecko/20100101 Firefox/52.0",
     "Firefox on Windows"},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0",
     "Firefox on macOS"},
    {"Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", "Firefox on Android"},
    {"Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0",
     "Firefox on FreeBSD"},
    {"Mozilla/5.0 (X11; OpenBSD amd64; rv:109.0) Gecko/20100101 Firefox/115.0",
     "Firefox on OpenBSD"},
    {IPHONE IOS "FxiOS/128.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"},
    {IPAD IOS "FxiOS/128.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPad"},
    {IPHONE IOS "Focus/9.0 Mobile/15E148", "Firefox on iPhone"},
    {LINUX WEBKIT "Chrome/126.0.0.0 Safari/537.36", "Chrome on Linux"},
    {WIN WEBKIT "Chrome/126.0.0.0 Safari/537.36", "Chrome on Windows"},
    {MAC WEBKIT "Chrome/126.0.0.0 Safari/537.36", "Chrome on macOS"},
    {PHONE WEBKIT "Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome on Android"},
    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/126.0.0.0 Safari/537.36",
     "Chrome on ChromeOS"},
    {"Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) " WEBKIT
     "Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36",
     "Chrome on Android"},
    {IPHONE IOS "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome on iPhone"},
    {IPAD IOS "CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1", "Chrome on iPad"},
    {LINUX WEBKIT "HeadlessChrome/126.0.0.0 Safari/537.36", "Chrome on Linux"},
    {LINUX WEBKIT "Ubuntu Chromium/80.0.3987.87 Chrome/80.0.3987.87 Safari/537.36",
     "Chromium on Linux"},
    {WIN WEBKIT "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on Windows"},
    {MAC WEBKIT "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on macOS"},
    {LINUX WEBKIT "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "Edge on Linux"},
    {PHONE WEBKIT "Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0", "Edge on Android"},
    {IPHONE IOS "Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/604.1", "Edge on iPhone"},
    {WIN WEBKIT "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763", "Edge on Windows"},
    {WIN WEBKIT "Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0", "Opera on Windows"},
    {PHONE WEBKIT "Chrome/126.0.0.0 Mobile Safari/537.36 OPR/83.0.0.0", "Opera on Android"},
    {IPHONE IOS "Version/17.5 Mobile/15E148 Safari/604.1 OPT/4.8.0", "Opera on iPhone"},
    {"Opera/9.80 (Windows NT 6.1; U; en) Presto/2.12.388 Version/12.18", "Opera on Windows"},
    {"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) " WEBKIT
     "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
     "Samsung Internet on Android"},
    {MAC IOS "Version/17.5 Safari/605.1.15", "Safari on macOS"},
    {IPHONE IOS "Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"},
    {IPAD IOS "Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPad"},
    {"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5 like Mac OS X) " IOS
     "Version/12.1 Mobile/15E148 Safari/604.1",
     "Safari on iPod"},
    {"Mozilla/5.0 (iPad; U; CPU OS 3_2 like Mac OS X; en-us) AppleWebKit/531.21.10 (KHTML, like "
     "Gecko) Version/4.0.4 Mobile/7B334b Safari/531.21.10",
     "Safari on iPad"},
    {IPHONE IOS "Mobile/15E148", "Browser on iPhone"},
    {IPHONE IOS "Mobile/15E148 DuckDuckGo/7 Safari/605.1.15", "DuckDuckGo on iPhone"},
    {MAC IOS "Version/17.5 Safari/605.1.15 Ddg/17.5", "DuckDuckGo on macOS"},
    {"Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; GT-I9100) AppleWebKit/534.30 (KHTML, like "
     "Gecko) Version/4.0 Mobile Safari/534.30",
     "Browser on Android"},
    {"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
     "Internet Explorer on Windows"},
    {"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
     "Internet Explorer on Windows"},
    {"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) " WEBKIT
     "Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
     "Edge on Windows Phone"},
    {WIN WEBKIT "Chrome/126.0.0.0 Safari/537.36 Vivaldi/6.8.3381.46", "Vivaldi on Windows"},
    {WIN WEBKIT "Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36", "Yandex Browser on Windows"},
    {LINUX IOS "Version/17.0 Safari/605.1.15 Epiphany/605.1.15", "GNOME Web on Linux"},
    {LINUX WEBKIT "Falkon/23.08 Chrome/112.0.5615.213 Safari/537.36", "Falkon on Linux"},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0 SeaMonkey/2.53.18",
     "SeaMonkey on Linux"},
    {"Mozilla/5.0 (Linux; Android 9; KFMAWI) " WEBKIT
     "Silk/108.4 like Chrome/108.0.5359.160 Safari/537.36",
     "Silk on Android"},
    {"Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
     "Firefox on KaiOS"},
    {"curl/8.8.0", "curl"},
    {"curl/7.29.0 (x86_64-redhat-linux-gnu) libcurl/7.29.0", "curl"},
    {"Wget/1.21.4", "Wget"},
    {"Wget/1.20.3 (linux-gnu)", "Wget"},
    {"HTTPie/3.2.2", "HTTPie"},
    {"python-requests/2.32.3", "Python"},
    {"Go-http-client/1.1", "Go"},
    {"Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8", "Lynx"},
    {"w3m/0.5.3+git20230121", "w3m"},
    {"Links (2.29; Linux 6.1.0 x86_64; GNU C 12.2; text)", "Links"},
};

static void known_browsers_have_their_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char words[AGENT_WORDS_MAX];
        agent_describe(text_of(known[i].agent), words);
        if (strcmp(words, known[i].words) != 0) {
            fail_msg("%s: \"%s\" and not \"%s\"", known[i].agent, words, known[i].words);
        }
    }
}

static void what_is_not_known_is_said_so(void **state)
{
    (void)state;
    static const struct text unknown[] = {
        {NULL, 0},
        TEXT_INIT(""),
        TEXT_INIT(" "),
        TEXT_INIT("Mozilla/5.0"),
        TEXT_INIT("Mozilla/5.0 (X11; Linux x86_64)"),
        TEXT_INIT("NotFirefox/1.0"),
        TEXT_INIT("xcurl/1"),
        TEXT_INIT("firefox/1.0"),
        TEXT_INIT("Firefox"),
        TEXT_INIT("<script>alert(1)</script>"),
        TEXT_INIT("%s%n%s"),
        TEXT_INIT("\0\0\0\0"),
        TEXT_INIT("\xff\xfe\x80\x81\x0d\x0a"),
        TEXT_INIT("Fire\0fox/1.0"),
    };
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        char words[AGENT_WORDS_MAX];
        agent_describe(unknown[i], words);
        assert_string_equal(words, "Unknown browser");
    }
}

static void nothing_of_the_header_itself_is_repeated(void **state)
{
    (void)state;
    char words[AGENT_WORDS_MAX];
    agent_describe(TEXT("\x1b[31m Firefox/\xff\0\r\nSet-Cookie: x (<b>Linux\x07"), words);
    assert_string_equal(words, "Firefox on Linux");
}

static void the_longest_words_fit(void **state)
{
    (void)state;
    char words[AGENT_WORDS_MAX];
    agent_describe(TEXT("MSIE 9 (Windows Phone"), words);
    assert_string_equal(words, "Internet Explorer on Windows Phone");
}

static void only_the_head_of_a_long_header_counts(void **state)
{
    (void)state;
    static char bytes[65536];
    char words[AGENT_WORDS_MAX];
    static const char browser[] = "Firefox/1 (Linux";
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes + 512 - 16, browser, 16);
    agent_describe((struct text){bytes, sizeof bytes}, words);
    assert_string_equal(words, "Firefox on Linux");
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes + 512 - 15, browser, 16);
    agent_describe((struct text){bytes, sizeof bytes}, words);
    assert_string_equal(words, "Firefox");
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes + 512, browser, 16);
    agent_describe((struct text){bytes, sizeof bytes}, words);
    assert_string_equal(words, "Unknown browser");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_browsers_have_their_words),
        cmocka_unit_test(what_is_not_known_is_said_so),
        cmocka_unit_test(nothing_of_the_header_itself_is_repeated),
        cmocka_unit_test(the_longest_words_fit),
        cmocka_unit_test(only_the_head_of_a_long_header_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
