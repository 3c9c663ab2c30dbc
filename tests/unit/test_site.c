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

#include "database.h"
#include "scratch.h"

static struct site site;
static char device[TOKEN_TEXT_MAX + 1], anonymous[TOKEN_TEXT_MAX + 1];

static void make_token(enum token_kind kind, char out[TOKEN_TEXT_MAX + 1])
{
    struct token token;
    assert_int_equal(token_new(kind, NOON, &token), OK);
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
    make_token(TOKEN_DEVICE, device);
    make_token(TOKEN_ANONYMOUS, anonymous);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keyring_free(&site.auth.keyring);
    config_free(&site.config);
    return 0;
}

static bool is_known_by(const char *name, const char *value)
{
    const struct field cookies[] = {{TEXT("other"), TEXT("x")}, {text_of(name), text_of(value)}};
    const struct request request = {.cookies = {cookies, 2}};
    return site_is_known(&site, &request);
}

static const char *device_name(void)
{
    return config_device_cookie_name(site.config);
}

static void a_browser_with_a_device_token_is_known(void **state)
{
    (void)state;
    assert_true(is_known_by(device_name(), device));
}

static void nobody_is_known_without_one(void **state)
{
    const struct request request = {0};
    (void)state;
    assert_false(site_is_known(&site, &request));
    assert_false(is_known_by(device_name(), ""));
    assert_false(is_known_by(device_name(), "x"));
    assert_false(is_known_by(config_cookie_name(site.config), device));
}

static void a_token_of_another_kind_makes_nobody_known(void **state)
{
    (void)state;
    assert_false(is_known_by(device_name(), anonymous));
}

static void a_device_token_that_was_changed_makes_nobody_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < strlen(device); i++) {
        char changed[TOKEN_TEXT_MAX + 1];
        memcpy(changed, device, sizeof changed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(is_known_by(device_name(), changed));
    }
}

static void a_device_token_of_a_former_secret_makes_nobody_known(void **state)
{
    (void)state;
    assert_int_equal(unlink(config_secret_path(site.config)), 0);
    assert_int_equal(keyring_create(config_secret_path(site.config)), OK);
    assert_false(is_known_by(device_name(), device));
    make_token(TOKEN_DEVICE, device);
    assert_true(is_known_by(device_name(), device));
}

#define SITE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_browser_with_a_device_token_is_known),
        SITE_TEST(nobody_is_known_without_one),
        SITE_TEST(a_token_of_another_kind_makes_nobody_known),
        SITE_TEST(a_device_token_that_was_changed_makes_nobody_known),
        SITE_TEST(a_device_token_of_a_former_secret_makes_nobody_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
