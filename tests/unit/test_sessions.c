/* The rows of sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "crypto/random.h"
#include "database.h"

static struct store *store;
static struct user alice;

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    alice = database_add_user(store, "alice");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

static int64_t count(void)
{
    return database_ask("SELECT count(*) FROM session");
}

static void a_session_is_found_as_it_was_added(void **state)
{
    (void)state;
    struct user bob = {.name = "bob",
                       .display = "Bob",
                       .email = "bob@example.org",
                       .groups = "staff",
                       .hash = "$h$",
                       .created_s = NOON};
    assert_int_equal(users_add(store, &bob), OK);
    struct session_row added = {.user_id = bob.id,
                                .created_s = NOON,
                                .seen_s = NOON + 1,
                                .idle_s = 7,
                                .expires_s = NOON + 70,
                                .remember = true,
                                .address = "2001:db8::1",
                                .agent = "curl/8"};
    memset(added.key, 0xfe, sizeof added.key);
    memcpy(added.salt, bob.salt, sizeof added.salt);
    assert_int_equal(sessions_add(store, &added), OK);
    struct session_row found = {0};
    assert_int_equal(sessions_find(store, added.key, &found), OK);
    assert_memory_equal(found.key, added.key, sizeof added.key);
    assert_memory_equal(found.salt, added.salt, sizeof added.salt);
    assert_int_equal(found.user_id, bob.id);
    assert_int_equal(found.created_s, NOON);
    assert_int_equal(found.seen_s, NOON + 1);
    assert_int_equal(found.idle_s, 7);
    assert_int_equal(found.expires_s, NOON + 70);
    assert_true(found.remember);
    assert_string_equal(found.address, "2001:db8::1");
    assert_string_equal(found.agent, "curl/8");
}

static void no_other_key_finds_it(void **state)
{
    (void)state;
    struct session_row added = database_add_session(store, &alice, 'k');
    struct session_row found = {.user_id = 77};
    for (size_t bit = 0; bit < sizeof added.key * 8; bit++) {
        uint8_t key[SESSION_KEY_BYTES];
        memcpy(key, added.key, sizeof key);
        key[bit / 8] = (uint8_t)(key[bit / 8] ^ (1U << bit % 8));
        assert_int_equal(sessions_find(store, key, &found), ERR_NOT_FOUND);
    }
    assert_int_equal(found.user_id, 77);
}

static void a_session_needs_its_users_present_salt(void **state)
{
    (void)state;
    struct session_row added = database_add_session(store, &alice, 'k');
    struct session_row row = added;
    row.key[0] = 'x';
    row.salt[31] ^= 1;
    assert_int_equal(sessions_add(store, &row), ERR_NOT_FOUND);
    row = added;
    row.key[0] = 'x';
    row.user_id = 12345;
    assert_int_equal(sessions_add(store, &row), ERR_NOT_FOUND);
    assert_int_equal(count(), 1);
}

static void a_key_is_never_given_twice(void **state)
{
    (void)state;
    struct session_row added = database_add_session(store, &alice, 'k');
    added.expires_s += 5000;
    assert_int_equal(sessions_add(store, &added), ERR_EXISTS);
    assert_int_equal(database_ask("SELECT expires_s FROM session"), NOON + 1000);
}

static void the_schema_refuses_empty_and_short_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"NULL", "x''", "zeroblob(23)", "zeroblob(25)"};
    (void)database_add_session(store, &alice, 'k');
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char script[512];
        (void)snprintf(
            script, sizeof script,
            "INSERT OR IGNORE INTO session SELECT 7, %s, user_id, salt, created_s, seen_s,"
            " idle_s, expires_s, remember, address, agent FROM session;",
            keys[i]);
        database_exec(script);
        assert_int_equal(count(), 1);
    }
    database_exec("UPDATE OR IGNORE session SET salt = x''");
    assert_int_equal(database_ask("SELECT length(salt) FROM session"), 32);
}

static void touching_moves_forward_and_brings_nothing_back(void **state)
{
    (void)state;
    struct session_row added = database_add_session(store, &alice, 'k');
    struct session_row found;
    assert_int_equal(database_touch(store, &added, NOON + 10), OK);
    assert_int_equal(sessions_find(store, added.key, &found), OK);
    assert_int_equal(found.seen_s, NOON + 10);
    assert_int_equal(database_touch(store, &added, NOON + 5), OK);
    assert_int_equal(sessions_find(store, added.key, &found), OK);
    assert_int_equal(found.seen_s, NOON + 10);
    assert_int_equal(sessions_remove(store, added.key), OK);
    assert_int_equal(database_touch(store, &added, NOON + 20), OK);
    assert_int_equal(sessions_find(store, added.key, &found), ERR_NOT_FOUND);
    assert_int_equal(count(), 0);
}

static void removing_takes_one_and_is_repeatable(void **state)
{
    (void)state;
    struct session_row first = database_add_session(store, &alice, 'k');
    struct session_row second = database_add_session(store, &alice, 'l');
    assert_int_equal(sessions_remove(store, first.key), OK);
    assert_int_equal(sessions_remove(store, first.key), OK);
    assert_int_equal(sessions_find(store, first.key, &first), ERR_NOT_FOUND);
    assert_int_equal(sessions_find(store, second.key, &second), OK);
}

static void of_two_ends_of_a_session_the_later_counts(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'k');
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sessions_end(store, row.key, i == 1 ? NOON + 1500 : NOON + 1000), OK);
        assert_int_equal(database_ask("SELECT until_s FROM revocation"),
                         i == 0 ? NOON + 1000 : NOON + 1500);
        assert_int_equal(database_ask("SELECT sequence FROM generation"), 1);
    }
}

static void people_name_sessions_by_an_id(void **state)
{
    (void)state;
    const struct text bad[] = {TEXT(""),
                               TEXT("6b6b6b6b6b6b6b6"),
                               TEXT("6b6b6b6b6b6b6b6b6"),
                               TEXT("6b6b6b6b6b6b6b6g"),
                               TEXT("6b6b6b6b 6b6b6b6"),
                               TEXT("%%%%%%%%%%%%%%%%"),
                               TEXT("0x6b6b6b6b6b6b6b")};
    char id[SESSION_ID_LEN + 1];
    struct session_row found;
    struct session_row row = database_add_session(store, &alice, 'k');
    struct session_row other = database_add_session(store, &alice, '\xff');
    session_print_id(row.key, id);
    assert_string_equal(id, "6b6b6b6b6b6b6b6b");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(sessions_find_by_id(store, bad[i], &found), ERR_INPUT);
    }
    assert_int_equal(sessions_find_by_id(store, TEXT("6b6b6b6b6b6b6b6a"), &found), ERR_NOT_FOUND);
    assert_int_equal(count(), 2);
    assert_int_equal(sessions_find_by_id(store, TEXT("6B6b6b6b6b6b6b6B"), &found), OK);
    assert_memory_equal(found.key, row.key, sizeof row.key);
    assert_int_equal(sessions_find_by_id(store, TEXT("ffffffffffffffff"), &found), OK);
    assert_memory_equal(found.key, other.key, sizeof other.key);
}

static void ending_all_renews_every_salt(void **state)
{
    (void)state;
    int64_t ended = -1;
    struct user found;
    struct user bob = database_add_user(store, "bob");
    struct user carol = database_add_user(store, "carol");
    (void)database_add_session(store, &alice, 'a');
    (void)database_add_session(store, &bob, 'b');
    struct session_row row = database_add_session(store, &bob, 'c');
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    assert_int_equal(ended, 3);
    assert_int_equal(count(), 0);
    assert_int_equal(users_find(store, TEXT("carol"), &found), OK);
    assert_memory_not_equal(found.salt, carol.salt, sizeof carol.salt);
    assert_int_equal(database_ask("SELECT count(DISTINCT salt) FROM user"), 3);
    assert_int_equal(sessions_add(store, &row), ERR_NOT_FOUND);
    assert_int_equal(sessions_remove_all(store, &ended), OK);
    assert_int_equal(ended, 0);
}

static void what_is_over_is_purged_and_nothing_else(void **state)
{
    (void)state;
    int64_t removed = -1;
    struct session_row row;
    struct session_row first = database_add_session(store, &alice, 'k');
    struct session_row used = database_add_session(store, &alice, 'l');
    assert_int_equal(database_touch(store, &used, NOON + 950), OK);
    assert_int_equal(sessions_purge(store, NOON + 99, 0, &removed), OK);
    assert_int_equal(removed, 0);
    assert_int_equal(sessions_purge(store, NOON + 100, 0, &removed), OK); /* the idle limit */
    assert_int_equal(removed, 1);
    assert_int_equal(sessions_find(store, first.key, &row), ERR_NOT_FOUND);
    assert_int_equal(sessions_purge(store, NOON + 999, 0, &removed), OK);
    assert_int_equal(removed, 0);
    assert_int_equal(sessions_purge(store, NOON + 1000, 0, &removed), OK); /* the absolute one */
    assert_int_equal(removed, 1);
}

