/* Attempts at passwords: who has to wait, who need not, and what is written of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/attempt.h"
#include "base/log.h"
#include "policy.h"

#define PASSWORD POLICY_PASSWORD
#define AGENT    TEXT("Mozilla/5.0")

static struct config *config;
static struct store *admin;
static struct auth auth;
static struct user alice;
static const struct visitor nobody;

static int set_up(void **state)
{
    (void)state;
    config = policy_make();
    admin = database_open(STORE_ROLE_ADMIN);
    alice = policy_add_user(admin, "alice");
    assert_int_equal(auth_open(config, "test", STORE_ROLE_LOGIN, false, &auth), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    auth_close(&auth);
    store_close(&admin);
    config_free(&config);
    return 0;
}

static const struct origin origin = {.address = {"192.0.2.1", 9}};

static const char *write_token(const struct token *token, char out[TOKEN_TEXT_MAX + 1])
{
    assert_int_equal(token_encode(auth.keyring, token, out), OK);
    return out;
}

static struct sign_in try_name(const char *name, struct text password)
{
    const struct credentials credentials = {
        .name = text_of(name), .password = password, .origin = origin, .now_s = NOON};
    struct sign_in result;
    assert_int_equal(auth_sign_in(&auth, &credentials, &nobody, &result), OK);
    return result;
}

/* What comes of an attempt at alice's account, at that time, with that device cookie or none. */
static struct sign_in try_alice(struct text password, const char *device, int64_t now_s)
{
    const struct text cookie = text_of(device);
    const struct credentials credentials = {
        .name = TEXT("alice"),
        .password = password,
        .origin = {.address = origin.address,
                   .browser = TEXT("Firefox on Linux"),
                   .devices = &cookie,
                   .device_count = device != NULL ? 1 : 0},
        .now_s = now_s,
    };
    struct sign_in result;
    assert_int_equal(auth_sign_in(&auth, &credentials, &nobody, &result), OK);
    return result;
}

static int try_wrongly(int times)
{
    int throttled = 0;
    for (int i = 0; i < times; i++) {
        throttled += try_alice(TEXT("wrong"), NULL, NOON).trial == TRIAL_THROTTLED ? 1 : 0;
    }
    return throttled;
}

static void after_five_wrong_passwords_the_right_one_has_to_wait_too(void **state)
{
    (void)state;
    assert_int_equal(try_wrongly(5), 0);
    struct sign_in result = try_alice(PASSWORD, NULL, NOON + 1);
    assert_int_equal(result.trial, TRIAL_THROTTLED);
    assert_int_equal(result.wait_s, 14);
    assert_int_equal(result.token.kind, TOKEN_NONE);
    assert_int_equal(result.device.kind, TOKEN_NONE);
    result = try_alice(PASSWORD, NULL, NOON + 15);
    assert_int_equal(result.trial, TRIAL_RIGHT);
    /* Which ended what was counted, but for the network. */
    assert_int_equal(try_wrongly(5), 0);
    assert_int_equal(database_ask("SELECT failures FROM throttle WHERE kind = 2"), 10);
    assert_int_equal(try_wrongly(1), 1);
}

static void names_that_nobody_has_wait_just_as_long(void **state)
{
    (void)state;
    static const char *const names[] = {"alice", "nobody", "no such \x01 name"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        struct sign_in result;
        for (int i = 0; i < 6; i++) {
            result = try_name(names[n], TEXT("wrong"));
            assert_int_equal(result.trial, i < 5 ? TRIAL_WRONG : TRIAL_THROTTLED);
        }
        assert_int_equal(result.wait_s, 15);
    }
    assert_int_equal(database_ask("SELECT count(*) FROM throttle WHERE account <> 'alice'"
                                  " AND account <> ''"),
                     0);
}

static void a_known_browser_goes_on_while_others_wait_until_it_fails_itself(void **state)
{
    (void)state;
    char device[TOKEN_TEXT_MAX + 1];
    struct sign_in first = try_alice(PASSWORD, NULL, NOON);
    (void)write_token(&first.device, device);
    assert_int_equal(try_wrongly(6), 1);
    assert_int_equal(try_alice(PASSWORD, device, NOON).trial, TRIAL_RIGHT);
    assert_int_equal(try_wrongly(1), 1); /* which helps nobody else */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(try_alice(TEXT("wrong"), device, NOON).trial, TRIAL_WRONG);
    }
    assert_int_equal(try_alice(PASSWORD, device, NOON).trial, TRIAL_THROTTLED);
}

