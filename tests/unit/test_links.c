/* One-time links. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "database.h"
#include "scratch.h"
#include "store/links.h"

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

struct code {
    char text[LINK_CODE_LEN + 1];
};

static struct code make_for(const struct user *user, int64_t now_s)
{
    struct code code;
    assert_int_equal(links_make(store, user->id, now_s, code.text), OK);
    return code;
}

static enum status find(struct text code, int64_t now_s)
{
    struct user user = {.id = -7};
    enum status status = links_find(store, code, now_s, &user);
    assert_int_equal(user.id, status == OK ? alice.id : -7);
    return status;
}

static enum status use(struct text code, int64_t now_s)
{
    struct user user = {.id = -7};
    enum status status = database_use_link(store, code, "$used$", now_s, &user);
    assert_int_equal(user.id, status == OK ? alice.id : -7);
    return status;
}

static bool hash_is(const char *hash)
{
    struct user user;
    assert_int_equal(users_find(store, TEXT("alice"), &user), OK);
    return strcmp(user.hash, hash) == 0;
}

static void a_code_is_43_characters_and_another_each_time(void **state)
{
    (void)state;
    uint8_t bytes[LINK_CODE_BYTES];
    struct code first = make_for(&alice, NOON);
    struct code second = make_for(&alice, NOON);
    assert_int_equal(strlen(first.text), LINK_CODE_LEN);
    assert_int_equal(base64url_decode(text_of(first.text), bytes, sizeof bytes), OK);
    assert_string_not_equal(first.text, second.text);
}

static void finding_uses_nothing_up(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    for (int i = 0; i < 3; i++) {
        struct user user = {0};
        assert_int_equal(links_find(store, text_of(code.text), NOON + i, &user), OK);
        assert_string_equal(user.name, "alice");
        assert_memory_equal(user.salt, alice.salt, sizeof user.salt);
    }
    assert_true(hash_is(alice.hash));
}

static void a_code_sets_the_password_once_and_ends_all_sessions(void **state)
{
    (void)state;
    struct user used = {0};
    struct user now = {0};
    struct session_row row = database_add_session(store, &alice, 'a');
    struct code code = make_for(&alice, NOON);
    assert_int_equal(database_use_link(store, text_of(code.text), "$new$", NOON + 9, &used), OK);
    assert_int_equal(users_find(store, TEXT("alice"), &now), OK);
    assert_int_equal(used.id, alice.id);
    assert_string_equal(now.hash, "$new$");
    assert_int_equal(now.password_s, NOON + 9);
    assert_memory_equal(used.salt, now.salt, sizeof now.salt);
    assert_memory_not_equal(used.salt, alice.salt, sizeof now.salt);
    assert_int_equal(sessions_find(store, row.key, &row), ERR_NOT_FOUND);
    assert_int_equal(database_ask("SELECT count(*) FROM revocation"), 1);
    assert_int_equal(find(text_of(code.text), NOON + 9), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(code.text), NOON + 9), ERR_NOT_FOUND);
    assert_true(hash_is("$new$"));
}

static void the_account_program_may_use_links_but_not_make_them(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    char other[LINK_CODE_LEN + 1] = "";
    store_close(&store);
    store = database_open(STORE_ROLE_ACCOUNT);
    assert_int_equal(links_make(store, alice.id, NOON, other), ERR_PERMISSION);
    assert_string_equal(other, "");
    assert_int_equal(find(text_of(code.text), NOON), OK);
    assert_int_equal(use(text_of(code.text), NOON), OK);
}

static void a_code_is_good_for_a_day(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    assert_int_equal(find(text_of(code.text), NOON + LINK_LIFE_S), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(code.text), NOON + LINK_LIFE_S), ERR_NOT_FOUND);
    assert_true(hash_is(alice.hash));
    assert_int_equal(use(text_of(code.text), NOON + LINK_LIFE_S - 1), OK);
}

static void a_new_code_takes_the_place_of_the_users_old_one(void **state)
{
    (void)state;
    struct user bob = database_add_user(store, "bob");
    struct code of_bob = make_for(&bob, NOON);
    struct code first = make_for(&alice, NOON);
    struct code second = make_for(&alice, NOON);
    struct user user = {0};
    assert_int_equal(find(text_of(first.text), NOON), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(first.text), NOON), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(second.text), NOON), OK);
    assert_int_equal(links_find(store, text_of(of_bob.text), NOON, &user), OK);
    assert_int_equal(user.id, bob.id);
}

static void old_codes_leave_when_one_is_made(void **state)
{
    (void)state;
    struct user bob = database_add_user(store, "bob");
    (void)make_for(&bob, NOON);
    (void)make_for(&alice, NOON + LINK_LIFE_S - 1);
    assert_int_equal(database_ask("SELECT count(*) FROM link"), 2);
    (void)make_for(&alice, NOON + LINK_LIFE_S);
    assert_int_equal(database_ask("SELECT count(*) FROM link"), 1);
}

static void a_code_changes_nobody_elses_password(void **state)
{
    (void)state;
    struct user bob = database_add_user(store, "bob");
    struct session_row row = database_add_session(store, &bob, 'b');
    struct code code = make_for(&alice, NOON);
    assert_int_equal(use(text_of(code.text), NOON), OK);
    struct user found = {0};
    assert_int_equal(users_find(store, TEXT("bob"), &found), OK);
    assert_memory_equal(&found, &bob, sizeof bob);
    assert_int_equal(sessions_find(store, row.key, &row), OK);
}

static void a_password_set_otherwise_takes_the_link_away(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    assert_int_equal(users_set_password(store, alice.id, "$set$", NOON), OK);
    assert_int_equal(use(text_of(code.text), NOON), ERR_NOT_FOUND);
    assert_true(hash_is("$set$"));
    assert_int_equal(database_ask("SELECT count(*) FROM link"), 0);
}

static void a_rehash_and_an_end_of_sessions_leave_the_link(void **state)
{
    (void)state;
    int64_t ended = 0;
    struct code code = make_for(&alice, NOON);
    assert_int_equal(users_rehash(store, alice.id, alice.hash, "$better$"), OK);
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_int_equal(use(text_of(code.text), NOON), OK);
}

static void a_locked_users_code_is_good_for_nothing(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    assert_int_equal(users_set_locked(store, alice.id, true), OK);
    assert_int_equal(find(text_of(code.text), NOON), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(code.text), NOON), ERR_NOT_FOUND);
    assert_true(hash_is(alice.hash));
    assert_int_equal(users_set_locked(store, alice.id, false), OK);
    assert_int_equal(use(text_of(code.text), NOON), ERR_NOT_FOUND); /* it went with the lock */
    assert_int_equal(database_ask("SELECT count(*) FROM link"), 0);
}

