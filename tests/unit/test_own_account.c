/* What users do with their own account, with real secrets, hashes and a real database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/own_account.h"
#include "base/log.h"
#include "policy.h"
#include "session/remember.h"
#include "store/links.h"
#include "verdict_of.h"

#define OLD   POLICY_PASSWORD
#define NEW   TEXT("another horse")
#define STORE 3 /* kinds of stores */

static const struct visitor nobody;
static const struct origin origin = {.address = {"192.0.2.1", 9}, .agent = {"Firefox", 7}};

static struct config *config;
static struct store *admin;
static struct auth auth;
static struct user alice, bob;

static int set_up(void **state)
{
    (void)state;
    config = policy_make();
    admin = database_open(STORE_ROLE_ADMIN);
    alice = policy_add_user(admin, "alice");
    bob = policy_add_user(admin, "bob");
    return 0;
}

/* Opens the account program's policy, with new sessions in one of the stores. */
static void open_auth(enum session_store store)
{
    config->session.store = store;
    assert_int_equal(auth_open(config, "account", STORE_ROLE_ACCOUNT, false, &auth), OK);
}

static int tear_down(void **state)
{
    (void)state;
    auth_close(&auth);
    store_close(&admin);
    config_free(&config);
    return 0;
}

static struct visitor identify(const struct token *token)
{
    char written[TOKEN_TEXT_MAX + 1];
    struct visitor visitor;
    assert_int_equal(token_encode(auth.keyring, token, written), OK);
    const struct text cookie = text_of(written);
    assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
    return visitor;
}

static struct token begin(const struct user *user)
{
    const struct session_start start = {.now_s = NOON, .agent = TEXT("Firefox")};
    struct user present = {0};
    struct token token = {0};
    assert_int_equal(users_find_by_id(admin, user->id, &present), OK);
    assert_int_equal(session_begin(&auth.sessions, &present, &start, &token), OK);
    return token;
}

static enum trial change(const struct visitor *visitor, struct text current, struct text wanted,
                         struct token *token)
{
    const struct password_change wish = {
        .current = current, .wanted = wanted, .origin = origin, .now_s = NOON};
    struct sign_in done;
    assert_int_equal(account_set_password(&auth, visitor, &wish, &done), OK);
    *token = done.token;
    return (enum trial)done.trial;
}

static bool is_password(const char *name, struct text password)
{
    struct user user = {0};
    bool stale = false;
    assert_int_equal(users_find(admin, text_of(name), &user), OK);
    return verdict_of(password, user.hash, &policy_cost, &stale) == ALLOW;
}

static void a_new_password_ends_all_sessions_but_this_ones_successor(void **state)
{
    (void)state;
    for (int store = 0; store < STORE; store++) {
        open_auth((enum session_store)store);
        struct token own = begin(&alice);
        struct token other = begin(&alice);
        struct token others = begin(&bob);
        struct token fresh = {0};
        struct visitor visitor = identify(&own);
        struct text before = store % 2 == 0 ? OLD : NEW;
        struct text after = store % 2 == 0 ? NEW : OLD;
        assert_int_equal(change(&visitor, before, after, &fresh), TRIAL_RIGHT);
        assert_false(identify(&own).signed_in);
        assert_false(identify(&other).signed_in);
        assert_true(identify(&others).signed_in);
        assert_true(identify(&fresh).signed_in);
        assert_memory_not_equal(fresh.id, own.id, sizeof own.id);
        assert_true(is_password("alice", after));
        assert_true(is_password("bob", OLD));
        auth_close(&auth);
    }
}

static void a_wrong_present_password_changes_nothing(void **state)
{
    (void)state;
    open_auth(SESSION_STORE_DATABASE);
    struct token own = begin(&alice);
    struct token fresh = {0};
    struct visitor visitor = identify(&own);
    const struct text wrong[] = {TEXT(""), TEXT("correct hors"), TEXT("Correct horse"), NEW};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(change(&visitor, wrong[i], NEW, &fresh), TRIAL_WRONG);
        assert_int_equal(fresh.kind, TOKEN_NONE);
    }
    assert_true(identify(&own).signed_in);
    assert_true(is_password("alice", OLD));
}

