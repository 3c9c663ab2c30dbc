/* What an attempt at a password is counted in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/device.h"
#include "auth/throttling.h"
#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "scratch.h"

static struct config *config;
static struct keyring *keyring;
static const struct user nobody;
static const struct user alice = {.id = 7, .name = "alice"};
static const struct user bob = {.id = 8, .name = "bob"};

static int set_up(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX] = "";
    const char *secret = scratch_path("secret");
    if (config_load(scratch_write("test.conf", "[site]\nname = x\n"), &config, error) != OK) {
        fail_msg("%s", error);
    }
    (void)unlink(secret);
    assert_int_equal(keyring_create(secret), OK);
    assert_int_equal(keyring_open(secret, KEYS_ALL, &keyring), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keyring_free(&keyring);
    config_free(&config);
    return 0;
}

static void plan(const char *name, const struct user *user, const struct origin *origin,
                 struct throttling *out)
{
    const struct throttled who = {text_of(name), user, origin, NOON};
    assert_int_equal(throttling_plan(config, keyring, &who, out), OK);
}

static struct origin from(const char *address)
{
    return (struct origin){.address = text_of(address)};
}

static bool has_same_key(const struct throttling *a, const struct throttling *b, size_t i)
{
    return memcmp(a->counts[i].key, b->counts[i].key, THROTTLE_KEY_BYTES) == 0;
}

static void an_attempt_counts_for_account_and_network_together_and_for_each_alone(void **state)
{
    (void)state;
    const struct origin origin = from("192.0.2.7");
    struct throttling planned;
    plan("Alice", &alice, &origin, &planned);
    assert_int_equal(planned.count, 3);
    const struct {
        enum throttle_kind kind;
        const char *account, *network;
        uint64_t free;
        int64_t memory_s;
    } wanted[] = {
        {THROTTLE_ACCOUNT_AND_NETWORK, "alice", "192.0.2.7/32", 5, 900},
        {THROTTLE_NETWORK, "", "192.0.2.7/32", 50, 900},
        {THROTTLE_ACCOUNT, "alice", "", 100, 86400},
    };
    for (size_t i = 0; i < 3; i++) {
        const struct throttle_count *count = &planned.counts[i];
        assert_int_equal(count->kind, wanted[i].kind);
        assert_true(text_is(count->account, wanted[i].account));
        assert_true(text_is(count->network, wanted[i].network));
        assert_int_equal(count->free, wanted[i].free);
        assert_int_equal(count->first_s, 15);
        assert_int_equal(count->longest_s, 900);
        assert_int_equal(count->memory_s, wanted[i].memory_s);
    }
}

static void the_numbers_follow_the_configuration(void **state)
{
    (void)state;
    const struct origin origin = from("192.0.2.7");
    struct throttling planned;
    config->throttle.attempts = 1000000;
    config->throttle.window_s = 30;
    plan("alice", &alice, &origin, &planned);
    assert_int_equal(planned.counts[0].first_s, 1);
    assert_int_equal(planned.counts[0].longest_s, 30);
    assert_int_equal(planned.counts[2].free, 20000000);
    config->throttle.window_s = 30 * 86400;
    plan("alice", &alice, &origin, &planned);
    assert_int_equal(planned.counts[2].memory_s, 30 * 86400);
}

static void networks_are_the_first_bits_of_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        uint64_t ipv4_bits, ipv6_bits;
        const char *network;
    } cases[] = {
        {"192.0.2.7", 32, 64, "192.0.2.7/32"},
        {"192.0.2.255", 24, 64, "192.0.2.0/24"},
        {"192.0.2.255", 25, 64, "192.0.2.128/25"},
        {"192.15.2.255", 12, 64, "192.0.0.0/12"},
        {"255.255.255.255", 8, 64, "255.0.0.0/8"},
        {"::ffff:192.0.2.7", 32, 64, "192.0.2.7/32"},
        {"2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::/64"},
        {"2001:db8:1:ffff:3:4:5:6", 32, 56, "2001:db8:1:ff00::/56"},
        {"2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6/128"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 32, 127,
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
        {"unix:", 32, 64, "unix:"},
        {"", 32, 64, "unknown"},
        {"192.0.2.7, 192.0.2.8", 32, 64, "unknown"},
        {"fe80::1%eth0", 32, 64, "unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char network[THROTTLE_NETWORK_MAX + 1];
        config->throttle.ipv4_bits = cases[i].ipv4_bits;
        config->throttle.ipv6_bits = cases[i].ipv6_bits;
        throttling_print_network(config, text_of(cases[i].address), network);
        assert_string_equal(network, cases[i].network);
    }
}

static void each_account_and_network_has_counts_of_its_own(void **state)
{
    (void)state;
    const struct origin here = from("192.0.2.7");
    const struct origin there = from("192.0.2.8");
    struct throttling a;
    struct throttling b;
    plan("alice", &alice, &here, &a);
    plan("ALICE", &alice, &here, &b);
    assert_true(has_same_key(&a, &b, 0) && has_same_key(&a, &b, 1) && has_same_key(&a, &b, 2));
    plan("bob", &bob, &here, &b);
    assert_false(has_same_key(&a, &b, 0));
    assert_true(has_same_key(&a, &b, 1));
    assert_false(has_same_key(&a, &b, 2));
    plan("alice", &alice, &there, &b);
    assert_false(has_same_key(&a, &b, 0));
    assert_false(has_same_key(&a, &b, 1));
    assert_true(has_same_key(&a, &b, 2));
}

static void
names_that_nobody_has_are_counted_like_others_by_their_letters_without_case(void **state)
{
    (void)state;
    const struct origin origin = from("192.0.2.7");
    char long_name[301];
    struct throttling a;
    struct throttling b;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    plan("carol", &nobody, &origin, &a);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.counts[0].account.len, 0);
    plan("CaRoL", &nobody, &origin, &b);
    assert_true(has_same_key(&a, &b, 0) && has_same_key(&a, &b, 2));
    plan("alice", &alice, &origin, &b);
    assert_int_equal(a.counts[0].free, b.counts[0].free);
    assert_int_equal(a.counts[2].free, b.counts[2].free);
    plan("carol ", &nobody, &origin, &b);
    assert_false(has_same_key(&a, &b, 0));
    plan(long_name, &nobody, &origin, &a);
    assert_int_equal(a.count, 3);
    long_name[299] = 'y';
    plan(long_name, &nobody, &origin, &b);
    assert_false(has_same_key(&a, &b, 0));
    plan("", &nobody, &origin, &a);
    assert_int_equal(a.count, 3);
}

/* The number that a key is, when it is one of those that names without a user share; -1: it is not.
 */
