/* The same cases for all stores of sessions, asked directly and through a worker's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/watch.h"
#include "database.h"
#include "scratch.h"
#include "session/backend.h"

#define IDLE     1000
#define LIFETIME 5000
#define REMEMBER 50000

/* What the cases are run with. */
static const struct variant {
    const char *name;
    const char *store;
    enum token_kind kind;
    bool remembers;
    bool watches; /* and goes on reading in one state of a store */
} variants[] = {
    {"database, asked directly", "database", TOKEN_STORED, false, false},
    {"database, remembered", "database", TOKEN_STORED, true, false},
    {"database, watched", "database", TOKEN_STORED, true, true},
    {"cache, asked directly", "cache", TOKEN_CACHED, false, false},
    {"cache, remembered", "cache", TOKEN_CACHED, true, false},
    {"cache, watched", "cache", TOKEN_CACHED, true, true},
    {"cookie, asked directly", "cookie", TOKEN_SEALED, false, false},
    {"cookie, remembered", "cookie", TOKEN_SEALED, true, false},
    {"cookie, watched", "cookie", TOKEN_SEALED, true, true},
};
#define VARIANTS (sizeof variants / sizeof *variants)

static const struct variant *variant;
static struct config *config;
static struct store *store;
static struct sessions sessions; /* of the program that signs in and out */
static struct store *gate_store;
static struct sessions gate; /* of a worker that only checks */
static struct watch *watch;
static struct user alice;

static struct config *load(const char *store_name)
{
    char text[512];
    char error[CONFIG_ERROR_MAX] = "";
    struct config *loaded = NULL;
    (void)snprintf(text, sizeof text,
                   "[state]\ndirectory = %s\nrun_directory = %s\n[session]\nstore = %s\n"
                   "idle = 1000s\nlifetime = 5000s\nremember = 50000s\n",
                   scratch_folder(), scratch_folder(), store_name);
    if (config_load(scratch_write("test.conf", text), &loaded, error) != OK) {
        fail_msg("%s", error);
    }
    return loaded;
}

static void remove_cache(void)
{
    (void)unlink(scratch_path("cache.db"));
    (void)unlink(scratch_path("cache.db-wal"));
    (void)unlink(scratch_path("cache.db-shm"));
}

static enum status gate_find(const struct token *token, int64_t now_s)
{
    struct session_row row;
    gate.changes = watch != NULL ? watch_count_changes(watch) : 0;
    return session_find(&gate, token, now_s, &row);
}

static int set_up(void **state)
{
    (void)state;
    struct token nobody = {.kind = TOKEN_SEALED};
    config = load(variant->store);
    remove_cache();
    (void)unlink(scratch_path("generation"));
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    gate_store = database_open(STORE_ROLE_GATE);
    revocations_mend(store);
    alice = database_add_user(store, "alice");
    assert_int_equal(sessions_open(config, store, STORE_ROLE_ADMIN, false, &sessions), OK);
    assert_int_equal(sessions_open(config, gate_store, STORE_ROLE_GATE, variant->remembers, &gate),
                     OK);
    if (variant->watches) {
        const struct watch_file files[] = {
            {config_generation_path(config), WATCH_CONTENT},
            {config_database_path(config), WATCH_DATABASE},
            {config_cache_path(config), WATCH_DATABASE},
        };
        assert_int_equal(watch_open(files, sizeof files / sizeof *files, &watch), OK);
    }
    assert_int_equal(gate_find(&nobody, NOON), ERR_NOT_FOUND); /* asked for the first time */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watch_close(&watch);
    sessions_close(&sessions);
    sessions_close(&gate);
    store_close(&store);
    store_close(&gate_store);
    config_free(&config);
    return 0;
}

static struct token begin(void)
{
    struct token token = {0};
    const struct session_start start = {
        .now_s = NOON, .address = TEXT("192.0.2.7"), .agent = TEXT("Mozilla/5.0")};
    assert_int_equal(session_begin(&sessions, &alice, &start, &token), OK);
    return token;
}

static void a_session_is_found_with_its_user(void **state)
{
    (void)state;
    struct session_row row = {0};
    struct token token = begin();
    assert_int_equal(token.kind, variant->kind);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(session_find(&gate, &token, NOON, &row), OK);
        assert_string_equal(row.user, "alice");
        assert_int_equal(row.user_id, alice.id);
        assert_int_equal(row.idle_s, IDLE);
        assert_int_equal(row.expires_s, NOON + LIFETIME);
        assert_int_equal(session_end_s(&row), NOON + IDLE);
    }
}

