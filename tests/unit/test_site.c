/* What all web programs share: who is known at the door. */
#include "web/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/device.h"
#include "base/clock.h"
#include "policy.h"

static struct site site;
static struct store *admin;
static struct user alice;
static char device[TOKEN_TEXT_MAX + 1], anonymous[TOKEN_TEXT_MAX + 1];

/* The token of the user's browser, issued now, turned into one of that kind. */
static void make_token(enum token_kind kind, const struct user *user, char out[TOKEN_TEXT_MAX + 1])
{
    struct token token;
    int64_t now_s = 0;
    assert_int_equal(clock_get(&now_s), OK);
    assert_int_equal(device_new(user, now_s, &token), OK);
    token.kind = kind;
    assert_int_equal(token_encode(site.auth.keyring, &token, out), OK);
}

static int set_up(void **state)
{
    (void)state;
    site.config = policy_make();
    admin = database_open(STORE_ROLE_ADMIN);
    alice = policy_add_user(admin, "alice");
    assert_int_equal(auth_open(site.config, "login", STORE_ROLE_LOGIN, false, &site.auth), OK);
    make_token(TOKEN_DEVICE, &alice, device);
    make_token(TOKEN_ANONYMOUS, &alice, anonymous);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_close(&site.auth);
    store_close(&admin);
    config_free(&site.config);
    return 0;
}

static uint64_t known_by(const char *name, const char *value)
{
    const struct field cookies[] = {{TEXT("other"), TEXT("x")}, {text_of(name), text_of(value)}};
    const struct request request = {.cookies = {cookies, 2}};
    return site_known_as(&site, &request);
}

static const char *device_name(void)
{
    return config_device_cookie_name(site.config);
}

static void a_browser_with_a_device_token_is_known_as_its_user(void **state)
{
    (void)state;
    assert_int_equal(known_by(device_name(), device), alice.id);
}

static void a_device_token_of_a_former_password_makes_nobody_known(void **state)
{
    (void)state;
    assert_int_equal(users_set_password(admin, alice.id, "$new$", NOON), OK);
    assert_int_equal(known_by(device_name(), device), 0);
}

static void a_device_token_of_nobody_makes_nobody_known(void **state)
{
    (void)state;
    static const int64_t ids[] = {0, -1, 4711, INT64_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct user other = alice;
        other.id = ids[i];
        make_token(TOKEN_DEVICE, &other, device);
        assert_int_equal(known_by(device_name(), device), 0);
    }
}

static void while_the_database_is_away_nobody_is_known(void **state)
{
    (void)state;
    database_hide();
    assert_int_equal(known_by(device_name(), device), 0);
    database_show();
    assert_int_equal(known_by(device_name(), device), alice.id);
}

static void nobody_is_known_without_one(void **state)
{
    const struct request request = {0};
    (void)state;
    assert_int_equal(site_known_as(&site, &request), 0);
    assert_int_equal(known_by(device_name(), ""), 0);
    assert_int_equal(known_by(device_name(), "x"), 0);
    assert_int_equal(known_by(config_cookie_name(site.config), device), 0);
}

static void a_token_of_another_kind_makes_nobody_known(void **state)
{
    (void)state;
    assert_int_equal(known_by(device_name(), anonymous), 0);
}

static void a_device_token_that_was_changed_makes_nobody_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < strlen(device); i++) {
        char changed[TOKEN_TEXT_MAX + 1];
        memcpy(changed, device, sizeof changed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(known_by(device_name(), changed), 0);
    }
}

static void a_device_token_of_a_former_secret_makes_nobody_known(void **state)
{
    (void)state;
    assert_int_equal(unlink(config_secret_path(site.config)), 0);
    assert_int_equal(keyring_create(config_secret_path(site.config)), OK);
    assert_int_equal(known_by(device_name(), device), 0);
    make_token(TOKEN_DEVICE, &alice, device);
    assert_int_equal(known_by(device_name(), device), alice.id);
}

#define SITE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_browser_with_a_device_token_is_known_as_its_user),
        SITE_TEST(a_device_token_of_a_former_password_makes_nobody_known),
        SITE_TEST(a_device_token_of_nobody_makes_nobody_known),
        SITE_TEST(while_the_database_is_away_nobody_is_known),
        SITE_TEST(nobody_is_known_without_one),
        SITE_TEST(a_token_of_another_kind_makes_nobody_known),
        SITE_TEST(a_device_token_that_was_changed_makes_nobody_known),
        SITE_TEST(a_device_token_of_a_former_secret_makes_nobody_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