/* What somebody else may be told while a new hash is made, which takes long. */
static void an_act_that_was_answered_meanwhile_wins_over_a_new_password(void **state)
{
    (void)state;
    open_auth(SESSION_STORE_DATABASE);
    struct token own = begin(&alice);
    struct visitor visitor = identify(&own);
    struct user user = {0};
    struct user_change change = {0};
    assert_int_equal(users_find(admin, TEXT("alice"), &user), OK);
    struct credential_change wish = {
        .user_id = alice.id,
        .former = user.hash,
        .hash = "$new$",
        .salt = visitor.session.salt,
        .session_key = visitor.session.key,
        .now_s = NOON,
    };
    uint8_t other_salt[USER_SALT_BYTES] = {1};
    uint8_t ended_key[SESSION_KEY_BYTES] = {2};
    const struct credential_change cases[] = {
        {alice.id, "$other$", "$new$", wish.salt, wish.session_key, NOON},
        {alice.id, wish.former, "$new$", other_salt, wish.session_key, NOON},
        {alice.id, wish.former, "$new$", wish.salt, ended_key, NOON},
        {bob.id, wish.former, "$new$", wish.salt, wish.session_key, NOON},
    };
    assert_int_equal(sessions_end(admin, ended_key, NOON + 1000), OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(users_begin_change(auth.store, &cases[i], &change), ERR_NOT_FOUND);
    }
    database_exec("UPDATE user SET locked = 1");
    assert_int_equal(users_begin_change(auth.store, &wish, &change), ERR_NOT_FOUND);
    database_exec("UPDATE user SET locked = 0");
    assert_true(is_password("alice", OLD));
    assert_true(identify(&own).signed_in);
    assert_int_equal(users_begin_change(auth.store, &wish, &change), OK);
    assert_int_equal(users_end_change(auth.store, &change, ERR_STORE), ERR_STORE);
    assert_true(is_password("alice", OLD));
    assert_true(identify(&own).signed_in);
}

static void a_new_password_that_cannot_be_written_down_changes_nothing(void **state)
{
    (void)state;
    open_auth(SESSION_STORE_DATABASE);
    struct token own = begin(&alice);
    struct visitor visitor = identify(&own);
    const struct password_change wish = {
        .current = OLD, .wanted = NEW, .origin = origin, .now_s = NOON};
    struct sign_in done = {.trial = TRIAL_RIGHT};
    database_exec("ALTER TABLE audit RENAME TO audits");
    assert_int_equal(account_set_password(&auth, &visitor, &wish, &done), ERR_STORE);
    assert_int_equal(done.trial, TRIAL_WRONG);
    database_exec("ALTER TABLE audits RENAME TO audit");
    assert_true(is_password("alice", OLD));
    assert_true(identify(&own).signed_in);
}

static void a_session_goes_on_in_its_own_store_with_all_that_it_remembers(void **state)
{
    (void)state;
    struct session_data *data = NULL;
    struct user present = {0};
    struct token own = {0};
    struct token fresh = {0};
    char large[3500];
    memset(large, 'x', sizeof large);
    open_auth(SESSION_STORE_DATABASE);
    assert_int_equal(session_data_new(SIZE_MAX, &data), OK);
    assert_int_equal(session_data_put(data, TEXT("cart"), (struct text){large, sizeof large}), OK);
    const struct session_start start = {.now_s = NOON, .data = data};
    assert_int_equal(users_find_by_id(admin, alice.id, &present), OK);
    assert_int_equal(session_begin(&auth.sessions, &present, &start, &own), OK);
    auth_close(&auth);
    open_auth(SESSION_STORE_COOKIE); /* where so much would not fit */
    struct visitor visitor = identify(&own);
    assert_int_equal(change(&visitor, OLD, NEW, &fresh), TRIAL_RIGHT);
    assert_int_equal(fresh.kind, TOKEN_STORED);
    assert_true(identify(&fresh).signed_in);
    session_data_free(&data);
}

static void what_the_session_remembers_goes_with_it(void **state)
{
    (void)state;
    for (int store = 0; store < STORE; store++) {
        open_auth((enum session_store)store);
        struct session_data *data = NULL;
        struct user present = {0};
        struct token own = {0};
        struct token fresh = {0};
        assert_int_equal(session_data_new(SIZE_MAX, &data), OK);
        assert_int_equal(session_data_put(data, TEXT("cart"), TEXT("three apples")), OK);
        const struct session_start start = {.now_s = NOON, .data = data};
        assert_int_equal(users_find_by_id(admin, alice.id, &present), OK);
        assert_int_equal(session_begin(&auth.sessions, &present, &start, &own), OK);
        session_data_free(&data);
        struct visitor visitor = identify(&own);
        struct text before = store % 2 == 0 ? OLD : NEW;
        assert_int_equal(change(&visitor, before, store % 2 == 0 ? NEW : OLD, &fresh), TRIAL_RIGHT);
        visitor = identify(&fresh);
        assert_true(visitor.signed_in);
        assert_int_equal(session_data_new(SIZE_MAX, &data), OK);
        assert_int_equal(remember_read(&auth.sessions, &visitor.token, &visitor.session, data), OK);
        assert_true(text_is(session_data_get(data, TEXT("cart")), "three apples"));
        session_data_free(&data);
        auth_close(&auth);
    }
}

static void a_store_that_is_away_is_no_change(void **state)
{
    (void)state;
    open_auth(SESSION_STORE_DATABASE);
    struct token own = begin(&alice);
    struct visitor visitor = identify(&own);
    const struct password_change wish = {
        .current = OLD, .wanted = NEW, .origin = origin, .now_s = NOON};
    struct sign_in done = {.trial = TRIAL_RIGHT};
    database_hide();
    assert_int_equal(account_set_password(&auth, &visitor, &wish, &done), ERR_STORE);
    assert_int_equal(done.trial, TRIAL_WRONG);
    database_show();
    assert_true(identify(&own).signed_in);
    assert_true(is_password("alice", OLD));
}