static void limits_hold_to_the_second(void **state)
{
    (void)state;
    struct token token = begin();
    assert_int_equal(gate_find(&token, NOON - CLOCK_SKEW_S), OK);
    assert_int_equal(gate_find(&token, NOON - CLOCK_SKEW_S - 1), ERR_NOT_FOUND);
    assert_int_equal(gate_find(&token, NOON + IDLE), ERR_NOT_FOUND);
    assert_int_equal(gate_find(&token, NOON + 49), OK); /* too early for a use to be noted */
    assert_int_equal(gate_find(&token, NOON + IDLE), ERR_NOT_FOUND);
    assert_int_equal(gate_find(&token, NOON + IDLE - 1), OK);
}

static void uses_carry_a_session_to_its_lifetime_and_no_further(void **state)
{
    (void)state;
    struct token token = begin();
    for (int64_t at = 500; at < LIFETIME; at += 500) {
        struct session_row row;
        struct token fresh;
        const struct session_start start = {.now_s = NOON + at};
        assert_int_equal(session_find(&gate, &token, NOON + at, &row), OK);
        assert_int_equal(session_tend(&gate, USES_NOW), -1);
        if (session_is_due(&sessions, &token, &row, NOON + at)) {
            assert_int_equal(session_renew(&sessions, &token, &row, &start, &fresh), OK);
            assert_memory_equal(fresh.id, token.id, sizeof fresh.id);
            token = fresh;
        }
    }
    assert_int_equal(gate_find(&token, NOON + LIFETIME - 1), OK);
    assert_int_equal(gate_find(&token, NOON + LIFETIME), ERR_NOT_FOUND);
}

static void a_copied_token_is_dead_after_signing_out(void **state)
{
    (void)state;
    struct token token = begin();
    struct token other = begin();
    struct token copy = token;
    assert_int_equal(gate_find(&copy, NOON), OK);
    assert_int_equal(gate_find(&other, NOON), OK);
    assert_int_equal(session_end(&sessions, &token), OK);
    assert_int_equal(gate_find(&copy, NOON), ERR_NOT_FOUND);
    assert_int_equal(gate_find(&other, NOON), OK);
    assert_int_equal(session_end(&sessions, &token), OK); /* again */
    assert_int_equal(gate_find(&copy, NOON), ERR_NOT_FOUND);
}

static void a_renewal_under_way_loses_to_a_sign_out(void **state)
{
    (void)state;
    struct session_row row;
    struct token token = begin();
    struct token fresh = {0};
    const struct session_start start = {.now_s = NOON + 600};
    assert_int_equal(session_find(&sessions, &token, NOON + 600, &row), OK);
    assert_int_equal(session_end(&sessions, &token), OK);
    enum status status = session_renew(&sessions, &token, &row, &start, &fresh);
    assert_true(status == ERR_NOT_FOUND || gate_find(&fresh, NOON + 600) == ERR_NOT_FOUND);
    assert_int_equal(session_renew(&sessions, &token, &row, &start, &fresh), ERR_NOT_FOUND);
}

/* What the store knew may be lost: the cache forgets, and a use may come after a purge. */
static void lose_rows(void)
{
    database_exec("DELETE FROM session");
    store_disconnect(sessions.cache);
    store_disconnect(gate.cache);
    remove_cache();
}

static void signing_out_ends_also_what_only_a_worker_remembers(void **state)
{
    (void)state;
    struct token token = begin();
    assert_int_equal(gate_find(&token, NOON), OK);
    lose_rows();
    enum status status = gate_find(&token, NOON);
    assert_int_equal(status,
                     variant->remembers || variant->kind == TOKEN_SEALED ? OK : ERR_NOT_FOUND);
    assert_int_equal(session_end(&sessions, &token), OK);
    assert_int_equal(gate_find(&token, NOON), ERR_NOT_FOUND);
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
    const struct session_start start = {.now_s = NOON};
    for (size_t i = 0; i < sizeof revokers / sizeof *revokers; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "user-%zu", i);
        alice = database_add_user(store, name);
        struct token first = begin();
        struct token second = begin();
        struct token third = {0};
        assert_int_equal(gate_find(&first, NOON), OK);
        revokers[i]();
        assert_int_equal(gate_find(&first, NOON), ERR_NOT_FOUND);
        assert_int_equal(gate_find(&second, NOON), ERR_NOT_FOUND);
        assert_int_equal(session_begin(&sessions, &alice, &start, &third), ERR_NOT_FOUND);
        assert_int_equal(third.kind, TOKEN_NONE);
    }
}

static void who_is_unlocked_is_let_in_again(void **state)
{
    (void)state;
    struct token before = begin();
    assert_int_equal(gate_find(&before, NOON), OK);
    assert_int_equal(users_set_locked(store, alice.id, true), OK);
    assert_int_equal(gate_find(&before, NOON), ERR_NOT_FOUND);
    assert_int_equal(gate_find(&before, NOON), ERR_NOT_FOUND);
    assert_int_equal(users_set_locked(store, alice.id, false), OK);
    assert_int_equal(gate_find(&before, NOON), ERR_NOT_FOUND); /* of the salt before */
    assert_int_equal(users_find(store, TEXT("alice"), &alice), OK);
    struct token after = begin();
    assert_int_equal(gate_find(&after, NOON), OK);
    assert_int_equal(gate_find(&before, NOON), ERR_NOT_FOUND);
}

