/* Sessions of all stores as their administrator sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "capture.h"
#include "database.h"
#include "scratch.h"
#include "session/administer.h"
#include "store/revocations.h"

#define IDLE     1000
#define LIFETIME 5000

static struct session_row gone; /* what was ended last */
static const char *const stores[] = {"database", "cache", "cookie"};
#define STORES (sizeof stores / sizeof *stores)

static struct config *configs[STORES];
static struct sessions all[STORES]; /* one set of sessions, new ones of which go to each store */
static struct store *store;
static struct user alice;
static struct user bob;

static struct config *load(const char *store_name, int lifetime_s)
{
    char text[512];
    char error[CONFIG_ERROR_MAX] = "";
    struct config *loaded = NULL;
    (void)snprintf(text, sizeof text,
                   "[state]\ndirectory = %s\nrun_directory = %s\n[session]\nstore = %s\n"
                   "idle = %ds\nlifetime = %ds\nremember = %ds\n",
                   scratch_folder(), scratch_folder(), store_name, lifetime_s / 5, lifetime_s,
                   lifetime_s);
    if (config_load(scratch_write("test.conf", text), &loaded, error) != OK) {
        fail_msg("%s", error);
    }
    return loaded;
}

static int set_up(void **state)
{
    (void)state;
    (void)unlink(scratch_path("cache.db"));
    (void)unlink(scratch_path("cache.db-wal"));
    (void)unlink(scratch_path("cache.db-shm"));
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    alice = database_add_user(store, "alice");
    bob = database_add_user(store, "bob");
    for (size_t i = 0; i < STORES; i++) {
        configs[i] = load(stores[i], LIFETIME);
        assert_int_equal(sessions_open(configs[i], store, STORE_ROLE_ADMIN, false, &all[i]), OK);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORES; i++) {
        sessions_close(&all[i]);
        config_free(&configs[i]);
    }
    store_close(&store);
    return 0;
}

static struct token begin(size_t which, const struct user *user, int64_t now_s)
{
    struct token token = {0};
    const struct session_start start = {
        .now_s = now_s, .address = TEXT("192.0.2.7"), .agent = TEXT("Mozilla/5.0")};
    assert_int_equal(session_begin(&all[which], user, &start, &token), OK);
    return token;
}

static bool is_alive(const struct token *token)
{
    struct session_row row;
    enum status status = session_find(&all[0], token, NOON, &row);
    assert_true(status == OK || status == ERR_NOT_FOUND);
    return status == OK;
}

static void id_of(const struct token *token, char out[SESSION_ID_LEN + 1])
{
    uint8_t key[SESSION_KEY_BYTES];
    token_digest(token, key);
    session_print_id(key, out);
}

struct list {
    size_t count;
    size_t limit;
    struct session_row rows[8];
};

static bool collect(void *context, const struct session_row *row)
{
    struct list *list = context;
    assert_true(list->count < 8);
    list->rows[list->count++] = *row;
    return list->count != list->limit;
}

static size_t count(int64_t user_id, int64_t now_s)
{
    struct list list = {0};
    assert_int_equal(administer_list(&all[0], user_id, now_s, collect, &list), OK);
    return list.count;
}

static void sessions_of_all_stores_are_listed_with_their_users(void **state)
{
    (void)state;
    static const uint8_t nothing[USER_SALT_BYTES];
    struct list list = {0};
    for (size_t i = 0; i < STORES; i++) {
        (void)begin(i, &alice, NOON + (int64_t)i);
    }
    (void)begin(0, &bob, NOON);
    assert_int_equal(count(0, NOON), 4);
    assert_int_equal(count(bob.id, NOON), 1);
    assert_int_equal(count(4711, NOON), 0);
    assert_int_equal(administer_list(&all[2], alice.id, NOON, collect, &list), OK);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < list.count; i++) {
        assert_string_equal(list.rows[i].user, "alice");
        assert_string_equal(list.rows[i].address, "192.0.2.7");
        assert_memory_equal(list.rows[i].salt, nothing, sizeof nothing);
    }
    list = (struct list){.limit = 2};
    assert_int_equal(administer_list(&all[0], 0, NOON, collect, &list), OK);
    assert_int_equal(list.count, 2);
}

