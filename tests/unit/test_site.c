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
#include "scratch.h"

static struct site site;
static char device[TOKEN_TEXT_MAX + 1], anonymous[TOKEN_TEXT_MAX + 1];

/* The token of the user's browser, issued now, turned into one of that kind. */
static void make_token(enum token_kind kind, int64_t user_id, char out[TOKEN_TEXT_MAX + 1])
{
    struct token token;
    int64_t now_s = 0;
    assert_int_equal(clock_get(&now_s), OK);
    assert_int_equal(device_new(&(struct user){.id = user_id}, now_s, &token), OK);
    token.kind = kind;
    assert_int_equal(token_encode(site.auth.keyring, &token, out), OK);
}

static int set_up(void **state)
{
    char error[CONFIG_ERROR_MAX] = "";
    char text[512];
    (void)state;
    (void)snprintf(text, sizeof text, "[state]\ndirectory = %s\n", scratch_folder());
    if (config_load(scratch_write("test.conf", text), &site.config, error) != OK) {
        fail_msg("%s", error);
    }
    (void)unlink(config_secret_path(site.config));
    assert_int_equal(keyring_create(config_secret_path(site.config)), OK);
    assert_int_equal(keyring_open(config_secret_path(site.config), &site.auth.keyring), OK);
    make_token(TOKEN_DEVICE, 7, device);
    make_token(TOKEN_ANONYMOUS, 7, anonymous);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keyring_free(&site.auth.keyring);
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
    assert_int_equal(known_by(device_name(), device), 7);
    make_token(TOKEN_DEVICE, INT64_MAX, device);
    assert_int_equal(known_by(device_name(), device), INT64_MAX);
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
    make_token(TOKEN_DEVICE, 7, device);
    assert_int_equal(known_by(device_name(), device), 7);
}

#define SITE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_browser_with_a_device_token_is_known_as_its_user),
        SITE_TEST(nobody_is_known_without_one),
        SITE_TEST(a_token_of_another_kind_makes_nobody_known),
        SITE_TEST(a_device_token_that_was_changed_makes_nobody_known),
        SITE_TEST(a_device_token_of_a_former_secret_makes_nobody_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
