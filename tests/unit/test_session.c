/* Sessions over the database store: limits in time, tokens, revocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "scratch.h"
#include "session/sealed.h"
#include "session/session.h"
#include "session/uses.h"

#define IDLE     1000
#define LIFETIME 5000
#define REMEMBER 50000

static struct config *config;
static struct store *store;
static struct sessions sessions;
static struct user alice;

static int set_up(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX] = "";
    const char *path = scratch_write("test.conf", "[session]\nidle = 1000s\nlifetime = 5000s\n"
                                                  "remember = 50000s\n");
    if (config_load(path, &config, error) != OK) {
        fail_msg("%s", error);
    }
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    alice = database_add_user(store, "alice");
    assert_int_equal(sessions_open(config, store, STORE_ROLE_ADMIN, false, &sessions), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sessions_close(&sessions);
    store_close(&store);
    config_free(&config);
    return 0;
}

static struct token begin(bool remember)
{
    struct token token = {0};
    const struct session_start start = {.now_s = NOON,
                                        .remember = remember,
                                        .address = TEXT("192.0.2.7"),
                                        .agent = TEXT("Mozilla/5.0")};
    assert_int_equal(session_begin(&sessions, &alice, &start, &token), OK);
    return token;
}

static enum status find_at(const struct token *token, int64_t now_s)
{
    struct session_row row;
    return session_find(&sessions, token, now_s, &row);
}

/* Notes a use past the session's own rhythm. */
static void set_seen(int64_t seen_s)
{
    char script[96];
    (void)snprintf(script, sizeof script, "UPDATE session SET seen_s = %lld", (long long)seen_s);
    database_exec(script);
}

static void a_session_begins_with_what_was_asked_for(void **state)
{
    (void)state;
    struct session_row row;
    struct token token = begin(false);
    assert_int_equal(token.kind, TOKEN_STORED);
    assert_int_equal(token.issued_s, NOON);
    assert_int_equal(session_find(&sessions, &token, NOON, &row), OK);
    assert_string_equal(row.user, "alice");
    assert_int_equal(session_describe(&sessions, &row), OK);
    assert_string_equal(row.address, "192.0.2.7");
    assert_string_equal(row.agent, "Mozilla/5.0");
    assert_int_equal(row.idle_s, IDLE);
    assert_int_equal(row.expires_s, NOON + LIFETIME);
    assert_false(row.remember);
    assert_int_equal(session_end_s(&row), NOON + IDLE);
    token = begin(true);
    assert_int_equal(session_find(&sessions, &token, NOON, &row), OK);
    assert_true(row.remember);
    assert_int_equal(row.idle_s, REMEMBER);
    assert_int_equal(session_end_s(&row), NOON + REMEMBER);
}

static void two_sessions_never_share_a_token(void **state)
{
    (void)state;
    struct token first = begin(false);
    struct token second = begin(false);
    assert_memory_not_equal(first.id, second.id, sizeof first.id);
    assert_int_equal(find_at(&first, NOON), OK);
    assert_int_equal(find_at(&second, NOON), OK);
}

static void the_limits_hold_to_the_second(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t seen_s; /* after the beginning */
        int64_t now_s;
        bool remember;
        enum status wanted;
    } cases[] = {
        {"just begun", 0, 0, false, OK},
        {"idle limit - 1", 0, IDLE - 1, false, OK},
        {"idle limit", 0, IDLE, false, ERR_NOT_FOUND},
        {"idle limit + 1", 0, IDLE + 1, false, ERR_NOT_FOUND},
        {"idle limit after a use - 1", 700, 700 + IDLE - 1, false, OK},
        {"idle limit after a use", 700, 700 + IDLE, false, ERR_NOT_FOUND},
        {"lifetime - 1", LIFETIME - 10, LIFETIME - 1, false, OK},
        {"lifetime", LIFETIME - 10, LIFETIME, false, ERR_NOT_FOUND},
        {"lifetime + 1", LIFETIME - 10, LIFETIME + 1, false, ERR_NOT_FOUND},
        {"remembered, past the others", 0, REMEMBER - 1, true, OK},
        {"remembered limit", 0, REMEMBER, true, ERR_NOT_FOUND},
        {"remembered limit though used", REMEMBER - 1, REMEMBER, true, ERR_NOT_FOUND},
        {"years later", 0, INT64_C(400000000), true, ERR_NOT_FOUND},
        {"2106", 0, INT64_C(4300000000) - NOON, false, ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct token token = begin(cases[i].remember);
        set_seen(NOON + cases[i].seen_s);
        if (find_at(&token, NOON + cases[i].now_s) != cases[i].wanted) {
            fail_msg("%s", cases[i].what);
        }
        assert_int_equal(session_end(&sessions, &token), OK);
    }
}

