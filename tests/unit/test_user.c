/* latchkey user add, passwd, list, lock, unlock, remove. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "command_line.h"
#include "scratch.h"
#include "store/users.h"
#include "verdict_of.h"

#define GOOD "correct horse\n"

static struct outcome outcome;

static int install(void **state)
{
    (void)state;
    command_line_install();
    return 0;
}

static void add(const char *name)
{
    command_line_run(&outcome, GOOD, COMMAND("user", "add", name, "--password-stdin"));
    command_line_expect(&outcome, 0, "added.\n", "");
}

/* The user as the store has it. */
static struct user find(const char *name)
{
    struct store *store = NULL;
    struct user user;
    assert_int_equal(store_open(scratch_path("state/latchkey.db"), NULL, STORE_ROLE_ADMIN, &store),
                     OK);
    assert_int_equal(users_find(store, text_of(name), &user), OK);
    store_close(&store);
    return user;
}

static bool password_is(const char *name, const char *password)
{
    const struct password_cost cost = {1 << 20, 1};
    struct user user = find(name);
    bool stale = true;
    return verdict_of(text_of(password), user.hash, &cost, &stale) == ALLOW && !stale;
}

/* The list as JSON; json_decref. */
static json_t *list(size_t count)
{
    command_line_run(&outcome, NULL, COMMAND("user", "list", "--json"));
    command_line_expect(&outcome, 0, "]\n", "");
    json_t *users = json_loads(outcome.out, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_array(users));
    assert_int_equal(json_array_size(users), count);
    return users;
}

static const char *text_in(json_t *user, const char *name)
{
    assert_true(json_is_string(json_object_get(user, name)));
    return json_string_value(json_object_get(user, name));
}

static void a_user_is_added_with_all_that_was_said(void **state)
{
    int64_t before = time(NULL);
    (void)state;
    command_line_run(&outcome, GOOD,
                     COMMAND("user", "add", "Alice", "--name", "Alice \"\303\211\" <\\>", "--email",
                             "alice@example.org", "--group", "staff", "--group=admins", "--group",
                             "staff", "--password-stdin"));
    command_line_expect(&outcome, 0, "User Alice added.\n", "");
    assert_true(password_is("alice", "correct horse"));
    assert_false(password_is("alice", "correct hors"));
    json_t *users = list(1);
    json_t *user = json_array_get(users, 0);
    assert_string_equal(text_in(user, "user"), "Alice");
    assert_string_equal(text_in(user, "name"), "Alice \"\303\211\" <\\>");
    assert_string_equal(text_in(user, "email"), "alice@example.org");
    assert_int_equal(json_array_size(json_object_get(user, "groups")), 2);
    assert_true(json_is_false(json_object_get(user, "locked")));
    int64_t created = json_integer_value(json_object_get(user, "created"));
    assert_true(created >= before && created <= time(NULL));
    assert_int_equal(json_integer_value(json_object_get(user, "password_changed")), created);
    assert_int_equal(json_object_size(user), 7);
    json_decref(users);
    command_line_run(&outcome, NULL, COMMAND("user", "list"));
    command_line_expect(&outcome, 0, "alice@example.org", "");
    assert_non_null(strstr(outcome.out, "USER "));
    assert_non_null(strstr(outcome.out, "Alice "));
    assert_null(strstr(outcome.out, "argon2"));
}

static void users_are_listed_in_order_of_their_names(void **state)
{
    static const char *const names[] = {"Alice", "bob", "Carol"};
    (void)state;
    json_decref(list(0));
    command_line_run(&outcome, NULL, COMMAND("user", "list"));
    command_line_expect(&outcome, 0, "There are no users yet: latchkey user add NAME\n", "");
    add("Carol");
    add("Alice");
    add("bob");
    json_t *users = list(3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(text_in(json_array_get(users, i), "user"), names[i]);
    }
    json_decref(users);
}