static int shared_number(const uint8_t key[THROTTLE_KEY_BYTES])
{
    static const uint8_t zeros[THROTTLE_KEY_BYTES];
    bool shared = memcmp(key + 2, zeros, THROTTLE_KEY_BYTES - 2) == 0;
    return shared ? key[0] << 8 | key[1] : -1;
}

static void names_that_nobody_has_share_65536_counts_of_accounts(void **state)
{
    (void)state;
    static bool met[65536];
    const struct origin origin = from("192.0.2.7");
    struct throttling planned;
    int count = 0;
    for (int i = 0; i < 20000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "made-up-%d", i);
        plan(name, &nobody, &origin, &planned);
        assert_int_equal(shared_number(planned.counts[0].key), -1);
        int number = shared_number(planned.counts[2].key);
        assert_in_range(number, 0, 65535);
        count += met[number] ? 0 : 1;
        met[number] = true;
    }
    assert_in_range(count, 16000, 18500); /* spread over all: 65536 * (1 - e^(-20000/65536)) */
    for (int64_t id = 1; id <= 2000; id++) {
        const struct user user = {.id = id, .name = "alice"};
        plan("alice", &user, &origin, &planned);
        assert_int_equal(shared_number(planned.counts[2].key), -1);
    }
}

static void which_names_share_a_count_depends_on_the_secret(void **state)
{
    (void)state;
    const struct origin origin = from("192.0.2.7");
    struct throttling before;
    struct throttling after;
    int same = 0;
    for (int i = 0; i < 50; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "made-up-%d", i);
        plan(name, &nobody, &origin, &before);
        (void)tear_down(state);
        (void)set_up(state);
        plan(name, &nobody, &origin, &after);
        same += has_same_key(&before, &after, 2) ? 1 : 0;
    }
    assert_true(same < 5);
}

static void keys_tell_nothing_without_the_secret(void **state)
{
    (void)state;
    const struct origin origin = from("192.0.2.7");
    struct throttling a;
    struct throttling b;
    plan("alice", &alice, &origin, &a);
    assert_int_equal(keyring_revoke(scratch_path("secret")), OK);
    assert_int_equal(keyring_refresh(keyring), OK);
    plan("alice", &alice, &origin, &b);
    assert_false(has_same_key(&a, &b, 0) || has_same_key(&a, &b, 1) || has_same_key(&a, &b, 2));
}

static void without_a_secret_nothing_is_tried(void **state)
{
    (void)state;
    const struct origin origin = from("192.0.2.7");
    const struct throttled who = {TEXT("alice"), &alice, &origin, NOON};
    struct throttling planned;
    assert_int_equal(unlink(scratch_path("secret")), 0);
    assert_int_not_equal(keyring_refresh(keyring), OK);
    assert_int_equal(throttling_plan(config, keyring, &who, &planned), ERR_NOT_FOUND);
    assert_int_equal(planned.count, 0);
}

/* A cookie by which a browser is known to have signed in to the account. */
static struct text make_device(const struct user *user, int64_t issued_s,
                               char out[TOKEN_TEXT_MAX + 1])
{
    struct token token;
    assert_int_equal(device_new(user, issued_s, &token), OK);
    assert_int_equal(token_encode(keyring, &token, out), OK);
    return text_of(out);
}

static bool is_known(const struct text *cookies, size_t count, const struct user *user)
{
    struct throttling planned;
    const struct origin origin = {
        .address = TEXT("192.0.2.7"), .devices = cookies, .device_count = count};
    plan("x", user, &origin, &planned);
    if (planned.count == 1) {
        assert_int_equal(planned.counts[0].kind, THROTTLE_BROWSER);
        assert_int_equal(planned.counts[0].free, 5);
        return true;
    }
    assert_int_equal(planned.count, 3);
    return false;
}