static void all_codes_end_together(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    assert_int_equal(links_remove_all(store), OK);
    assert_int_equal(find(text_of(code.text), NOON), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(code.text), NOON), ERR_NOT_FOUND);
}

static void a_removed_users_code_goes_along(void **state)
{
    (void)state;
    char none[LINK_CODE_LEN + 1] = "";
    struct code code = make_for(&alice, NOON);
    assert_int_equal(users_remove(store, alice.id), OK);
    assert_int_equal(find(text_of(code.text), NOON), ERR_NOT_FOUND);
    assert_int_equal(use(text_of(code.text), NOON), ERR_NOT_FOUND);
    assert_int_equal(database_ask("SELECT count(*) FROM link"), 0);
    assert_int_equal(links_make(store, alice.id, NOON, none), ERR_NOT_FOUND);
    assert_string_equal(none, "");
    assert_int_equal(database_ask("SELECT count(*) FROM link"), 0);
}

static void other_texts_are_no_codes(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    struct text good = text_of(code.text);
    struct code changed = code;
    char longer[LINK_CODE_LEN + 2];
    uint8_t digest[DIGEST_BYTES];
    char digest_text[BASE64URL_LEN(DIGEST_BYTES) + 1];
    (void)snprintf(longer, sizeof longer, "%sA", code.text);
    changed.text[7] = changed.text[7] == 'A' ? 'B' : 'A';
    digest_sha256(good, digest);
    base64url_encode(digest, sizeof digest, digest_text);
    const struct text bad[] = {
        {NULL, 0},
        TEXT(""),
        TEXT("' OR 1=1 --"),
        {code.text, LINK_CODE_LEN - 1},
        {code.text, LINK_CODE_LEN + 1}, /* with its NUL */
        text_of(longer),
        text_of(changed.text),
        text_of(digest_text),
        TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        TEXT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"), /* stray bits at the end */
        TEXT("\xff\xfe\0\0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (find(bad[i], NOON) != ERR_NOT_FOUND || use(bad[i], NOON) != ERR_NOT_FOUND) {
            fail_msg("case %zu", i);
        }
    }
    assert_int_equal(use(good, NOON), OK);
}

static void a_code_that_is_none_locks_nothing(void **state)
{
    (void)state;
    struct store *writer = database_open(STORE_ROLE_ADMIN);
    struct code code = make_for(&alice, NOON);
    code.text[0] = code.text[0] == 'A' ? 'B' : 'A';
    assert_int_equal(store_begin(writer), OK);
    assert_int_equal(use(text_of(code.text), NOON), ERR_NOT_FOUND); /* would wait, and ERR_STORE */
    store_rollback(writer);
    store_close(&writer);
}

/* Whether a file in the scratch folder holds the bytes. */
static bool file_holds(const char *name, struct text bytes)
{
    static char content[1 << 20];
    FILE *file = fopen(scratch_path(name), "r");
    assert_non_null(file);
    size_t len = fread(content, 1, sizeof content, file);
    assert_true(len > 0 && len < sizeof content);
    assert_int_equal(fclose(file), 0);
    return memmem(content, len, bytes.data, bytes.len) != NULL;
}