static void what_is_over_or_dead_is_not_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORES; i++) {
        (void)begin(i, &alice, NOON);
    }
    assert_int_equal(count(0, NOON + IDLE - 1), 3);
    assert_int_equal(count(0, NOON + IDLE), 0);
    database_exec("UPDATE user SET locked = 1");
    assert_int_equal(count(0, NOON), 0);
    database_exec("UPDATE user SET locked = 0");
    assert_int_equal(count(0, NOON), 3);
    database_exec("UPDATE user SET salt = randomblob(32)");
    assert_int_equal(count(0, NOON), 0);
}

static void any_session_is_ended_by_its_id(void **state)
{
    (void)state;
    char id[SESSION_ID_LEN + 1];
    for (size_t i = 0; i < STORES; i++) {
        struct token token = begin(i, &alice, NOON);
        struct token other = begin(i, &alice, NOON);
        id_of(&token, id);
        assert_int_equal(administer_end(&all[i], bob.id, text_of(id), &gone), ERR_NOT_FOUND);
        assert_true(is_alive(&token));
        assert_int_equal(administer_end(&all[(i + 1) % STORES], 0, text_of(id), &gone), OK);
        assert_int_equal(gone.user_id, alice.id);
        assert_string_equal(gone.user, alice.name);
        assert_false(is_alive(&token));
        id_of(&other, id);
        assert_int_equal(administer_end(&all[i], alice.id, text_of(id), &gone), OK);
        assert_false(is_alive(&other));
        other = begin(i, &alice, NOON);
        id_of(&token, id);
        assert_true(is_alive(&other));
        assert_int_equal(administer_end(&all[i], 0, text_of(id), &gone), ERR_NOT_FOUND);
    }
    assert_int_equal(administer_end(&all[0], 0, TEXT("0123456789abcdeg"), &gone), ERR_INPUT);
    assert_int_equal(administer_end(&all[0], 0, TEXT("0123456789abcde"), &gone), ERR_INPUT);
    assert_int_equal(administer_end(&all[0], 0, TEXT(""), &gone), ERR_INPUT);
    assert_int_equal(administer_end(&all[0], 0, TEXT("0123456789abcdef"), &gone), ERR_NOT_FOUND);
    assert_int_equal(count(0, NOON), 3);
}

static void all_sessions_of_one_user_or_of_all_are_ended(void **state)
{
    (void)state;
    struct token of_alice[STORES];
    struct token of_bob[STORES];
    int64_t ended = 0;
    for (size_t i = 0; i < STORES; i++) {
        of_alice[i] = begin(i, &alice, NOON);
        of_bob[i] = begin(i, &bob, NOON);
    }
    assert_int_equal(administer_end_all(&all[0], 4711, &ended), ERR_NOT_FOUND);
    assert_int_equal(administer_end_all(&all[0], alice.id, &ended), OK);
    assert_int_equal(ended, 3);
    for (size_t i = 0; i < STORES; i++) {
        assert_false(is_alive(&of_alice[i]));
        assert_true(is_alive(&of_bob[i]));
    }
    assert_int_equal(administer_end_all(&all[0], 0, &ended), OK);
    assert_int_equal(ended, 3);
    for (size_t i = 0; i < STORES; i++) {
        assert_false(is_alive(&of_bob[i]));
    }
    assert_int_equal(count(0, NOON), 0);
}

static void what_is_over_is_removed_everywhere(void **state)
{
    (void)state;
    int64_t removed = 0;
    for (size_t i = 0; i < STORES; i++) {
        (void)begin(i, &alice, NOON);
        (void)begin(i, &alice, NOON + 10);
    }
    assert_int_equal(administer_purge(&all[0], NOON + IDLE - 1, &removed), OK);
    assert_int_equal(removed, 0);
    assert_int_equal(administer_purge(&all[0], NOON + IDLE, &removed), OK);
    assert_int_equal(removed, 3);
    assert_int_equal(count(0, NOON + 10), 3);
}