static enum status end(const struct visitor *visitor, const char *id, bool *own)
{
    const struct session_choice choice = {.id = text_of(id), .origin = origin, .now_s = NOON};
    return account_end_session(&auth, visitor, &choice, own);
}

static void users_end_their_own_sessions_and_no_others(void **state)
{
    (void)state;
    for (int store = 0; store < STORE; store++) {
        open_auth((enum session_store)store);
        char id[SESSION_ID_LEN + 1];
        bool own = true;
        struct token here = begin(&alice);
        struct token there = begin(&alice);
        struct token others = begin(&bob);
        struct visitor visitor = identify(&here);
        session_print_id(identify(&others).session.key, id);
        assert_int_equal(end(&visitor, id, &own), ERR_NOT_FOUND);
        assert_true(identify(&others).signed_in);
        session_print_id(identify(&there).session.key, id);
        assert_int_equal(end(&visitor, id, &own), OK);
        assert_false(own);
        assert_false(identify(&there).signed_in);
        assert_int_equal(end(&visitor, id, &own), ERR_NOT_FOUND);
        assert_int_equal(end(&visitor, "", &own), ERR_INPUT);
        session_print_id(visitor.session.key, id);
        assert_int_equal(end(&visitor, id, &own), OK);
        assert_true(own);
        assert_false(identify(&here).signed_in);
        assert_true(identify(&others).signed_in);
        auth_close(&auth);
    }
}

static void signing_out_everywhere_ends_all_of_one_user(void **state)
{
    (void)state;
    for (int store = 0; store < STORE; store++) {
        open_auth((enum session_store)store);
        struct token here = begin(&alice);
        struct token there = begin(&alice);
        struct token others = begin(&bob);
        struct visitor visitor = identify(&here);
        assert_int_equal(account_end_all(&auth, &visitor, &origin, NOON), OK);
        assert_false(identify(&here).signed_in);
        assert_false(identify(&there).signed_in);
        assert_true(identify(&others).signed_in);
        auth_close(&auth);
    }
}

static void a_link_sets_a_password_once_and_signs_in(void **state)
{
    (void)state;
    open_auth(SESSION_STORE_DATABASE);
    char code[LINK_CODE_LEN + 1];
    struct sign_in done;
    struct token before = begin(&bob);
    struct visitor visitor = identify(&before);
    assert_int_equal(links_make(admin, alice.id, NOON, code), OK);
    const struct link_use use = {
        .code = text_of(code), .wanted = NEW, .origin = origin, .now_s = NOON};
    assert_int_equal(account_use_link(&auth, &visitor, &use, &done), OK);
    assert_int_equal(done.trial, TRIAL_RIGHT);
    assert_string_equal(identify(&done.token).session.user, "alice");
    assert_true(is_password("alice", NEW));
    assert_false(identify(&before).signed_in);
    assert_int_equal(account_use_link(&auth, &nobody, &use, &done), ERR_NOT_FOUND);
    assert_int_equal(done.trial, TRIAL_WRONG);
}

/* How many rows of the audit log there are of an act. */
static int64_t count_rows(const char *act)
{
    char question[128];
    (void)snprintf(question, sizeof question,
                   "SELECT count(*) FROM audit WHERE act = '%s' AND address = '192.0.2.1'", act);
    return database_ask(question);
}

static void what_was_done_stands_in_the_audit_log(void **state)
{
    (void)state;
    open_auth(SESSION_STORE_DATABASE);
    char id[SESSION_ID_LEN + 1];
    bool own = false;
    struct token fresh = {0};
    struct token here = begin(&alice);
    struct visitor visitor = identify(&here);
    assert_int_equal(change(&visitor, NEW, OLD, &fresh), TRIAL_WRONG);
    assert_int_equal(count_rows("password"), 1);
    assert_int_equal(change(&visitor, OLD, NEW, &fresh), TRIAL_RIGHT);
    assert_int_equal(count_rows("password"), 2);
    visitor = identify(&fresh);
    session_print_id(visitor.session.key, id);
    assert_int_equal(end(&visitor, id, &own), OK);
    assert_int_equal(account_end_all(&auth, &visitor, &origin, NOON), OK);
    assert_int_equal(count_rows("revoke"), 2);
}

#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OF(a_new_password_ends_all_sessions_but_this_ones_successor),
        TEST_OF(a_wrong_present_password_changes_nothing),
        TEST_OF(an_act_that_was_answered_meanwhile_wins_over_a_new_password),
        TEST_OF(a_new_password_that_cannot_be_written_down_changes_nothing),
        TEST_OF(a_session_goes_on_in_its_own_store_with_all_that_it_remembers),
        TEST_OF(what_the_session_remembers_goes_with_it),
        TEST_OF(a_store_that_is_away_is_no_change),
        TEST_OF(users_end_their_own_sessions_and_no_others),
        TEST_OF(signing_out_everywhere_ends_all_of_one_user),
        TEST_OF(a_link_sets_a_password_once_and_signs_in),
        TEST_OF(what_was_done_stands_in_the_audit_log),
    };
    log_open("test_own_account", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
