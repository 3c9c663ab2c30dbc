/* The policy, with real secrets, hashes and a real database. */
#include <crypt.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/attempt.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy.h"
#include "scratch.h"

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

struct admission {
    enum verdict verdict;
    struct token token;
};

static struct admission sign_in(const char *name, struct text password,
                                const struct visitor *visitor)
{
    struct admission admission = {0};
    const struct credentials credentials = {
        .name = text_of(name), .password = password, .origin = {.agent = AGENT}, .now_s = NOON};
    struct sign_in sign_in;
    assert_int_equal(auth_sign_in(&auth, &credentials, visitor, &sign_in), OK);
    admission.verdict = sign_in.trial == TRIAL_RIGHT ? ALLOW : DENY;
    admission.token = sign_in.token;
    return admission;
}

static const char *write_token(const struct token *token, char out[TOKEN_TEXT_MAX + 1])
{
    assert_int_equal(token_encode(auth.keyring, token, out), OK);
    return out;
}

/* Who it is that sends this token. */
static struct visitor identify(const struct token *token, int64_t now_s)
{
    char written[TOKEN_TEXT_MAX + 1];
    struct visitor visitor;
    const struct text cookie = text_of(write_token(token, written));
    assert_int_equal(auth_identify(&auth, &cookie, 1, now_s, &visitor), OK);
    return visitor;
}

static bool is_signed_in(const struct token *token)
{
    return identify(token, NOON).signed_in;
}

static void the_right_password_begins_a_session(void **state)
{
    (void)state;
    struct admission admission = sign_in("Alice", PASSWORD, &nobody);
    assert_int_equal(admission.verdict, ALLOW);
    struct visitor visitor = identify(&admission.token, NOON);
    assert_true(visitor.has_token);
    assert_true(visitor.signed_in);
    assert_string_equal(visitor.session.user, "alice");
    assert_int_equal(session_describe(&auth.sessions, &visitor.session), OK);
    assert_string_equal(visitor.session.agent, "Mozilla/5.0");
}

static void whoever_is_not_right_is_denied_without_a_trace(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct text password;
    } cases[] = {
        {"alice", TEXT("correct horsf")},
        {"alice", TEXT("")},
        {"alice", TEXT("correct horse\0")},
        {"alice", TEXT("Correct horse")},
        {"bob", PASSWORD},
        {"", PASSWORD},
        {"alice ", PASSWORD},
        {"' OR 1=1", PASSWORD},
        {"locked", PASSWORD},
        {"broken", PASSWORD},
        {"broken", TEXT("")},
        {"broken", TEXT("x")},
    };
    struct user locked = policy_add_user(admin, "locked");
    struct user broken = {.name = "broken", .hash = "x", .created_s = NOON};
    assert_int_equal(users_set_locked(admin, locked.id, true), OK);
    assert_int_equal(users_add(admin, &broken), OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct admission admission = sign_in(cases[i].name, cases[i].password, &nobody);
        if (admission.verdict == ALLOW || admission.token.kind != TOKEN_NONE) {
            fail_msg("case %zu was not denied", i);
        }
    }
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
    assert_int_equal(users_set_locked(admin, locked.id, false), OK);
    assert_int_equal(sign_in("locked", PASSWORD, &nobody).verdict, ALLOW);
}

static void signing_in_again_gives_a_new_token_and_ends_the_old(void **state)
{
    (void)state;
    struct admission first = sign_in("alice", PASSWORD, &nobody);
    struct visitor visitor = identify(&first.token, NOON);
    struct admission second = sign_in("alice", PASSWORD, &visitor);
    assert_int_equal(second.verdict, ALLOW);
    assert_memory_not_equal(first.token.id, second.token.id, sizeof first.token.id);
    assert_false(is_signed_in(&first.token));
    assert_true(is_signed_in(&second.token));
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 1);
}

static void an_anonymous_token_never_becomes_a_session(void **state)
{
    (void)state;
    struct token token;
    assert_int_equal(token_new(TOKEN_ANONYMOUS, NOON, &token), OK);
    struct visitor visitor = identify(&token, NOON);
    assert_true(visitor.has_token);
    assert_false(visitor.signed_in);
    struct admission admission = sign_in("alice", PASSWORD, &visitor);
    assert_int_equal(admission.verdict, ALLOW);
    assert_memory_not_equal(admission.token.id, token.id, sizeof token.id);
    assert_false(is_signed_in(&token));
    token.kind = TOKEN_STORED; /* with a tag of ours, but no row */
    assert_false(is_signed_in(&token));
}