static void what_no_user_may_have_is_refused(void **state)
{
    static const struct {
        const char *words[7];
        const char *said;
    } bad[] = {
        {{"user", "add", "", "--password-stdin", NULL}, "that is no user name: 1 to 64 ASCII"},
        {{"user", "add", "a b", "--password-stdin", NULL}, "that is no user name"},
        {{"user", "add", "a:b", "--password-stdin", NULL}, "that is no user name"},
        {{"user", "add", "a\nb", "--password-stdin", NULL}, "that is no user name"},
        {{"user", "add", "b\303\266b", "--password-stdin", NULL}, "that is no user name"},
        {{"user", "add", "bob", "--name", "\033[2J", "--password-stdin", NULL}, "--name: "},
        {{"user", "add", "bob", "--name", "\377", "--password-stdin", NULL}, "--name: "},
        {{"user", "add", "bob", "--email", "bob", "--password-stdin", NULL}, "--email: "},
        {{"user", "add", "bob", "--email", "a@b@c", "--password-stdin", NULL}, "--email: "},
        {{"user", "add", "bob", "--email", "a@b\r\nX: y", "--password-stdin", NULL}, "--email: "},
        {{"user", "add", "bob", "--group", "a,b", "--password-stdin", NULL}, "--group: "},
        {{"user", "add", "bob", "--group", "", "--password-stdin", NULL}, "--group: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        command_line_run(&outcome, GOOD, bad[i].words);
        command_line_expect(&outcome, 1, "", bad[i].said);
        assert_ptr_equal(strchr(outcome.err, '\n'), outcome.err + strlen(outcome.err) - 1);
    }
    json_decref(list(0));
}

static void bad_passwords_are_refused_and_never_shown(void **state)
{
    static const struct {
        const char *input, *said;
    } bad[] = {
        {"", "no password was given; nothing was changed"},
        {"hunter2\n", "the password is too short: at least 12 characters (password.min_length)"},
        {"hunter2hunter2\thunter2\n", "holds a control character or is not UTF-8"},
        {"hunter2hunter2\377\n", "holds a control character or is not UTF-8"},
    };
    (void)state;
    add("alice");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        command_line_run(&outcome, bad[i].input, COMMAND("user", "add", "bob", "--password-stdin"));
        command_line_expect(&outcome, 1, "", bad[i].said);
        assert_null(strstr(outcome.err, "hunter2"));
        command_line_run(&outcome, bad[i].input,
                         COMMAND("user", "passwd", "alice", "--password-stdin"));
        command_line_expect(&outcome, 1, "", bad[i].said);
        assert_null(strstr(outcome.err, "hunter2"));
    }
    json_decref(list(1));
    assert_true(password_is("alice", "correct horse"));
}

static void a_name_is_given_once_whatever_its_case(void **state)
{
    (void)state;
    add("alice");
    command_line_run(&outcome, "another password\n",
                     COMMAND("user", "add", "ALICE", "--password-stdin"));
    command_line_expect(&outcome, 1, "",
                        "there is a user ALICE already; to set another password: "
                        "latchkey user passwd ALICE\n");
    assert_true(password_is("alice", "correct horse"));
}

static void a_new_password_takes_the_place_of_the_old_one_and_of_the_salt(void **state)
{
    (void)state;
    add("alice");
    struct user before = find("alice");
    command_line_run(&outcome, "another password\n",
                     COMMAND("user", "passwd", "ALICE", "--password-stdin"));
    command_line_expect(&outcome, 0, "User alice has a new password; all sessions have ended.\n",
                        "");
    assert_true(password_is("alice", "another password"));
    assert_false(password_is("alice", "correct horse"));
    struct user after = find("alice");
    assert_memory_not_equal(before.salt, after.salt, sizeof before.salt);
}

static void a_locked_user_shows_as_such_until_unlocked(void **state)
{
    (void)state;
    add("alice");
    struct user before = find("alice");
    command_line_run(&outcome, NULL, COMMAND("user", "lock", "alice"));
    command_line_expect(&outcome, 0, "User alice is locked; all sessions have ended.\n", "");
    struct user locked = find("alice");
    assert_true(locked.locked);
    assert_memory_not_equal(before.salt, locked.salt, sizeof before.salt);
    json_t *users = list(1);
    assert_true(json_is_true(json_object_get(json_array_get(users, 0), "locked")));
    json_decref(users);
    command_line_run(&outcome, NULL, COMMAND("user", "unlock", "alice"));
    command_line_expect(&outcome, 0, "User alice may sign in again.\n", "");
    assert_false(find("alice").locked);
    assert_true(password_is("alice", "correct horse"));
}

static void a_removed_user_is_gone(void **state)
{
    (void)state;
    add("alice");
    add("bob");
    command_line_run(&outcome, NULL, COMMAND("user", "remove", "alice"));
    command_line_expect(&outcome, 0, "User alice is removed; all sessions have ended.\n", "");
    json_decref(list(1));
}

static void nobody_of_that_name_is_told(void **state)
{
    static const char *const words[][4] = {
        {"user", "lock", "bob", NULL},           {"user", "unlock", "bob", NULL},
        {"user", "remove", "bob", NULL},         {"user", "passwd", "bob", NULL},
        {"session", "list", "bob", NULL},        {"session", "revoke-user", "bob", NULL},
        {"session", "revoke-user", "a b", NULL}, {"user", "remove", "", NULL},
        {"user", "remove", "' or 1=1", NULL},
    };
    (void)state;
    add("alice");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        command_line_run(&outcome, GOOD, words[i]);
        command_line_expect(&outcome, 1, "",
                            "there is no user of that name; see `latchkey user "
                            "list`\n");
    }
    json_decref(list(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_user_is_added_with_all_that_was_said, install),
        cmocka_unit_test_setup(users_are_listed_in_order_of_their_names, install),
        cmocka_unit_test_setup(what_no_user_may_have_is_refused, install),
        cmocka_unit_test_setup(bad_passwords_are_refused_and_never_shown, install),
        cmocka_unit_test_setup(a_name_is_given_once_whatever_its_case, install),
        cmocka_unit_test_setup(a_new_password_takes_the_place_of_the_old_one_and_of_the_salt,
                               install),
        cmocka_unit_test_setup(a_locked_user_shows_as_such_until_unlocked, install),
        cmocka_unit_test_setup(a_removed_user_is_gone, install),
        cmocka_unit_test_setup(nobody_of_that_name_is_told, install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