static bool lose_the_database(void *context, const struct session_row *row)
{
    (void)row;
    database_hide();
    return ++*(int *)context < 8;
}

static void a_database_that_goes_away_meanwhile_is_a_failure(void **state)
{
    (void)state;
    int calls = 0;
    (void)begin(0, &alice, NOON);
    (void)begin(0, &bob, NOON);
    assert_int_equal(administer_list(&all[0], 0, NOON, lose_the_database, &calls), ERR_STORE);
    assert_int_equal(calls, 1);
    database_show();
    assert_int_equal(count(0, NOON), 2);
    database_exec("PRAGMA ignore_check_constraints = ON; UPDATE user SET salt = x'00'");
    calls = 0;
    assert_int_equal(administer_list(&all[0], 0, NOON, lose_the_database, &calls), ERR_STORE);
    assert_int_equal(calls, 0);
}

static void without_a_cache_there_are_the_others(void **state)
{
    (void)state;
    int64_t number = -1;
    (void)begin(0, &alice, NOON);
    (void)begin(2, &alice, NOON);
    assert_int_equal(access(scratch_path("cache.db"), F_OK), -1);
    assert_int_equal(count(0, NOON), 2);
    assert_int_equal(administer_purge(&all[1], NOON, &number), OK);
    assert_int_equal(number, 0);
    assert_int_equal(administer_end(&all[1], 0, TEXT("0123456789abcdef"), &gone), ERR_NOT_FOUND);
    assert_int_equal(administer_end_all(&all[1], 0, &number), OK);
    assert_int_equal(number, 2);
    assert_int_equal(access(scratch_path("cache.db"), F_OK), -1); /* nor was one made */
}

static void hide_the_cache(void)
{
    assert_int_equal(rename(scratch_path("cache.db"), scratch_path("hidden.db")), 0);
    assert_int_equal(symlink("cache.db", scratch_path("cache.db")), 0); /* to itself: ELOOP */
}

static void show_the_cache(void)
{
    assert_int_equal(rename(scratch_path("hidden.db"), scratch_path("cache.db")), 0);
}

/* That a session of it, which lives, would be answered with "no such session", and not be listed.
 */
static void a_cache_that_cannot_be_looked_for_may_be_there(void **state)
{
    (void)state;
    struct list list = {0};
    char id[SESSION_ID_LEN + 1];
    int64_t number = -1;
    struct token token = begin(1, &alice, NOON);
    id_of(&token, id);
    hide_the_cache();
    capture_start();
    enum status ended = administer_end(&all[1], 0, text_of(id), &gone);
    const char *said = capture_next();
    bool is_told = strstr(said, "cache.db: cannot tell whether there is such a file") != NULL;
    enum status listed = administer_list(&all[1], 0, NOON, collect, &list);
    enum status purged = administer_purge(&all[1], NOON, &number);
    capture_end();
    assert_int_equal(ended, ERR_STORE);
    assert_true(is_told);
    assert_int_equal(listed, ERR_STORE);
    assert_int_equal(purged, ERR_STORE);
    assert_int_equal(number, -1);
    show_the_cache();
    assert_true(is_alive(&token));
}

/* Where sessions are kept elsewhere: the answer is the same, but the revocation must outlast the
 * row that may be there. */
static void what_may_be_in_a_cache_stays_dead(void **state)
{
    (void)state;
    int64_t number = -1;
    struct token one = begin(1, &alice, NOON);
    struct token elsewhere = begin(0, &alice, NOON);
    hide_the_cache();
    capture_start();
    enum status ended = session_end(&all[0], &elsewhere);
    capture_end();
    assert_int_equal(ended, OK);
    assert_int_equal(
        database_ask("SELECT count(*) FROM revocation WHERE until_s = 9223372036854775807"), 1);
    capture_start();
    enum status ended_all = administer_end_all(&all[0], alice.id, &number);
    const char *said = capture_next();
    bool is_told = strstr(said, "cannot tell whether there is such a file") != NULL;
    capture_end();
    assert_int_equal(ended_all, OK);
    assert_true(is_told);
    assert_int_equal(number, 0);
    show_the_cache();
    assert_false(is_alive(&one));
    assert_false(is_alive(&elsewhere));
}