static void a_failing_sign_in_keeps_the_visitors_session(void **state)
{
    (void)state;
    struct sign_in admission = {.trial = TRIAL_RIGHT};
    struct admission former = sign_in("alice", PASSWORD, &nobody);
    struct visitor visitor = identify(&former.token, NOON);
    assert_int_equal(sign_in("alice", TEXT("wrong"), &visitor).verdict, DENY);
    assert_int_equal(sign_in("nobody", TEXT("wrong"), &visitor).verdict, DENY);
    assert_true(is_signed_in(&former.token));
    const struct credentials credentials = {
        .name = TEXT("alice"), .password = PASSWORD, .now_s = NOON};
    database_hide();
    assert_int_equal(auth_sign_in(&auth, &credentials, &visitor, &admission), ERR_STORE);
    assert_int_equal(admission.trial, TRIAL_WRONG);
    database_show();
    assert_true(is_signed_in(&former.token));
    database_exec("ALTER TABLE session RENAME COLUMN agent TO agents");
    assert_int_equal(auth_sign_in(&auth, &credentials, &visitor, &admission), ERR_STORE);
    assert_int_equal(admission.trial, TRIAL_WRONG);
    database_exec("ALTER TABLE session RENAME COLUMN agents TO agent");
    assert_true(is_signed_in(&former.token));
}

static void signing_out_ends_every_copy_of_the_token(void **state)
{
    (void)state;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    struct token copy = admission.token;
    struct visitor visitor = identify(&admission.token, NOON);
    assert_int_equal(auth_sign_out(&auth, &visitor, &origin, NOON), OK);
    assert_false(is_signed_in(&copy));
    assert_int_equal(auth_sign_out(&auth, &visitor, &origin, NOON), OK);
    assert_int_equal(auth_sign_out(&auth, &nobody, &origin, NOON), OK);
}

static void a_sign_out_is_in_the_audit_log_once_it_is_done(void **state)
{
    static const struct origin from = {.address = TEXT_INIT("192.0.2.9")};
    (void)state;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    struct visitor visitor = identify(&admission.token, NOON);
    database_exec("DROP TABLE audit_ends; DELETE FROM audit");
    assert_int_equal(auth_sign_out(&auth, &visitor, &from, NOON), OK); /* and not noted */
    assert_false(is_signed_in(&admission.token));
    database_exec("CREATE TABLE audit_ends (one INTEGER PRIMARY KEY, first, before, last, digest,"
                  " secret_id, tag)");
    assert_int_equal(auth_sign_out(&auth, &nobody, &from, NOON), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM audit"), 0);
    admission = sign_in("alice", PASSWORD, &nobody);
    visitor = identify(&admission.token, NOON);
    assert_int_equal(auth_sign_out(&auth, &visitor, &from, NOON), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM audit WHERE act = 'sign-out' AND"
                                  " outcome = 'done' AND user = 'alice' AND program = 'test' AND"
                                  " address = '192.0.2.9' AND user_id <> 0 AND broken = 0"),
                     1);
}

static void a_sign_out_that_cannot_be_written_is_not_answered_well(void **state)
{
    (void)state;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    struct visitor visitor = identify(&admission.token, NOON);
    database_hide();
    assert_int_equal(auth_sign_out(&auth, &visitor, &origin, NOON), ERR_STORE);
    database_show();
    assert_int_equal(auth_sign_out(&auth, &visitor, &origin, NOON), OK);
    assert_false(is_signed_in(&admission.token));
}

static void a_session_dies_with_password_lock_and_user(void **state)
{
    (void)state;
    int64_t ended = 0;
    struct token tokens[4];
    for (size_t i = 0; i < 4; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "user-%zu", i);
        struct user user = policy_add_user(admin, name);
        tokens[i] = sign_in(name, PASSWORD, &nobody).token;
        assert_true(is_signed_in(&tokens[i]));
        enum status status = i == 0   ? users_set_password(admin, user.id, alice.hash, NOON)
                             : i == 1 ? users_set_locked(admin, user.id, true)
                             : i == 2 ? users_remove(admin, user.id)
                                      : users_renew_salt(admin, user.id, &ended);
        assert_int_equal(status, OK);
        assert_false(is_signed_in(&tokens[i]));
    }
    /* A user of the same name is another one. */
    (void)policy_add_user(admin, "user-2");
    assert_false(is_signed_in(&tokens[2]));
}

