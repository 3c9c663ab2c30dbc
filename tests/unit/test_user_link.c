/* latchkey user invite and reset-link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "command_line.h"
#include "database.h"
#include "scratch.h"
#include "store/links.h"
#include "verdict_of.h"

#define GOOD "correct horse\n"

static struct outcome outcome;

static int install(void **state)
{
    (void)state;
    command_line_install();
    command_line_configure("[site]\nurl = https://example.org\n");
    return 0;
}

static struct store *open_store(void)
{
    struct store *store = NULL;
    assert_int_equal(store_open(scratch_path("state/latchkey.db"), scratch_path("run/generation"),
                                STORE_ROLE_ADMIN, &store),
                     OK);
    return store;
}

static struct user find(const char *name)
{
    struct store *store = open_store();
    struct user user;
    assert_int_equal(users_find(store, text_of(name), &user), OK);
    store_close(&store);
    return user;
}

static bool is_there(const char *name)
{
    struct store *store = open_store();
    struct user user;
    enum status status = users_find(store, text_of(name), &user);
    store_close(&store);
    return status == OK;
}

static void add(const char *name)
{
    command_line_run(&outcome, GOOD, COMMAND("user", "add", name, "--password-stdin"));
    command_line_expect(&outcome, 0, "added.\n", "");
}

/* The code of the link that was printed: after `before`, and alone on the first of two lines. */
static const char *read_code(const char *before)
{
    static char code[LINK_CODE_LEN + 1];
    char until[CLOCK_TEXT_MAX];
    char second[80];
    size_t len = strlen(before);
    assert_int_equal(outcome.status, 0);
    if (strncmp(outcome.out, before, len) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", outcome.out, before);
    }
    assert_int_equal(strcspn(outcome.out, "\n"), len + LINK_CODE_LEN);
    memcpy(code, outcome.out + len, LINK_CODE_LEN);
    for (int64_t ago = 0; ago < 20; ago++) {
        clock_print(time(NULL) - ago + LINK_LIFE_S, until);
        (void)snprintf(second, sizeof second, "\nThe link works once, until %s.\n", until);
        if (strcmp(outcome.out + len + LINK_CODE_LEN, second) == 0) {
            return code;
        }
    }
    fail_msg("the second line is not as it should be: %s", outcome.out + len + LINK_CODE_LEN);
    return NULL;
}

#define LINK "https://example.org/auth/account/link?code="

static enum status use(const char *code, const char *hash, struct user *out)
{
    struct store *store = open_store();
    enum status status = database_use_link(store, text_of(code), hash, time(NULL), out);
    store_close(&store);
    return status;
}

static void an_invited_user_has_all_but_a_password_and_a_link_that_sets_it(void **state)
{
    (void)state;
    struct user used = {0};
    command_line_run(&outcome, NULL,
                     COMMAND("user", "invite", "Bob", "--name", "Bob B.", "--email",
                             "bob@example.org", "--group", "staff", "--group=admins"));
    const char *code = read_code(LINK);
    assert_string_equal(outcome.err, "");
    struct user bob = find("bob");
    assert_string_equal(bob.name, "Bob");
    assert_string_equal(bob.display, "Bob B.");
    assert_string_equal(bob.email, "bob@example.org");
    assert_string_equal(bob.groups, "staff,admins");
    assert_string_equal(bob.hash, PASSWORD_HASH_NONE);
    assert_false(bob.locked);
    assert_int_equal(use(code, "$new$", &used), OK);
    assert_int_equal(used.id, bob.id);
    assert_string_equal(find("bob").hash, "$new$");
    assert_int_equal(use(code, "$again$", &used), ERR_NOT_FOUND);
}

static void no_password_opens_an_account_without_one(void **state)
{
    (void)state;
    const struct password_cost cost = {1 << 20, 1};
    static const char *const tries[] = {"", "!", "password", "Bob"};
    command_line_run(&outcome, NULL, COMMAND("user", "invite", "Bob"));
    (void)read_code(LINK);
    struct user bob = find("bob");
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        assert_int_equal(verdict_of(text_of(tries[i]), bob.hash, &cost, NULL), DENY);
    }
}

static void a_name_that_is_taken_gets_the_remedy(void **state)
{
    (void)state;
    add("alice");
    struct user before = find("alice");
    command_line_run(&outcome, NULL, COMMAND("user", "invite", "ALICE"));
    command_line_expect(&outcome, 1, "",
                        "latchkey: there is a user ALICE already; for a link to set a new "
                        "password: latchkey user reset-link ALICE\n");
    struct user after = find("alice");
    assert_memory_equal(&before, &after, sizeof before);
}