static void purging_in_steps_reaches_every_row(void **state)
{
    (void)state;
    int64_t removed = 0;
    int64_t in_all = 0;
    assert_int_equal(store_begin(store), OK);
    for (int i = 0; i < 200; i++) {
        struct session_row row = {.user_id = alice.id,
                                  .created_s = NOON,
                                  .seen_s = NOON,
                                  .idle_s = i % 2 == 0 ? 10 : 1000,
                                  .expires_s = NOON + 1000};
        memcpy(row.salt, alice.salt, sizeof row.salt);
        assert_int_equal(random_fill(row.key, sizeof row.key), OK);
        assert_int_equal(sessions_add(store, &row), OK);
    }
    assert_int_equal(store_commit(store), OK);
    for (int i = 0; i < 500 && in_all < 100; i++) {
        assert_int_equal(sessions_purge(store, NOON + 10, 16, &removed), OK);
        assert_true(removed <= 16);
        in_all += removed;
    }
    assert_int_equal(in_all, 100);
    assert_int_equal(count(), 100);
    /* When all rows are looked at, all that are over go at once, wherever the look begins. */
    assert_int_equal(sessions_purge(store, NOON + 1000, 100, &removed), OK);
    assert_int_equal(removed, 100);
}

struct listed {
    char keys[16];
    size_t count;
    size_t limit;
};