static void secrets_that_are_revoked_end_all_and_rotated_ones_none(void **state)
{
    (void)state;
    char written[TOKEN_TEXT_MAX + 1];
    struct visitor visitor;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    const struct text cookie = text_of(write_token(&admission.token, written));
    assert_int_equal(keyring_rotate(config_secret_path(config)), OK);
    assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
    assert_true(visitor.signed_in);
    assert_int_equal(keyring_revoke(config_secret_path(config)), OK);
    assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
    assert_false(visitor.has_token);
    assert_false(visitor.signed_in);
    assert_int_equal(unlink(config_secret_path(config)), 0);
    assert_int_not_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
    assert_false(visitor.signed_in);
}

/* What a program that watches its files makes of the cookie. */
static enum status watched(struct auth *gate, const char *written, bool *signed_in)
{
    const struct text cookie = text_of(written);
    struct visitor visitor;
    enum status status = auth_identify(gate, &cookie, 1, NOON, &visitor);
    *signed_in = visitor.signed_in;
    token_wipe(&visitor.token);
    return status;
}

static bool is_watched_alive(struct auth *gate, const char *written)
{
    bool signed_in = false;
    assert_int_equal(watched(gate, written, &signed_in), OK);
    return signed_in;
}

static void a_program_that_watches_its_files_knows_of_each_change_at_once(void **state)
{
    (void)state;
    char written[TOKEN_TEXT_MAX + 1];
    char second[TOKEN_TEXT_MAX + 1];
    bool signed_in = true;
    struct auth gate;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    struct admission other = sign_in("alice", PASSWORD, &nobody);
    (void)write_token(&admission.token, written);
    (void)write_token(&other.token, second);
    assert_int_equal(auth_open(config, "test", STORE_ROLE_GATE, true, &gate), OK);
    for (int i = 0; i < 100; i++) { /* from then on nothing is looked at */
        assert_true(is_watched_alive(&gate, written));
    }
    /* A change that comes with a request which need not know of it is not lost. */
    struct visitor visitor = identify(&admission.token, NOON);
    assert_int_equal(auth_sign_out(&auth, &visitor, &origin, NOON), OK);
    assert_false(is_watched_alive(&gate, "forged"));
    assert_false(is_watched_alive(&gate, written));
    assert_true(is_watched_alive(&gate, second));
    assert_int_equal(keyring_rotate(config_secret_path(config)), OK);
    assert_true(is_watched_alive(&gate, second));
    char away[PATH_MAX];
    (void)snprintf(away, sizeof away, "%s", scratch_path("away"));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rename(config_secret_path(config), away), 0);
        for (int j = 0; j < 3; j++) {
            assert_int_not_equal(watched(&gate, second, &signed_in), OK);
            assert_false(signed_in);
        }
        assert_int_equal(rename(away, config_secret_path(config)), 0);
        assert_true(is_watched_alive(&gate, second));
        assert_int_equal(chmod(config_secret_path(config), 0644), 0);
        assert_int_not_equal(watched(&gate, second, &signed_in), OK);
        assert_int_equal(chmod(config_secret_path(config), 0600), 0);
        assert_true(is_watched_alive(&gate, second));
    }
    assert_int_equal(keyring_revoke(config_secret_path(config)), OK);
    assert_false(is_watched_alive(&gate, second));
    auth_close(&gate);
}