static void files_hold_the_digest_and_not_the_code(void **state)
{
    (void)state;
    uint8_t bytes[LINK_CODE_BYTES];
    uint8_t digest[DIGEST_BYTES];
    struct code code = make_for(&alice, NOON);
    assert_int_equal(base64url_decode(text_of(code.text), bytes, sizeof bytes), OK);
    digest_sha256(text_of(code.text), digest);
    const struct text secrets[] = {text_of(code.text), {(const char *)bytes, sizeof bytes}};
    const struct text known = {(const char *)digest, sizeof digest};
    assert_true(file_holds("latchkey.db-wal", known));
    for (size_t i = 0; i < 2; i++) {
        assert_false(file_holds("latchkey.db-wal", secrets[i]));
    }
    store_close(&store); /* the last one brings the log into the database */
    assert_true(file_holds("latchkey.db", known));
    for (size_t i = 0; i < 2; i++) {
        assert_false(file_holds("latchkey.db", secrets[i]));
    }
}

#define RACERS 4

/* Waits for the start, then uses the code with a connection of its own; the exit status is 0 when
 * it won, 1 when the code was good no more. */
static void race(struct text code, int start, int number)
{
    char hash[32];
    char byte;
    struct user user;
    struct store *own = database_open(STORE_ROLE_ACCOUNT);
    (void)snprintf(hash, sizeof hash, "$racer%d$", number);
    (void)!read(start, &byte, 1);
    enum status status = database_use_link(own, code, hash, NOON, &user);
    store_close(&own);
    _Exit(status == OK ? 0 : status == ERR_NOT_FOUND ? 1 : 2);
}

static void of_several_at_once_one_wins(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        int start[2];
        int wins = 0;
        pid_t children[RACERS];
        struct code code = make_for(&alice, NOON);
        store_disconnect(store); /* nothing of it may cross fork */
        assert_int_equal(pipe(start), 0);
        for (int i = 0; i < RACERS; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                (void)close(start[1]);
                race(text_of(code.text), start[0], i);
            }
        }
        (void)close(start[0]);
        (void)close(start[1]);
        for (int i = 0; i < RACERS; i++) {
            int result = -1;
            char hash[32];
            assert_int_equal(waitpid(children[i], &result, 0), children[i]);
            assert_true(WIFEXITED(result) && WEXITSTATUS(result) <= 1);
            (void)snprintf(hash, sizeof hash, "$racer%d$", i);
            assert_int_equal(hash_is(hash), WEXITSTATUS(result) == 0);
            wins += WEXITSTATUS(result) == 0;
        }
        assert_int_equal(wins, 1);
    }
}

static void a_store_that_fails_is_no_missing_code(void **state)
{
    (void)state;
    struct code code = make_for(&alice, NOON);
    database_hide();
    assert_int_equal(find(text_of(code.text), NOON), ERR_STORE);
    assert_int_equal(use(text_of(code.text), NOON), ERR_STORE);
    database_show();
    assert_int_equal(use(text_of(code.text), NOON), OK);
}

/* The revocation cannot be noted, which is the last of what goes together. */
static void half_a_use_is_none(void **state)
{
    (void)state;
    struct session_row row = database_add_session(store, &alice, 'a');
    struct code code = make_for(&alice, NOON);
    database_exec("CREATE TABLE kept AS SELECT * FROM generation; DELETE FROM generation");
    assert_int_equal(use(text_of(code.text), NOON), ERR_STORE);
    database_exec("INSERT INTO generation SELECT * FROM kept; DROP TABLE kept");
    assert_true(hash_is(alice.hash));
    assert_int_equal(sessions_find(store, row.key, &row), OK);
    assert_int_equal(use(text_of(code.text), NOON), OK);
    assert_true(hash_is("$used$"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_code_is_43_characters_and_another_each_time),
        TEST(finding_uses_nothing_up),
        TEST(a_code_sets_the_password_once_and_ends_all_sessions),
        TEST(the_account_program_may_use_links_but_not_make_them),
        TEST(a_code_is_good_for_a_day),
        TEST(a_new_code_takes_the_place_of_the_users_old_one),
        TEST(old_codes_leave_when_one_is_made),
        TEST(a_code_changes_nobody_elses_password),
        TEST(a_password_set_otherwise_takes_the_link_away),
        TEST(a_rehash_and_an_end_of_sessions_leave_the_link),
        TEST(a_locked_users_code_is_good_for_nothing),
        TEST(all_codes_end_together),
        TEST(a_removed_users_code_goes_along),
        TEST(other_texts_are_no_codes),
        TEST(a_code_that_is_none_locks_nothing),
        TEST(files_hold_the_digest_and_not_the_code),
        TEST(of_several_at_once_one_wins),
        TEST(a_store_that_fails_is_no_missing_code),
        TEST(half_a_use_is_none),
    };
    log_open("test_links", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