static bool note_row(void *context, const struct session_row *row)
{
    struct listed *listed = context;
    assert_true(row->user_id != 0);
    listed->keys[listed->count++] = (char)row->key[0];
    return listed->count < listed->limit;
}

static void sessions_that_are_alive_are_listed_newest_first(void **state)
{
    (void)state;
    struct listed listed = {.limit = 9};
    struct user bob = database_add_user(store, "bob");
    (void)database_add_session(store, &alice, 'a');
    (void)database_add_session(store, &bob, 'b');
    (void)database_add_session(store, &alice, 'c');
    (void)database_add_session(store, &alice, 'd');
    database_exec("UPDATE session SET created_s = created_s + unicode(CAST(rest AS TEXT));"
                  "UPDATE session SET seen_s = seen_s - 50 WHERE CAST(rest AS TEXT) LIKE 'c%'");
    assert_int_equal(sessions_list(store, 0, NOON + 60, note_row, &listed), OK);
    assert_string_equal(listed.keys, "dba");
    listed = (struct listed){.limit = 9};
    assert_int_equal(sessions_list(store, alice.id, NOON, note_row, &listed), OK);
    assert_string_equal(listed.keys, "dca");
    listed = (struct listed){.limit = 1};
    assert_int_equal(sessions_list(store, alice.id, NOON, note_row, &listed), OK);
    assert_string_equal(listed.keys, "d");
    listed = (struct listed){.limit = 9};
    assert_int_equal(sessions_list(store, 12345, NOON, note_row, &listed), OK);
    assert_int_equal(listed.count, 0);
}

static void add_with_agent(char byte, const char *agent, int64_t expires_s)
{
    struct session_row found;
    struct session_row row = {.user_id = alice.id,
                              .created_s = NOON,
                              .seen_s = NOON,
                              .idle_s = 86400,
                              .expires_s = expires_s};
    memset(row.key, byte, sizeof row.key);
    memcpy(row.salt, alice.salt, sizeof row.salt);
    (void)snprintf(row.agent, sizeof row.agent, "%s", agent);
    assert_int_equal(sessions_add(store, &row), OK);
    assert_int_equal(sessions_find(store, row.key, &found), OK);
    assert_string_equal(found.agent, agent);
}