static void a_token_with_any_byte_changed_is_nobodys(void **state)
{
    (void)state;
    char written[TOKEN_TEXT_MAX + 1];
    struct visitor visitor;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    const struct text cookie = text_of(write_token(&admission.token, written));
    for (size_t i = 0; i < TOKEN_TEXT_LEN; i++) {
        char before = written[i];
        written[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
        assert_false(visitor.has_token);
        assert_false(visitor.signed_in);
        written[i] = before;
    }
    assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
    assert_true(visitor.signed_in);
}

static void one_token_counts_among_others_that_do_not_verify(void **state)
{
    (void)state;
    char first[TOKEN_TEXT_MAX + 1];
    char second[TOKEN_TEXT_MAX + 1];
    char anonymous[TOKEN_TEXT_MAX + 1];
    struct token token;
    assert_int_equal(token_new(TOKEN_ANONYMOUS, NOON, &token), OK);
    struct admission a = sign_in("alice", PASSWORD, &nobody);
    struct admission b = sign_in("alice", PASSWORD, &nobody);
    const struct text one = text_of(write_token(&a.token, first));
    const struct text two = text_of(write_token(&b.token, second));
    const struct text empty = {0};
    const struct text junk = TEXT("x");
    const struct text none = text_of(write_token(&token, anonymous));
    const struct {
        struct text cookies[10];
        size_t count;
        bool signed_in;
    } cases[] = {
        {{one}, 1, true},
        {{one, one}, 2, true},
        {{junk, one}, 2, true},
        {{empty, one, junk}, 3, true},
        {{one, two}, 2, false},
        {{two, one, one}, 3, false},
        {{one, none}, 2, false},
        {{none, one}, 2, false},
        {{none}, 1, false},
        {{junk}, 1, false},
        {{empty}, 1, false},
        {{empty}, 0, false},
        {{junk, junk, junk, junk, junk, junk, junk, one}, 8, true},
        {{junk, junk, junk, junk, junk, junk, junk, junk, one}, 9, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visitor visitor;
        assert_int_equal(auth_identify(&auth, cases[i].cookies, cases[i].count, NOON, &visitor),
                         OK);
        if (visitor.signed_in != cases[i].signed_in) {
            fail_msg("case %zu", i);
        }
    }
}

static void tokens_are_judged_by_their_time_of_issue(void **state)
{
    (void)state;
    struct token token;
    assert_int_equal(token_new(TOKEN_ANONYMOUS, NOON, &token), OK);
    assert_true(identify(&token, NOON + AUTH_ANONYMOUS_LIFE_S - 1).has_token);
    assert_false(identify(&token, NOON + AUTH_ANONYMOUS_LIFE_S).has_token);
    assert_true(identify(&token, NOON - CLOCK_SKEW_S).has_token);
    assert_false(identify(&token, NOON - CLOCK_SKEW_S - 1).has_token);
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    struct token future = admission.token;
    future.issued_s = NOON + CLOCK_SKEW_S + 1;
    assert_false(identify(&future, NOON).signed_in);
    assert_true(identify(&admission.token, NOON + config->session.idle_s - 1).signed_in);
    assert_false(identify(&admission.token, NOON + 2 * config->session.idle_s).signed_in);
}

static void a_store_that_cannot_answer_makes_nobody(void **state)
{
    (void)state;
    char written[TOKEN_TEXT_MAX + 1];
    struct visitor visitor;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    const struct text cookie = text_of(write_token(&admission.token, written));
    const struct text junk = TEXT("forged");
    database_hide();
    memset(&visitor, 1, sizeof visitor);
    assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), ERR_STORE);
    assert_memory_equal(&visitor, &nobody, sizeof visitor);
    assert_int_equal(auth_identify(&auth, &junk, 1, NOON, &visitor), OK); /* never asked */
    database_show();
    assert_int_equal(auth_identify(&auth, &cookie, 1, NOON, &visitor), OK);
    assert_true(visitor.signed_in);
}

static void an_imported_hash_is_replaced_at_the_first_sign_in(void **state)
{
    (void)state;
    static const char *const settings[] = {"$2b$04$abcdefghijklmnopqrstuu", "$6$rounds=1000$salt$",
                                           "$y$j75$KV4hBTpKL0fg2kzVcUGQd1"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct crypt_data data = {0};
        struct user found;
        struct user user = {.created_s = NOON};
        (void)snprintf(user.name, sizeof user.name, "imported-%zu", i);
        const char *hash = crypt_r("correct horse", settings[i], &data);
        assert_non_null(hash);
        (void)snprintf(user.hash, sizeof user.hash, "%s", hash);
        assert_int_equal(users_add(admin, &user), OK);
        assert_int_equal(sign_in(user.name, TEXT("wrong"), &nobody).verdict, DENY);
        assert_int_equal(users_find(admin, text_of(user.name), &found), OK);
        assert_string_equal(found.hash, user.hash);
        struct admission admission = sign_in(user.name, PASSWORD, &nobody);
        if (admission.verdict != ALLOW) {
            fail_msg("%s", hash);
        }
        assert_int_equal(users_find(admin, text_of(user.name), &found), OK);
        assert_memory_equal(found.hash, "$argon2id$", 10);
        assert_memory_equal(found.salt, user.salt, sizeof user.salt);
        assert_true(is_signed_in(&admission.token));
        assert_int_equal(sign_in(user.name, PASSWORD, &nobody).verdict, ALLOW);
    }
}