static void a_token_counts_in_the_cookie_it_is_meant_for_and_in_no_other(void **state)
{
    (void)state;
    char device[TOKEN_TEXT_MAX + 1];
    char session[TOKEN_TEXT_MAX + 1];
    struct visitor visitor;
    struct sign_in result = try_alice(PASSWORD, NULL, NOON);
    (void)write_token(&result.device, device);
    (void)write_token(&result.token, session);
    assert_int_equal(result.device.kind, TOKEN_DEVICE);
    /* As a session it is nobody's, and no second token beside one either. */
    const struct text cookies[] = {text_of(device), text_of(session), text_of(device)};
    assert_int_equal(auth_identify(&auth, cookies, 1, NOON, &visitor), OK);
    assert_false(visitor.has_token);
    assert_int_equal(visitor.token.kind, TOKEN_NONE);
    assert_int_equal(auth_identify(&auth, cookies, 3, NOON, &visitor), OK);
    assert_true(visitor.signed_in);
    /* And the other way round. */
    assert_int_equal(try_wrongly(5), 0);
    assert_int_equal(try_alice(PASSWORD, session, NOON).trial, TRIAL_THROTTLED);
    assert_int_equal(try_alice(PASSWORD, "garbage", NOON).trial, TRIAL_THROTTLED);
    assert_int_equal(try_alice(PASSWORD, device, NOON).trial, TRIAL_RIGHT);
}

static void a_device_of_another_user_helps_nobody(void **state)
{
    (void)state;
    char device[TOKEN_TEXT_MAX + 1];
    (void)policy_add_user(admin, "mallory");
    struct sign_in result = try_name("mallory", PASSWORD);
    assert_int_equal(result.trial, TRIAL_RIGHT);
    (void)write_token(&result.device, device);
    assert_int_equal(try_wrongly(5), 0);
    assert_int_equal(try_alice(PASSWORD, device, NOON).trial, TRIAL_THROTTLED);
}