static void a_clock_may_step_back_a_minute_and_no_more(void **state)
{
    (void)state;
    struct token token = begin(false);
    assert_int_equal(find_at(&token, NOON - CLOCK_SKEW_S), OK);
    assert_int_equal(find_at(&token, NOON - CLOCK_SKEW_S - 1), ERR_NOT_FOUND);
    set_seen(NOON + 500);
    assert_int_equal(find_at(&token, NOON + 500 - CLOCK_SKEW_S), OK);
    assert_int_equal(find_at(&token, NOON + 500 - CLOCK_SKEW_S - 1), ERR_NOT_FOUND);
    assert_int_equal(find_at(&token, NOON + 500), OK); /* refused, but not ended */
}

static void uses_are_noted_seldom_but_often_enough(void **state)
{
    (void)state;
    struct session_row row;
    struct token token = begin(false);
    assert_int_equal(session_find(&sessions, &token, NOON + IDLE / 20 - 1, &row), OK);
    assert_int_equal(row.seen_s, NOON);
    assert_int_equal(database_ask("SELECT seen_s FROM session"), NOON);
    assert_int_equal(session_find(&sessions, &token, NOON + IDLE / 20, &row), OK);
    assert_int_equal(row.seen_s, NOON + IDLE / 20);
    assert_int_equal(database_ask("SELECT seen_s FROM session"), NOON); /* not yet written */
    assert_int_equal(session_tend(&sessions, USES_NOW), -1);
    assert_int_equal(database_ask("SELECT seen_s FROM session"), NOON + IDLE / 20);
    assert_int_equal(session_end(&sessions, &token), OK);
    token = begin(true); /* a twentieth would be 2500 s: a minute at most */
    assert_int_equal(session_find(&sessions, &token, NOON + 59, &row), OK);
    assert_int_equal(row.seen_s, NOON);
    assert_int_equal(session_find(&sessions, &token, NOON + 60, &row), OK);
    assert_int_equal(row.seen_s, NOON + 60);
}

static void where_many_uses_wait_those_that_are_late_are_noted(void **state)
{
    (void)state;
    struct session_row row;
    struct token token = begin(false);
    struct token other = begin(false);
    assert_int_equal(session_find(&sessions, &other, NOON, &row), OK);
    while (uses_add(&sessions.uses[0], row.key, NOON + 1, false)) {
    }
    assert_int_equal(session_find(&sessions, &token, NOON + IDLE / 4 - 1, &row), OK);
    assert_int_equal(row.seen_s, NOON);
    assert_int_equal(session_find(&sessions, &token, NOON + IDLE / 4, &row), OK);
    assert_int_equal(row.seen_s, NOON + IDLE / 4);
}

static void a_use_that_cannot_be_noted_ends_nothing(void **state)
{
    (void)state;
    struct token token = begin(false);
    struct store *other = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_begin(other), OK);
    assert_int_equal(find_at(&token, NOON + 500), OK);
    store_rollback(other);
    store_close(&other);
    assert_int_equal(find_at(&token, NOON + IDLE - 1), OK);
}

