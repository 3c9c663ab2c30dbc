/* The rows of users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "database.h"

static struct store *store;

static int set_up(void **state)
{
    (void)state;
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

static struct user find(const char *name)
{
    struct user user = {0};
    assert_int_equal(users_find(store, text_of(name), &user), OK);
    return user;
}

#define LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"

static void names_are_judged_by_their_bytes(void **state)
{
    (void)state;
    const struct {
        struct text name;
        bool valid;
    } cases[] = {
        {TEXT("alice"), true},      {TEXT("Alice.B_c-d@e+f"), true},
        {TEXT("1"), true},          {TEXT(LONG_64), true},
        {TEXT(LONG_64 "4"), false}, {TEXT(""), false},
        {TEXT("a b"), false},       {TEXT("a\0b"), false},
        {TEXT("a,b"), false},       {TEXT("b\xc3\xb6se"), false},
        {TEXT("a\n"), false},       {TEXT("a:b"), false},
        {TEXT("../a"), false},      {TEXT("a'b"), false},
        {TEXT("a%b"), false},       {TEXT("a\x7f"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (user_name_is_valid(cases[i].name) != cases[i].valid) {
            fail_msg("%.*s", (int)cases[i].name.len, cases[i].name.data);
        }
    }
}

static void display_names_are_text_for_people(void **state)
{
    (void)state;
    char longest[USER_DISPLAY_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(user_display_is_valid((struct text){longest, USER_DISPLAY_MAX}));
    assert_false(user_display_is_valid((struct text){longest, sizeof longest}));
    assert_true(user_display_is_valid(TEXT("")));
    assert_true(user_display_is_valid(TEXT("B\xc3\xb6"
                                           "b & <Co>")));
    assert_false(user_display_is_valid(TEXT("a\r\nb")));
    assert_false(user_display_is_valid(TEXT("a\0b")));
    assert_false(user_display_is_valid(TEXT("\xc3")));
    assert_false(user_display_is_valid(TEXT("\xed\xa0\x80")));
    /* Next to the refused ones: U+00A0, U+2027, U+202F, U+2065, U+206A. */
    assert_true(
        user_display_is_valid(TEXT("\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa")));
    assert_false(user_display_is_valid(TEXT("\xc2\x80")));
    assert_false(user_display_is_valid(TEXT("a\xc2\x9b"
                                            "31m")));
    assert_false(user_display_is_valid(TEXT("\xe2\x80\xa8")));
    assert_false(user_display_is_valid(TEXT("\xe2\x80\xae")));
    assert_false(user_display_is_valid(TEXT("\xe2\x81\xa6")));
    assert_false(user_display_is_valid(TEXT("\xe2\x81\xa9")));
}

static void email_addresses_fit_into_headers(void **state)
{
    (void)state;
    const struct {
        struct text email;
        bool valid;
    } cases[] = {
        {TEXT(""), true},         {TEXT("a@b"), true},         {TEXT("a+b@c.example"), true},
        {TEXT("a"), false},       {TEXT("@"), false},          {TEXT("@b"), false},
        {TEXT("a@"), false},      {TEXT("a@b@c"), false},      {TEXT("a b@c"), false},
        {TEXT("a@b\n"), false},   {TEXT("\xc3\xb6@b"), false}, {TEXT("a@b\0"), false},
        {TEXT("a\x7f@b"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (user_email_is_valid(cases[i].email) != cases[i].valid) {
            fail_msg("%.*s", (int)cases[i].email.len, cases[i].email.data);
        }
    }
}

static void groups_are_added_once_and_within_the_limit(void **state)
{
    (void)state;
    struct user user = {0};
    assert_int_equal(user_add_group(&user, TEXT("admins")), OK);
    assert_int_equal(user_add_group(&user, TEXT("staff")), OK);
    assert_int_equal(user_add_group(&user, TEXT("admins")), OK);
    assert_int_equal(user_add_group(&user, TEXT("admin")), OK);
    assert_string_equal(user.groups, "admins,staff,admin");
    assert_int_equal(user_add_group(&user, TEXT("a,b")), ERR_INPUT);
    assert_int_equal(user_add_group(&user, TEXT("")), ERR_INPUT);
    assert_string_equal(user.groups, "admins,staff,admin");
    enum status status = OK;
    for (int i = 0; status == OK && i < 1000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "group-%d", i);
        status = user_add_group(&user, text_of(name));
    }
    assert_int_equal(status, ERR_TOO_LARGE);
    assert_true(strlen(user.groups) <= USER_GROUPS_MAX);
    assert_true(strlen(user.groups) > USER_GROUPS_MAX - 16);
}

static void a_user_is_found_as_it_was_added_whatever_the_case(void **state)
{
    (void)state;
    struct user user = {
        .name = "Alice",
        .display = "Alice \xc3\x84",
        .email = "alice@example.org",
        .groups = "admins,staff",
        .hash = "$hash$",
        .created_s = NOON,
    };
    assert_int_equal(users_add(store, &user), OK);
    assert_true(user.id > 0);
    assert_int_equal(user.password_s, NOON);
    struct user found = find("aLICE");
    assert_memory_equal(&found, &user, sizeof user);
    static const uint8_t zeros[USER_SALT_BYTES];
    assert_memory_not_equal(found.salt, zeros, sizeof zeros);
}

static void a_name_is_taken_in_either_case(void **state)
{
    (void)state;
    struct user first = database_add_user(store, "alice");
    struct user second = {.name = "ALICE", .hash = "$h$", .created_s = NOON, .id = -5};
    assert_int_equal(users_add(store, &second), ERR_EXISTS);
    assert_int_equal(second.id, -5);
    assert_int_equal(find("alice").id, first.id);
}

static void names_that_no_user_has_are_not_found(void **state)
{
    (void)state;
    const struct text names[] = {
        TEXT("bob"),   TEXT(""),       TEXT("' OR 1=1 --"), TEXT("alice\0"),  TEXT("%"),
        TEXT("alic_"), TEXT("alice "), TEXT(LONG_64 "4"),   TEXT("\xff\xfe"), TEXT("alice'; --")};
    (void)database_add_user(store, "alice");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct user user = {.id = 77};
        assert_int_equal(users_find(store, names[i], &user), ERR_NOT_FOUND);
        assert_int_equal(user.id, 77);
    }
}

