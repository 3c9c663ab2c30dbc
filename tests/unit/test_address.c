/* One machine has one spelling, and a block holds its own family only. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"

static void addresses_get_one_spelling(void **state)
{
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
        {"::FFFF:0102:0304", "1.2.3.4"},
        {"0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address address;
        char spelled[ADDRESS_TEXT_MAX];
        assert_int_equal(address_parse(text_of(cases[i].text), &address), OK);
        address_print(&address, spelled);
        assert_string_equal(spelled, cases[i].canonical);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    const struct text cases[] = {
        TEXT(""),
        TEXT("unix:"),
        TEXT("1.2.3"),
        TEXT("1.2.3.4.5"),
        TEXT("01.2.3.4"),
        TEXT("1.2.3.256"),
        TEXT("1.2.3.4:80"),
        TEXT("[::1]"),
        TEXT("0x7f.1"),
        TEXT("2130706433"),
        TEXT("::1\0x"),
        TEXT("fe80::1%eth0"),
        TEXT(" 1.2.3.4"),
        TEXT("1.2.3.4 "),
        TEXT("1.2.3.4\0"),
        TEXT("localhost"),
        TEXT("1::2::3"),
        TEXT("12345::"),
        TEXT("1.2.3.4/32"),
        TEXT("::ffff:1.2.3"),
        TEXT("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address address = {.len = 99};
        assert_int_equal(address_parse(cases[i], &address), ERR_INPUT);
        assert_int_equal(address.len, 99);
    }
}

static void blocks_hold_what_shares_their_first_bits(void **state)
{
    static const struct {
        const char *block;
        const char *address;
        bool is_in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.2.3/8", "10.9.9.9", true},
        {"10.0.0.0/9", "10.127.255.255", true},
        {"10.0.0.0/9", "10.128.0.0", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "10.0.0.1", false},
        {"::/0", "::ffff:10.0.0.1", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.1/32", "10.0.0.1", true},
        {"10.0.0.1", "::ffff:10.0.0.1", true},
        {"::ffff:10.0.0.0/104", "10.2.3.4", true},
        {"::ffff:10.0.0.0/104", "11.2.3.4", false},
        {"::ffff:10.0.0.1", "10.0.0.1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1/128", "::1", true},
        {"::1/128", "::2", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address_block block;
        struct address address;
        assert_int_equal(address_parse_block(text_of(cases[i].block), &block), OK);
        assert_int_equal(address_parse(text_of(cases[i].address), &address), OK);
        assert_int_equal(address_is_in(&address, &block), cases[i].is_in);
    }
}

static void what_is_no_block_is_refused(void **state)
{
    static const char *const cases[] = {
        "",          "/",      "/8",          "10.0.0.0/",   "10.0.0.0/33",        "10.0.0.0/-1",
        "::/129",    "::/8/8", "10.0.0.0/8 ", "10.0.0.0/+8", "::ffff:10.0.0.0/95", "10/8",
        "a.b.c.d/8", "::/x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address_block block;
        assert_int_equal(address_parse_block(text_of(cases[i]), &block), ERR_INPUT);
    }
}

static void peers_of_sockets_are_the_addresses_that_people_write(void **state)
{
    struct sockaddr_storage peer = {0};
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct address four, six, mapped, wanted;
    (void)state;
    memcpy(&peer, &in, sizeof in);
    assert_int_equal(address_from_socket(&peer, &four), OK);
    memcpy(&peer, &in6, sizeof in6);
    assert_int_equal(address_from_socket(&peer, &six), OK);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr), 1);
    memcpy(&peer, &in6, sizeof in6);
    assert_int_equal(address_from_socket(&peer, &mapped), OK);
    assert_int_equal(address_parse(TEXT("127.0.0.1"), &wanted), OK);
    assert_true(address_equal(&four, &wanted));
    assert_true(address_equal(&mapped, &wanted));
    assert_false(address_equal(&six, &wanted));
    peer.ss_family = AF_UNIX;
    assert_int_equal(address_from_socket(&peer, &wanted), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_get_one_spelling),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(blocks_hold_what_shares_their_first_bits),
        cmocka_unit_test(what_is_no_block_is_refused),
        cmocka_unit_test(peers_of_sockets_are_the_addresses_that_people_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