static void each_outcome_is_in_the_audit_log_once(void **state)
{
    (void)state;
    struct user locked = policy_add_user(admin, "locked");
    struct user invited = {.name = "invited", .hash = "!", .created_s = NOON};
    assert_int_equal(users_set_locked(admin, locked.id, true), OK);
    assert_int_equal(users_add(admin, &invited), OK);
    (void)try_name("locked", PASSWORD);
    (void)try_name("locked", TEXT("wrong"));
    (void)try_name("secret-typed-as-a-name", PASSWORD);
    assert_int_equal(try_name("invited", TEXT("!")).trial, TRIAL_WRONG);
    assert_int_equal(try_alice(PASSWORD, NULL, NOON).trial, TRIAL_RIGHT);
    assert_int_equal(try_wrongly(7), 2);
    static const struct {
        const char *which;
        int64_t rows;
    } cases[] = {
        {"act = 'sign-in' AND outcome = 'done' AND user = 'alice' AND address = '192.0.2.1'"
         " AND detail = 'Firefox on Linux'",
         1},
        {"act = 'sign-in' AND outcome = 'refused' AND user = 'alice' AND user_id > 0"
         " AND detail = 'wrong password'",
         5},
        {"user = 'locked' AND detail = 'the account is locked'", 1},
        {"user = 'locked' AND detail = 'wrong password'", 1},
        {"user = 'invited' AND detail = 'no password is set'", 1},
        {"user = '' AND user_id = 0 AND detail = 'unknown user'", 1},
        {"act = 'throttle' AND user = 'alice'"
         " AND detail = 'account and network: next attempt in 15 s'",
         1},
        {"true", 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[256];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM audit WHERE %s", cases[i].which);
        if (database_ask(sql) != cases[i].rows) {
            fail_msg("%s: %lld", cases[i].which, (long long)database_ask(sql));
        }
    }
}

static void nobody_is_in_whom_the_audit_log_does_not_know(void **state)
{
    (void)state;
    struct sign_in result;
    const struct credentials credentials = {
        .name = TEXT("alice"), .password = PASSWORD, .origin = origin, .now_s = NOON};
    database_exec("ALTER TABLE audit RENAME TO audits");
    assert_int_equal(auth_sign_in(&auth, &credentials, &nobody, &result), ERR_STORE);
    assert_int_equal(result.trial, TRIAL_WRONG);
    assert_int_equal(result.token.kind, TOKEN_NONE);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
    assert_int_equal(database_ask("SELECT max(failures) FROM throttle"), 1);
    /* A wrong one gets the same answer, so that this tells nothing. */
    const struct credentials wrong = {
        .name = TEXT("alice"), .password = TEXT("wrong"), .origin = origin, .now_s = NOON};
    assert_int_equal(auth_sign_in(&auth, &wrong, &nobody, &result), ERR_STORE);
    database_exec("ALTER TABLE audits RENAME TO audit");
    assert_int_equal(auth_sign_in(&auth, &credentials, &nobody, &result), OK);
    assert_int_equal(result.trial, TRIAL_RIGHT);
}

static void a_session_of_the_cache_ends_again_when_the_audit_log_cannot_be_written(void **state)
{
    (void)state;
    struct sign_in result;
    struct auth other;
    const struct credentials credentials = {
        .name = TEXT("alice"), .password = PASSWORD, .origin = origin, .now_s = NOON};
    config->session.store = SESSION_STORE_CACHE;
    assert_int_equal(auth_open(config, "test", STORE_ROLE_LOGIN, false, &other), OK);
    database_exec("ALTER TABLE audit RENAME TO audits");
    assert_int_equal(auth_sign_in(&other, &credentials, &nobody, &result), ERR_STORE);
    assert_int_equal(result.token.kind, TOKEN_NONE);
    assert_int_equal(database_ask("SELECT count(*) FROM revocation WHERE key IS NOT NULL"), 1);
    database_exec("ALTER TABLE audits RENAME TO audit");
    assert_int_equal(auth_sign_in(&other, &credentials, &nobody, &result), OK);
    assert_int_equal(result.trial, TRIAL_RIGHT);
    assert_int_equal(result.token.kind, TOKEN_CACHED);
    auth_close(&other);
}

static void the_own_password_asked_for_once_more_is_throttled_alike(void **state)
{
    (void)state;
    struct attempt attempt = {.name = TEXT("alice"),
                              .password = TEXT("wrong"),
                              .origin = &origin,
                              .now_s = NOON,
                              .act = AUDIT_PASSWORD};
    struct attempt_result result;
    assert_int_equal(attempt_run(&auth, &attempt, &result), OK);
    assert_int_equal(result.trial, TRIAL_WRONG);
    assert_int_equal(result.user.id, 0);
    attempt.password = PASSWORD;
    assert_int_equal(attempt_run(&auth, &attempt, &result), OK);
    assert_int_equal(result.trial, TRIAL_RIGHT);
    assert_int_equal(result.user.id, alice.id);
    assert_int_equal(database_ask("SELECT count(*) FROM throttle WHERE kind <> 2"), 0);
    assert_int_equal(database_ask("SELECT failures FROM throttle WHERE kind = 2"), 1);
    assert_int_equal(database_ask("SELECT count(*) FROM audit WHERE act = 'password'"
                                  " AND outcome = 'refused'"),
                     1);
    assert_int_equal(try_wrongly(5), 0);
    assert_int_equal(attempt_run(&auth, &attempt, &result), OK);
    assert_int_equal(result.trial, TRIAL_THROTTLED);
    assert_int_equal(result.wait_s, 15);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(after_five_wrong_passwords_the_right_one_has_to_wait_too),
        TEST(names_that_nobody_has_wait_just_as_long),
        TEST(a_known_browser_goes_on_while_others_wait_until_it_fails_itself),
        TEST(a_token_counts_in_the_cookie_it_is_meant_for_and_in_no_other),
        TEST(a_device_of_another_user_helps_nobody),
        TEST(each_outcome_is_in_the_audit_log_once),
        TEST(nobody_is_in_whom_the_audit_log_does_not_know),
        TEST(a_session_of_the_cache_ends_again_when_the_audit_log_cannot_be_written),
        TEST(the_own_password_asked_for_once_more_is_throttled_alike),
    };
    log_open("test_attempt", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