static void fields_that_break_the_rules_are_refused(void **state)
{
    (void)state;
    static const struct user cases[] = {
        {.name = "a b", .hash = "$h$", .created_s = NOON},
        {.name = "", .hash = "$h$", .created_s = NOON},
        {.name = "a", .hash = "", .created_s = NOON},
        {.name = "a", .hash = "$h\n", .created_s = NOON},
        {.name = "a", .hash = "$h$", .display = "x\ny", .created_s = NOON},
        {.name = "a", .hash = "$h$", .email = "x", .created_s = NOON},
        {.name = "a", .hash = "$h$", .groups = "x,", .created_s = NOON},
        {.name = "a", .hash = "$h$", .groups = ",x", .created_s = NOON},
        {.name = "a", .hash = "$h$", .groups = "x,,y", .created_s = NOON},
        {.name = "a", .hash = "$h$", .groups = "x y", .created_s = NOON},
        {.name = "a", .hash = "$h$"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct user user = cases[i];
        if (users_add(store, &user) != ERR_INPUT) {
            fail_msg("case %zu", i);
        }
    }
    assert_int_equal(database_ask("SELECT count(*) FROM user"), 0);
}

static void a_new_password_gives_a_new_salt_and_removes_sessions(void **state)
{
    (void)state;
    struct user alice = database_add_user(store, "alice");
    struct user bob = database_add_user(store, "bob");
    struct session_row row = database_add_session(store, &alice, 'a');
    struct session_row other = database_add_session(store, &bob, 'b');
    assert_int_equal(users_set_password(store, alice.id, "$new$", NOON + 9), OK);
    struct user found = find("alice");
    assert_string_equal(found.hash, "$new$");
    assert_int_equal(found.password_s, NOON + 9);
    assert_memory_not_equal(found.salt, alice.salt, sizeof alice.salt);
    assert_int_equal(sessions_find(store, row.key, &row), ERR_NOT_FOUND);
    assert_int_equal(sessions_find(store, other.key, &other), OK);
    assert_int_equal(sessions_add(store, &row), ERR_NOT_FOUND);
    assert_int_equal(users_set_password(store, 12345, "$new$", NOON), ERR_NOT_FOUND);
}

static void a_rehash_loses_against_a_new_password(void **state)
{
    (void)state;
    struct user alice = database_add_user(store, "alice");
    assert_int_equal(users_rehash(store, alice.id, alice.hash, "$better$"), OK);
    struct user found = find("alice");
    assert_string_equal(found.hash, "$better$");
    assert_memory_equal(found.salt, alice.salt, sizeof alice.salt);
    assert_int_equal(users_set_password(store, alice.id, "$changed$", NOON), OK);
    assert_int_equal(users_rehash(store, alice.id, "$better$", "$late$"), OK);
    assert_string_equal(find("alice").hash, "$changed$");
}

static void locking_ends_sessions_and_unlocking_does_not_bring_them_back(void **state)
{
    (void)state;
    struct user alice = database_add_user(store, "alice");
    struct session_row row = database_add_session(store, &alice, 'a');
    assert_int_equal(users_set_locked(store, alice.id, true), OK);
    assert_true(find("alice").locked);
    assert_int_equal(sessions_find(store, row.key, &row), ERR_NOT_FOUND);
    struct user locked = find("alice");
    memcpy(row.salt, locked.salt, sizeof row.salt);
    assert_int_equal(sessions_add(store, &row), ERR_NOT_FOUND);
    assert_int_equal(users_set_locked(store, alice.id, false), OK);
    assert_false(find("alice").locked);
    assert_int_equal(sessions_find(store, row.key, &row), ERR_NOT_FOUND);
    assert_int_equal(users_set_locked(store, 12345, true), ERR_NOT_FOUND);
}

static void a_new_salt_ends_the_sessions_of_one_user(void **state)
{
    (void)state;
    int64_t ended = -1;
    struct user alice = database_add_user(store, "alice");
    struct user bob = database_add_user(store, "bob");
    struct session_row row = database_add_session(store, &bob, 'b');
    (void)database_add_session(store, &alice, 'a');
    (void)database_add_session(store, &alice, 'c');
    assert_int_equal(users_renew_salt(store, alice.id, &ended), OK);
    assert_int_equal(ended, 2);
    assert_memory_not_equal(find("alice").salt, alice.salt, sizeof alice.salt);
    assert_string_equal(find("alice").hash, alice.hash);
    assert_int_equal(sessions_find(store, row.key, &row), OK);
    assert_int_equal(users_renew_salt(store, 12345, &ended), ERR_NOT_FOUND);
    assert_int_equal(ended, 2);
}

static void a_removed_user_leaves_nothing_and_the_id_never_comes_back(void **state)
{
    (void)state;
    struct user alice = database_add_user(store, "alice");
    (void)database_add_session(store, &alice, 'a');
    assert_int_equal(users_remove(store, alice.id), OK);
    assert_int_equal(users_remove(store, alice.id), ERR_NOT_FOUND);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
    struct user again = database_add_user(store, "alice");
    assert_true(again.id > alice.id);
    assert_memory_not_equal(again.salt, alice.salt, sizeof alice.salt);
}

struct names {
    char text[256];
    size_t limit;
    size_t count;
};

static bool note_name(void *context, const struct user *user)
{
    static const uint8_t zeros[USER_SALT_BYTES];
    struct names *names = context;
    assert_string_equal(user->hash, "");
    assert_memory_equal(user->salt, zeros, sizeof zeros);
    size_t len = strlen(names->text);
    (void)snprintf(names->text + len, sizeof names->text - len, "%s ", user->name);
    names->count++;
    return names->count < names->limit;
}

static void users_are_listed_by_name_without_secrets(void **state)
{
    (void)state;
    struct names names = {.limit = 99};
    assert_int_equal(users_list(store, note_name, &names), OK);
    assert_int_equal(names.count, 0);
    (void)database_add_user(store, "bob");
    (void)database_add_user(store, "Carol");
    (void)database_add_user(store, "alice");
    assert_int_equal(users_list(store, note_name, &names), OK);
    assert_string_equal(names.text, "alice bob Carol ");
    names = (struct names){.limit = 2};
    assert_int_equal(users_list(store, note_name, &names), OK);
    assert_string_equal(names.text, "alice bob ");
    assert_int_equal(users_list(store, note_name, &names), OK); /* the store is free again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged_by_their_bytes),
        cmocka_unit_test(display_names_are_text_for_people),
        cmocka_unit_test(email_addresses_fit_into_headers),
        cmocka_unit_test(groups_are_added_once_and_within_the_limit),
        TEST(a_user_is_found_as_it_was_added_whatever_the_case),
        TEST(a_name_is_taken_in_either_case),
        TEST(names_that_no_user_has_are_not_found),
        TEST(fields_that_break_the_rules_are_refused),
        TEST(a_new_password_gives_a_new_salt_and_removes_sessions),
        TEST(a_rehash_loses_against_a_new_password),
        TEST(locking_ends_sessions_and_unlocking_does_not_bring_them_back),
        TEST(a_new_salt_ends_the_sessions_of_one_user),
        TEST(a_removed_user_leaves_nothing_and_the_id_never_comes_back),
        TEST(users_are_listed_by_name_without_secrets),
    };
    log_open("test_users", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