static void a_hash_of_other_cost_is_brought_up_to_date_once(void **state)
{
    (void)state;
    struct user found;
    struct user again;
    config->password.passes = 2;
    assert_int_equal(sign_in("alice", PASSWORD, &nobody).verdict, ALLOW);
    assert_int_equal(users_find(admin, TEXT("alice"), &found), OK);
    assert_string_not_equal(found.hash, alice.hash);
    assert_int_equal(sign_in("alice", PASSWORD, &nobody).verdict, ALLOW);
    assert_int_equal(users_find(admin, TEXT("alice"), &again), OK);
    assert_string_equal(again.hash, found.hash);
}

static void visitors_who_do_not_sign_in_leave_nothing_behind(void **state)
{
    (void)state;
    int64_t pages = database_ask("PRAGMA page_count");
    for (int i = 0; i < 1000; i++) {
        struct token token;
        assert_int_equal(token_new(TOKEN_ANONYMOUS, NOON, &token), OK);
        assert_false(is_signed_in(&token));
    }
    assert_int_equal(sign_in("alice", TEXT("wrong"), &nobody).verdict, DENY);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
    assert_int_equal(database_ask("PRAGMA page_count"), pages);
}

static void the_gate_cannot_sign_anybody_in_or_out(void **state)
{
    (void)state;
    struct auth gate;
    struct admission admission = sign_in("alice", PASSWORD, &nobody);
    struct sign_in other;
    struct visitor visitor = identify(&admission.token, NOON);
    const struct credentials credentials = {
        .name = TEXT("alice"), .password = PASSWORD, .now_s = NOON};
    assert_int_equal(auth_open(config, "test", STORE_ROLE_GATE, false, &gate), OK);
    assert_int_equal(auth_sign_in(&gate, &credentials, &nobody, &other), ERR_PERMISSION);
    assert_int_equal(other.trial, TRIAL_WRONG);
    assert_int_equal(auth_sign_out(&gate, &visitor, &origin, NOON), ERR_PERMISSION);
    assert_true(is_signed_in(&admission.token));
    auth_close(&gate);
}

static void a_program_starts_without_its_database_but_not_with_a_wrong_one(void **state)
{
    (void)state;
    struct auth other;
    database_hide();
    assert_int_equal(auth_open(config, "test", STORE_ROLE_GATE, false, &other), OK);
    auth_close(&other);
    database_show();
    database_exec("PRAGMA user_version = 1000");
    assert_int_equal(auth_open(config, "test", STORE_ROLE_GATE, false, &other), ERR_SCHEMA_NEW);
    auth_close(&other);
    database_exec("PRAGMA user_version = 0");
    assert_int_equal(auth_open(config, "test", STORE_ROLE_GATE, false, &other), ERR_SCHEMA_OLD);
    auth_close(&other);
    assert_int_equal(unlink(config_secret_path(config)), 0);
    assert_int_equal(auth_open(config, "test", STORE_ROLE_GATE, false, &other), ERR_NOT_FOUND);
    auth_close(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_right_password_begins_a_session),
        TEST(whoever_is_not_right_is_denied_without_a_trace),
        TEST(signing_in_again_gives_a_new_token_and_ends_the_old),
        TEST(an_anonymous_token_never_becomes_a_session),
        TEST(a_failing_sign_in_keeps_the_visitors_session),
        TEST(signing_out_ends_every_copy_of_the_token),
        TEST(a_sign_out_is_in_the_audit_log_once_it_is_done),
        TEST(a_sign_out_that_cannot_be_written_is_not_answered_well),
        TEST(a_session_dies_with_password_lock_and_user),
        TEST(secrets_that_are_revoked_end_all_and_rotated_ones_none),
        TEST(a_program_that_watches_its_files_knows_of_each_change_at_once),
        TEST(a_token_with_any_byte_changed_is_nobodys),
        TEST(one_token_counts_among_others_that_do_not_verify),
        TEST(tokens_are_judged_by_their_time_of_issue),
        TEST(a_store_that_cannot_answer_makes_nobody),
        TEST(an_imported_hash_is_replaced_at_the_first_sign_in),
        TEST(a_hash_of_other_cost_is_brought_up_to_date_once),
        TEST(visitors_who_do_not_sign_in_leave_nothing_behind),
        TEST(the_gate_cannot_sign_anybody_in_or_out),
        TEST(a_program_starts_without_its_database_but_not_with_a_wrong_one),
    };
    log_open("test_auth", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