static void what_is_remembered_is_checked_without_any_store(void **state)
{
    (void)state;
    struct token token = begin();
    assert_int_equal(gate_find(&token, NOON), OK);
    sessions_disconnect(&sessions);
    sessions_disconnect(&gate);
    database_hide();
    remove_cache();
    for (int i = 0; i < 5; i++) {
        enum status status = gate_find(&token, NOON);
        assert_true(variant->remembers ? status == OK : status != OK);
    }
    database_show();
}

static void a_use_by_another_worker_counts_for_all(void **state)
{
    (void)state;
    struct session_row row;
    struct token token = begin();
    assert_int_equal(gate_find(&token, NOON), OK);
    if (variant->kind == TOKEN_SEALED) {
        return; /* its uses are renewals */
    }
    assert_int_equal(session_find(&sessions, &token, NOON + 900, &row), OK);
    assert_int_equal(session_tend(&sessions, USES_NOW), -1);
    assert_int_equal(gate_find(&token, NOON + IDLE + 800), OK);
}

static void a_session_moves_between_stores_and_ends_in_all(void **state)
{
    (void)state;
    static const char *const names[] = {"database", "cache", "cookie"};
    for (size_t i = 0; i < 3; i++) {
        struct config *other_config = load(names[i]);
        struct sessions other;
        struct session_row row;
        struct token token = begin();
        struct token fresh = {0};
        const struct session_start start = {.now_s = NOON + 600};
        assert_int_equal(sessions_open(other_config, store, STORE_ROLE_ADMIN, false, &other), OK);
        assert_int_equal(gate_find(&token, NOON), OK);
        assert_int_equal(session_find(&other, &token, NOON + 600, &row), OK);
        assert_int_equal(session_renew(&other, &token, &row, &start, &fresh), OK);
        assert_int_equal(fresh.kind, other.backend->kind);
        assert_memory_equal(fresh.id, token.id, sizeof fresh.id);
        assert_int_equal(gate_find(&fresh, NOON + 600), OK);
        assert_int_equal(gate_find(&token, NOON + 600), OK);
        assert_int_equal(session_end(&sessions, i % 2 == 0 ? &fresh : &token), OK);
        assert_int_equal(gate_find(&fresh, NOON + 600), ERR_NOT_FOUND);
        assert_int_equal(gate_find(&token, NOON + 600), ERR_NOT_FOUND);
        sessions_close(&other);
        config_free(&other_config);
    }
}

static void in_doubt_the_stores_decide(void **state)
{
    (void)state;
    struct token token = begin();
    struct token ended = begin();
    assert_int_equal(gate_find(&token, NOON), OK);
    assert_int_equal(gate_find(&ended, NOON), OK);
    assert_int_equal(session_end(&sessions, &ended), OK);
    for (int i = 0; i < 5; i++) {
        (void)scratch_write("generation", i % 2 == 0 ? "noise" : "");
        assert_int_equal(gate_find(&token, NOON), OK);
        assert_int_equal(gate_find(&ended, NOON), ERR_NOT_FOUND);
    }
    (void)scratch_write("generation", "noise");
    sessions_disconnect(&gate);
    database_hide();
    assert_int_equal(gate_find(&token, NOON), ERR_STORE);
    assert_int_equal(gate_find(&ended, NOON),
                     variant->kind == TOKEN_CACHED ? ERR_NOT_FOUND : ERR_STORE);
    database_show();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_found_with_its_user),
        TEST(limits_hold_to_the_second),
        TEST(uses_carry_a_session_to_its_lifetime_and_no_further),
        TEST(a_copied_token_is_dead_after_signing_out),
        TEST(a_renewal_under_way_loses_to_a_sign_out),
        TEST(signing_out_ends_also_what_only_a_worker_remembers),
        TEST(whatever_revokes_ends_all_sessions_and_those_in_the_making),
        TEST(who_is_unlocked_is_let_in_again),
        TEST(what_is_remembered_is_checked_without_any_store),
        TEST(a_use_by_another_worker_counts_for_all),
        TEST(a_session_moves_between_stores_and_ends_in_all),
        TEST(in_doubt_the_stores_decide),
    };
    int failures = 0;
    log_open("test_backend", LOG_LEVEL_ERROR);
    for (size_t i = 0; i < VARIANTS; i++) {
        variant = &variants[i];
        failures += cmocka_run_group_tests_name(variant->name, tests, NULL, NULL);
    }
    return failures;
}