static void what_no_user_may_have_is_refused(void **state)
{
    static const struct {
        const char *words[6];
        int status;
        const char *said;
    } bad[] = {
        {{"user", "invite", "", NULL}, 1, "that is no user name: 1 to 64 ASCII"},
        {{"user", "invite", "a b", NULL}, 1, "that is no user name"},
        {{"user", "invite", "bob", "--name", "\033[2J", NULL}, 1, "--name: "},
        {{"user", "invite", "bob", "--email", "bob", NULL}, 1, "--email: "},
        {{"user", "invite", "bob", "--group", "a,b", NULL}, 1, "--group: "},
        {{"user", "invite", "bob", "--password-stdin", NULL}, 2, "does not take --password-stdin"},
        {{"user", "invite", NULL}, 2, "user invite needs NAME"},
        {{"user", "reset-link", NULL}, 2, "user reset-link needs NAME"},
        {{"user", "reset-link", "bob", "--email", "a@b", NULL}, 2, "does not take --email"},
        {{"user", "reset-link", "bob", NULL}, 1, "there is no user of that name; see `latchkey "},
        {{"user", "reset-link", "' or 1=1", NULL}, 1, "there is no user of that name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        command_line_run(&outcome, GOOD, bad[i].words);
        command_line_expect(&outcome, bad[i].status, "", bad[i].said);
    }
    assert_false(is_there("bob"));
}

static void the_old_password_stays_good_until_the_link_is_used(void **state)
{
    (void)state;
    struct user used = {0};
    add("alice");
    struct user before = find("alice");
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "ALICE"));
    const char *code = read_code(LINK);
    assert_string_equal(outcome.err, "");
    struct user between = find("alice");
    assert_memory_equal(&before, &between, sizeof before);
    assert_int_equal(use(code, "$new$", &used), OK);
    assert_string_equal(find("alice").hash, "$new$");
    assert_memory_not_equal(find("alice").salt, before.salt, sizeof before.salt);
}

static void a_second_link_and_a_new_password_make_the_first_worthless(void **state)
{
    (void)state;
    struct user used = {0};
    char first[LINK_CODE_LEN + 1];
    add("alice");
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "alice"));
    (void)snprintf(first, sizeof first, "%s", read_code(LINK));
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "alice"));
    const char *second = read_code(LINK);
    assert_string_not_equal(first, second);
    assert_int_equal(use(first, "$x$", &used), ERR_NOT_FOUND);
    command_line_run(&outcome, "another password\n",
                     COMMAND("user", "passwd", "alice", "--password-stdin"));
    command_line_expect(&outcome, 0, "new password", "");
    assert_int_equal(use(second, "$x$", &used), ERR_NOT_FOUND);
    assert_string_not_equal(find("alice").hash, "$x$");
}

static void a_locked_user_gets_no_link_but_the_remedy(void **state)
{
    (void)state;
    add("alice");
    command_line_run(&outcome, NULL, COMMAND("user", "lock", "alice"));
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "Alice"));
    command_line_expect(&outcome, 1, "",
                        "latchkey: user alice is locked, and no link would work; first: latchkey "
                        "user unlock alice\n");
    command_line_run(&outcome, NULL, COMMAND("user", "unlock", "alice"));
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "alice"));
    (void)read_code(LINK);
}

static void without_the_sites_address_the_link_is_a_path_and_that_is_said(void **state)
{
    (void)state;
    static const char said[] = "latchkey: the link begins with its path: put the site's address, "
                               "as https://example.org, before it, or set site.url\n";
    command_line_configure("[site]\npath = /members/door\n");
    command_line_run(&outcome, NULL, COMMAND("user", "invite", "bob"));
    (void)read_code("/members/door/account/link?code=");
    assert_string_equal(outcome.err, said);
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "bob"));
    (void)read_code("/members/door/account/link?code=");
    assert_string_equal(outcome.err, said);
}

static void a_link_that_cannot_be_written_is_no_success(void **state)
{
    (void)state;
    command_line_output_to("/dev/full");
    command_line_run(&outcome, NULL, COMMAND("user", "invite", "bob"));
    command_line_output_to(NULL);
    command_line_expect(&outcome, 1, "", "standard output cannot be written");
    command_line_run(&outcome, NULL, COMMAND("user", "reset-link", "bob"));
    (void)read_code(LINK);
}

#define TEST(name) cmocka_unit_test_setup(name, install)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_invited_user_has_all_but_a_password_and_a_link_that_sets_it),
        TEST(no_password_opens_an_account_without_one),
        TEST(a_name_that_is_taken_gets_the_remedy),
        TEST(what_no_user_may_have_is_refused),
        TEST(the_old_password_stays_good_until_the_link_is_used),
        TEST(a_second_link_and_a_new_password_make_the_first_worthless),
        TEST(a_locked_user_gets_no_link_but_the_remedy),
        TEST(without_the_sites_address_the_link_is_a_path_and_that_is_said),
        TEST(a_link_that_cannot_be_written_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