static void an_ended_session_is_dead_for_every_copy_of_its_token(void **state)
{
    (void)state;
    struct token token = begin(false);
    struct token copy = token;
    struct store *gate_store = database_open(STORE_ROLE_GATE);
    struct sessions gate;
    struct session_row row;
    assert_int_equal(sessions_open(config, gate_store, STORE_ROLE_GATE, false, &gate), OK);
    assert_int_equal(session_find(&gate, &copy, NOON, &row), OK);
    assert_int_equal(session_end(&sessions, &token), OK);
    assert_int_equal(session_find(&gate, &copy, NOON, &row), ERR_NOT_FOUND);
    assert_int_equal(session_end(&sessions, &token), OK);
    sessions_close(&gate);
    store_close(&gate_store);
}

static void revoke_by_password(void)
{
    assert_int_equal(users_set_password(store, alice.id, "$new$", NOON), OK);
}

static void revoke_by_lock(void)
{
    assert_int_equal(users_set_locked(store, alice.id, true), OK);
}

static void revoke_by_removing_the_user(void)
{
    assert_int_equal(users_remove(store, alice.id), OK);
}

static void revoke_by_salt(void)
{
    int64_t ended;
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_int_equal(ended, 2);
}

static void revoke_all(void)
{
    int64_t ended;
    assert_int_equal(sessions_remove_all(store, &ended), OK);
}

static void whatever_revokes_ends_all_sessions_and_those_in_the_making(void **state)
{
    (void)state;
    static void (*const revokers[])(void) = {revoke_by_password, revoke_by_lock,
                                             revoke_by_removing_the_user, revoke_by_salt,
                                             revoke_all};
    for (size_t i = 0; i < sizeof revokers / sizeof *revokers; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "user-%zu", i);
        alice = database_add_user(store, name);
        struct token first = begin(false);
        struct token second = begin(true);
        struct token third = {0};
        const struct session_start start = {.now_s = NOON};
        revokers[i]();
        assert_int_equal(find_at(&first, NOON), ERR_NOT_FOUND);
        assert_int_equal(find_at(&second, NOON), ERR_NOT_FOUND);
        /* alice was read before: a sign-in that was under way. */
        assert_int_equal(session_begin(&sessions, &alice, &start, &third), ERR_NOT_FOUND);
        assert_int_equal(third.kind, TOKEN_NONE);
    }
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
}

static void anonymous_and_zeroed_tokens_find_nothing_and_cost_no_look(void **state)
{
    (void)state;
    struct token token = begin(false);
    struct token anonymous = token;
    struct token zeroed = {0};
    anonymous.kind = TOKEN_ANONYMOUS;
    database_hide(); /* any look at the store would fail */
    assert_int_equal(find_at(&anonymous, NOON), ERR_NOT_FOUND);
    assert_int_equal(find_at(&zeroed, NOON), ERR_NOT_FOUND);
    assert_int_equal(session_end(&sessions, &anonymous), OK);
    assert_int_equal(find_at(&token, NOON), ERR_STORE);
    assert_int_equal(session_end(&sessions, &token), ERR_STORE);
    database_show();
    assert_int_equal(find_at(&token, NOON), OK);
}

static void what_a_client_sent_is_cleaned_and_cut(void **state)
{
    (void)state;
    char agent[1000];
    struct session_row row;
    struct token token = {0};
    memset(agent, 'x', sizeof agent);
    memcpy(agent, "a\r\n\0\xc3\xa4\x7f<", 8);
    const struct session_start start = {
        .now_s = NOON, .address = {agent, 300}, .agent = {agent, sizeof agent}};
    assert_int_equal(session_begin(&sessions, &alice, &start, &token), OK);
    assert_int_equal(session_find(&sessions, &token, NOON, &row), OK);
    assert_int_equal(session_describe(&sessions, &row), OK);
    assert_int_equal(strlen(row.agent), SESSION_AGENT_MAX);
    assert_int_equal(strlen(row.address), SESSION_ADDRESS_MAX);
    assert_memory_equal(row.agent, "a?\?\?\?\?\?<xxx", 11);
}