static void agents_are_shared_as_long_as_somebody_may_have_them(void **state)
{
    (void)state;
    int64_t removed = 0;
    add_with_agent('a', "one", NOON + 10);
    add_with_agent('b', "one", NOON + 3 * 86400);
    add_with_agent('c', "two", NOON + 10);
    add_with_agent('d', "", NOON + 10);
    add_with_agent('e', "12", NOON + 10); /* no number, though it looks like one */
    assert_int_equal(database_ask("SELECT count(*) FROM agent"), 4);
    assert_int_equal(database_ask("SELECT count(DISTINCT agent) FROM session"), 4);
    assert_int_equal(database_ask("SELECT count(*) FROM agent JOIN session"
                                  " ON until_s < expires_s AND agent.id = session.agent"),
                     0);
    assert_int_equal(sessions_purge(store, NOON + 2 * 86400, 64, &removed), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM agent WHERE name = 'one'"), 1);
    assert_int_equal(database_ask("SELECT count(*) FROM agent"), 1);
    assert_int_equal(sessions_purge(store, NOON + 5 * 86400, 0, &removed), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM agent"), 0);
    add_with_agent('f', "three", NOON + 10);
    assert_int_equal(database_ask("SELECT id FROM agent"), 5); /* a number is used once */
}

static void where_too_many_agents_are_known_a_session_keeps_its_own(void **state)
{
    (void)state;
    database_exec("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
                  "INSERT INTO agent (name, until_s) SELECT 'agent ' || i, 2000000000 FROM n");
    add_with_agent('a', "the last", NOON + 10);
    add_with_agent('b', "one too many", NOON + 10);
    add_with_agent('c', "agent 77", NOON + 10);
    assert_int_equal(database_ask("SELECT count(*) FROM agent"), SESSION_AGENTS_MAX);
    assert_int_equal(database_ask("SELECT count(*) FROM session WHERE typeof(agent) = 'integer'"),
                     2);
    assert_int_equal(database_ask("SELECT count(*) FROM session WHERE agent = 'one too many'"), 1);
}

static void a_session_costs_at_most_200_bytes(void **state)
{
    (void)state;
    enum { SESSIONS = 20000 };
    int64_t before = database_ask("PRAGMA page_count");
    assert_int_equal(store_begin(store), OK);
    for (int i = 0; i < SESSIONS; i++) {
        struct session_row row = {.user_id = alice.id,
                                  .created_s = NOON,
                                  .seen_s = NOON,
                                  .idle_s = 7200,
                                  .expires_s = NOON + 86400,
                                  .address = "192.168.100.101",
                                  .agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
                                           "(KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"};
        memcpy(row.salt, alice.salt, sizeof row.salt);
        assert_int_equal(random_fill(row.key, sizeof row.key), OK);
        assert_int_equal(sessions_add(store, &row), OK);
    }
    assert_int_equal(store_commit(store), OK);
    int64_t pages = database_ask("PRAGMA page_count") - before;
    assert_int_equal(database_ask("PRAGMA page_size"), 4096);
    assert_in_range(pages * 4096 / SESSIONS, 100, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_found_as_it_was_added),
        TEST(no_other_key_finds_it),
        TEST(a_session_needs_its_users_present_salt),
        TEST(a_key_is_never_given_twice),
        TEST(the_schema_refuses_empty_and_short_keys),
        TEST(touching_moves_forward_and_brings_nothing_back),
        TEST(removing_takes_one_and_is_repeatable),
        TEST(of_two_ends_of_a_session_the_later_counts),
        TEST(people_name_sessions_by_an_id),
        TEST(ending_all_renews_every_salt),
        TEST(what_is_over_is_purged_and_nothing_else),
        TEST(purging_in_steps_reaches_every_row),
        TEST(sessions_that_are_alive_are_listed_newest_first),
        TEST(agents_are_shared_as_long_as_somebody_may_have_them),
        TEST(where_too_many_agents_are_known_a_session_keeps_its_own),
        TEST(a_session_costs_at_most_200_bytes),
    };
    log_open("test_sessions", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