static void a_known_browser_has_a_count_of_its_own_and_no_other(void **state)
{
    (void)state;
    char first[TOKEN_TEXT_MAX + 1];
    char second[TOKEN_TEXT_MAX + 1];
    struct text cookies[] = {make_device(&alice, NOON, first), make_device(&alice, NOON, second)};
    struct throttling a;
    struct throttling b;
    struct origin origin = {
        .address = TEXT("192.0.2.7"), .devices = &cookies[0], .device_count = 1};
    plan("alice", &alice, &origin, &a);
    assert_int_equal(a.count, 1);
    assert_true(text_is(a.counts[0].account, "alice"));
    origin.address = TEXT("198.51.100.1"); /* it may travel */
    plan("Alice", &alice, &origin, &b);
    assert_true(has_same_key(&a, &b, 0));
    origin.devices = &cookies[1];
    plan("alice", &alice, &origin, &b);
    assert_false(has_same_key(&a, &b, 0));
}

static void a_device_token_is_good_for_its_user_and_time_only(void **state)
{
    (void)state;
    const struct user zero = {.id = 0};
    static const struct {
        int64_t user_id, issued_s;
        bool known;
    } cases[] = {
        {7, NOON, true},
        {7, NOON - DEVICE_LIFE_S + 1, true},
        {7, NOON - DEVICE_LIFE_S, false},
        {7, 0, false},
        {7, NOON + CLOCK_SKEW_S, true},
        {7, NOON + CLOCK_SKEW_S + 1, false},
        {7, INT64_MAX, false},
        {8, NOON, false},
        {0, NOON, false},
        {7 + (INT64_C(1) << 32), NOON, false},
    };
    char written[TOKEN_TEXT_MAX + 1];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct user user = alice;
        user.id = cases[i].user_id;
        struct text cookie = make_device(&user, cases[i].issued_s, written);
        if (is_known(&cookie, 1, &alice) != cases[i].known) {
            fail_msg("case %zu", i);
        }
        assert_false(is_known(&cookie, 1, &zero));
    }
}

static void a_device_token_dies_with_the_salt_of_its_user(void **state)
{
    (void)state;
    struct user changed = alice;
    char written[TOKEN_TEXT_MAX + 1];
    struct text cookie = make_device(&alice, NOON, written);
    assert_true(is_known(&cookie, 1, &alice));
    for (size_t i = 0; i < sizeof changed.salt; i++) {
        changed.salt[i] ^= 1;
        assert_false(is_known(&cookie, 1, &changed));
        changed.salt[i] ^= 1;
    }
    assert_true(is_known(&cookie, 1, &changed));
}

static void tokens_of_other_kinds_and_garbage_make_no_known_browser(void **state)
{
    (void)state;
    static const enum token_kind kinds[] = {TOKEN_ANONYMOUS, TOKEN_STORED, TOKEN_CACHED,
                                            TOKEN_SEALED};
    char written[TOKEN_TEXT_MAX + 1];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct token token;
        assert_int_equal(device_new(&alice, NOON, &token), OK);
        token.kind = kinds[i];
        assert_int_equal(token_encode(keyring, &token, written), OK);
        struct text cookie = text_of(written);
        assert_false(is_known(&cookie, 1, &alice));
    }
    struct text cookies[9] = {TEXT(""), TEXT("x"), {NULL, 0}};
    cookies[3] = make_device(&alice, NOON, written);
    assert_true(is_known(cookies, 4, &alice));
    assert_false(is_known(cookies, 3, &alice));
    cookies[8] = cookies[3];
    cookies[3] = TEXT("x");
    assert_false(is_known(cookies, 9, &alice)); /* too many */
    for (size_t i = 0; i < cookies[8].len; i++) {
        char before = written[i];
        written[i] = before == 'A' ? 'B' : 'A';
        assert_false(is_known(&cookies[8], 1, &alice));
        written[i] = before;
    }
    assert_true(is_known(&cookies[8], 1, &alice));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_attempt_counts_for_account_and_network_together_and_for_each_alone),
        TEST(the_numbers_follow_the_configuration),
        TEST(networks_are_the_first_bits_of_addresses),
        TEST(each_account_and_network_has_counts_of_its_own),
        TEST(names_that_nobody_has_are_counted_like_others_by_their_letters_without_case),
        TEST(names_that_nobody_has_share_65536_counts_of_accounts),
        TEST(which_names_share_a_count_depends_on_the_secret),
        TEST(keys_tell_nothing_without_the_secret),
        TEST(without_a_secret_nothing_is_tried),
        TEST(a_known_browser_has_a_count_of_its_own_and_no_other),
        TEST(a_device_token_is_good_for_its_user_and_time_only),
        TEST(a_device_token_dies_with_the_salt_of_its_user),
        TEST(tokens_of_other_kinds_and_garbage_make_no_known_browser),
    };
    log_open("test_throttling", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