static void signing_in_removes_what_is_over(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        (void)begin(false);
    }
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 10);
    struct token token = {0};
    const struct session_start start = {.now_s = NOON + IDLE};
    assert_int_equal(session_begin(&sessions, &alice, &start, &token), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 1);
}

static void the_database_holds_no_token(void **state)
{
    (void)state;
    char sql[256] = "SELECT count(*) FROM session"
                    " WHERE printf('%016x', id) || lower(hex(rest)) = '";
    struct token token = begin(false);
    for (size_t i = 0; i < sizeof token.id; i++) {
        size_t len = strlen(sql);
        (void)snprintf(sql + len, sizeof sql - len, "%02x", token.id[i]);
    }
    memcpy(sql + strlen(sql), "'", 2);
    assert_int_equal(database_ask(sql), 0);
}

static void use_store(enum session_store wanted)
{
    sessions_close(&sessions);
    config->session.store = wanted;
    assert_int_equal(sessions_open(config, store, STORE_ROLE_ADMIN, false, &sessions), OK);
}

/* What somebody can make who has the secret, the database and another session. */
static void a_sealed_session_counts_in_other_stores_only_as_it_was_recorded(void **state)
{
    (void)state;
    struct session_row row = {0};
    struct user bob = database_add_user(store, "bob");
    use_store(SESSION_STORE_COOKIE);
    struct token token = begin(false);
    assert_int_equal(session_find(&sessions, &token, NOON, &row), OK);
    struct token forged = {0};
    assert_int_equal(token_new(TOKEN_SEALED, NOON, &forged), OK);
    assert_int_equal(sealed_pack(&row, (struct text){0}, &forged), OK);
    assert_int_equal(find_at(&forged, NOON), OK);
    struct token taken = token;
    row.user_id = bob.id;
    memcpy(row.salt, bob.salt, sizeof row.salt);
    assert_int_equal(sealed_pack(&row, (struct text){0}, &taken), OK);
    use_store(SESSION_STORE_DATABASE);
    assert_int_equal(find_at(&token, NOON), OK);
    assert_int_equal(find_at(&forged, NOON), ERR_NOT_FOUND);
    assert_int_equal(session_find(&sessions, &taken, NOON, &row), OK);
    assert_string_equal(row.user, "alice");
    assert_int_equal(session_end(&sessions, &token), OK);
    assert_int_equal(find_at(&taken, NOON), ERR_NOT_FOUND);
}

static void a_session_needs_its_users_present_salt_and_no_lock(void **state)
{
    (void)state;
    struct token token = begin(false);
    database_exec("UPDATE user SET salt = randomblob(32)");
    assert_int_equal(find_at(&token, NOON), ERR_NOT_FOUND);
    database_exec("UPDATE user SET salt = (SELECT salt FROM session)");
    assert_int_equal(find_at(&token, NOON), OK);
    database_exec("UPDATE user SET locked = 1");
    assert_int_equal(find_at(&token, NOON), ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_begins_with_what_was_asked_for),
        TEST(two_sessions_never_share_a_token),
        TEST(the_limits_hold_to_the_second),
        TEST(a_clock_may_step_back_a_minute_and_no_more),
        TEST(uses_are_noted_seldom_but_often_enough),
        TEST(where_many_uses_wait_those_that_are_late_are_noted),
        TEST(a_use_that_cannot_be_noted_ends_nothing),
        TEST(an_ended_session_is_dead_for_every_copy_of_its_token),
        TEST(whatever_revokes_ends_all_sessions_and_those_in_the_making),
        TEST(anonymous_and_zeroed_tokens_find_nothing_and_cost_no_look),
        TEST(what_a_client_sent_is_cleaned_and_cut),
        TEST(signing_in_removes_what_is_over),
        TEST(the_database_holds_no_token),
        TEST(a_sealed_session_counts_in_other_stores_only_as_it_was_recorded),
        TEST(a_session_needs_its_users_present_salt_and_no_lock),
    };
    log_open("test_session", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