/* Its row in the cache would be good again when the revocation is forgotten, as by a clock that
 * goes ahead and back. */
static void a_row_that_cannot_be_taken_out_of_the_cache_stays_dead(void **state)
{
    (void)state;
    struct sessions weak;
    struct token token = begin(1, &alice, NOON);
    struct token elsewhere = begin(0, &alice, NOON);
    assert_int_equal(sessions_open(configs[1], store, STORE_ROLE_GATE, false, &weak), OK);
    capture_start();
    enum status ended = session_end(&weak, &token);
    enum status ended_elsewhere = session_end(&weak, &elsewhere);
    capture_end();
    assert_int_equal(ended, OK);
    assert_int_equal(ended_elsewhere, OK);
    assert_int_equal(database_ask("SELECT count(*) FROM revocation"), 2);
    assert_int_equal(
        database_ask("SELECT count(*) FROM revocation WHERE until_s = 9223372036854775807"), 1);
    assert_false(is_alive(&token));
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, NOON + 1000000), OK);
    assert_false(is_alive(&token));
    sessions_close(&weak);
}

static void what_may_come_back_is_not_called_ended(void **state)
{
    (void)state;
    struct sessions weak;
    char id[SESSION_ID_LEN + 1];
    struct token token = begin(1, &alice, NOON);
    id_of(&token, id);
    assert_int_equal(sessions_open(configs[1], store, STORE_ROLE_GATE, false, &weak), OK);
    database_revoke_another(store);
    database_exec("CREATE UNIQUE INDEX refuse ON revocation (until_s)"); /* no other for good */
    capture_start();
    enum status ended = session_end(&weak, &token);
    capture_end();
    assert_int_equal(ended, ERR_STORE);
    database_exec("DROP INDEX refuse");
    assert_int_equal(administer_end(&all[1], 0, text_of(id), &gone), OK);
    assert_false(is_alive(&token));
    sessions_close(&weak);
}

/* A session keeps the lifetime that it began with. Its row had to make room, so that the token does
 * not say how long that is; a newer one, sealed, lives on as long. */
static void a_revocation_outlasts_what_began_with_another_configuration(void **state)
{
    (void)state;
    struct config *config = load("cookie", 300);
    struct sessions shorter;
    struct session_row row;
    struct token token = begin(1, &alice, NOON);
    struct token sealed = {0};
    const struct session_start start = {.now_s = NOON + 100};
    assert_int_equal(sessions_open(config, store, STORE_ROLE_ADMIN, false, &shorter), OK);
    assert_int_equal(session_find(&shorter, &token, NOON + 100, &row), OK);
    assert_int_equal(session_renew(&shorter, &token, &row, &start, &sealed), OK);
    assert_int_equal(sealed.kind, TOKEN_SEALED);
    assert_int_equal(sessions_remove(shorter.cache, row.key), OK);
    assert_int_equal(session_end(&shorter, &token), OK);
    assert_int_equal(database_ask("SELECT until_s FROM revocation"), NOON + LIFETIME);
    database_revoke_another(store);
    assert_int_equal(revocations_purge(store, NOON + 400), OK);
    assert_false(is_alive(&sealed));
    sessions_close(&shorter);
    config_free(&config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_of_all_stores_are_listed_with_their_users),
        TEST(what_is_over_or_dead_is_not_listed),
        TEST(any_session_is_ended_by_its_id),
        TEST(all_sessions_of_one_user_or_of_all_are_ended),
        TEST(what_is_over_is_removed_everywhere),
        TEST(a_database_that_goes_away_meanwhile_is_a_failure),
        TEST(without_a_cache_there_are_the_others),
        TEST(a_cache_that_cannot_be_looked_for_may_be_there),
        TEST(what_may_be_in_a_cache_stays_dead),
        TEST(a_row_that_cannot_be_taken_out_of_the_cache_stays_dead),
        TEST(what_may_come_back_is_not_called_ended),
        TEST(a_revocation_outlasts_what_began_with_another_configuration),
    };
    log_open("test_administer", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
