/* Who asks, behind proxies: only the end of X-Forwarded-For that was written by one of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/client.h"
#include "request_arena.h"

static const char *get_client(struct arena *arena, const char *address, const char *forwarded,
                              const struct config_list *proxies)
{
    struct field params[] = {
        {TEXT("HTTP_X_REAL_IP"), TEXT("9.9.9.9")},
        {TEXT("HTTP_FORWARDED"), TEXT("for=9.9.9.9")},
        {TEXT("HTTP_CLIENT_IP"), TEXT("9.9.9.9")},
        {TEXT("HTTP_X_FORWARDED_FOR"), text_of(forwarded)},
    };
    struct request request = {
        .arena = arena,
        .address = text_of(address),
        .params = {params, forwarded != NULL ? 4 : 3},
    };
    return arena_copy(arena, client_address(&request, proxies));
}

static void nobody_is_believed_when_no_proxy_is_trusted(void **state)
{
    static const char *const forwarded[] = {NULL, "", "127.0.0.1", "1.2.3.4, 5.6.7.8", "garbage"};
    struct config_list nobody = {.count = 0};
    struct arena *arena = *state;
    for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++) {
        assert_string_equal(get_client(arena, "192.0.2.1", forwarded[i], &nobody), "192.0.2.1");
        assert_string_equal(get_client(arena, "unix:", forwarded[i], &nobody), "unix:");
    }
}

static void the_rightmost_address_that_is_not_ours_counts(void **state)
{
    static char block[] = "10.0.0.0/8";
    static char server[] = "unix:";
    static char six[] = "fd00::/8";
    static const struct {
        const char *address;
        const char *forwarded;
        const char *client;
    } cases[] = {
        {"10.0.0.1", NULL, "10.0.0.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9", "203.0.113.9"},
        {"::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"},
        {"fd00::1", "203.0.113.9", "203.0.113.9"},
        {"unix:", "203.0.113.9", "203.0.113.9"},
        {"unix:", NULL, "unix:"},
        {"192.0.2.1", "203.0.113.9", "192.0.2.1"},
        {"10.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", "127.0.0.1,203.0.113.9\t,10.2.2.2 , fd00::2", "203.0.113.9"},
        {"10.0.0.1", "198.51.100.1, 10.5.5.5, 203.0.113.9, 10.2.2.2", "203.0.113.9"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", "127.0.0.1, ::ffff:10.0.0.2", "127.0.0.1"},
        {"10.0.0.1", "2001:DB8:0::9", "2001:db8::9"},
        {"10.0.0.1", "203.0.113.9, garbage", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9, garbage, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "203.0.113.9,", "10.0.0.1"},
        {"10.0.0.1", ",", "10.0.0.1"},
        {"10.0.0.1", "fe80::1%eth0", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9:4711", "10.0.0.1"},
        {"10.0.0.1", "[2001:db8::9]", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9, unix:", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9 10.0.0.2", "10.0.0.1"},
    };
    struct config_list proxies = {.items = {block, server, six}, .count = 3};
    struct arena *arena = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(get_client(arena, cases[i].address, cases[i].forwarded, &proxies),
                            cases[i].client);
    }
}

static void a_server_on_a_unix_socket_is_trusted_only_by_name(void **state)
{
    static char all[] = "0.0.0.0/0";
    struct config_list proxies = {.items = {all}, .count = 1};
    assert_string_equal(get_client(*state, "unix:", "203.0.113.9", &proxies), "unix:");
}

static void a_long_list_is_walked_to_its_left_end(void **state)
{
    static char all[] = "0.0.0.0/0";
    struct config_list proxies = {.items = {all}, .count = 1};
    static const char hop[] = ", 10.0.0.1";
    char forwarded[10 * 1024] = "203.0.113.9";
    for (size_t len = strlen(forwarded); len + sizeof hop <= sizeof forwarded;
         len += sizeof hop - 1) {
        memcpy(forwarded + len, hop, sizeof hop);
    }
    assert_string_equal(get_client(*state, "10.0.0.1", forwarded, &proxies), "203.0.113.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_believed_when_no_proxy_is_trusted),
        cmocka_unit_test(the_rightmost_address_that_is_not_ours_counts),
        cmocka_unit_test(a_server_on_a_unix_socket_is_trusted_only_by_name),
        cmocka_unit_test(a_long_list_is_walked_to_its_left_end),
    };
    return cmocka_run_group_tests(tests, request_arena_set_up, request_arena_tear_down);
}
