#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buffer.h"
#include "command_line.h"
#include "scratch.h"
#include "store/users.h"

#define BCRYPT "$2y$05$abcdefghijklmnopqrstuuSEKDZYMOf9vu0pzFJMMnkYtIHCqWBPa"
#define SHA512                                                                                     \
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI"                       \
    "68u4OTLiBFdcbYEdFCoEOfaS35inz1"
#define ARGON2ID                                                                                   \
    "$argon2id$v=19$m=1024,t=1,p=1$nobodynobodynobodynobodynobodynobodynobodyA$"                   \
    "nobodynobodynobodynobodynobodynobodynobodyA"

static struct outcome outcome;

static int install(void **state)
{
    (void)state;
    command_line_install();
    return 0;
}

static void import_text(const char *text)
{
    command_line_run(&outcome, text, COMMAND("user", "import", "-"));
}

static size_t count_users(void)
{
    struct outcome listing;
    command_line_run(&listing, NULL, COMMAND("user", "list", "--json"));
    json_t *users = json_loads(listing.out, 0, NULL);
    assert_true(json_is_array(users));
    size_t count = json_array_size(users);
    json_decref(users);
    return count;
}

/* The stored hash of a user. */
static const char *hash_of(const char *name)
{
    static char hash[PASSWORD_HASH_MAX];
    struct store *store = NULL;
    struct user user;
    assert_int_equal(store_open(scratch_path("state/latchkey.db"), NULL, STORE_ROLE_ADMIN, &store),
                     OK);
    assert_int_equal(users_find(store, text_of(name), &user), OK);
    (void)snprintf(hash, sizeof hash, "%s", user.hash);
    store_close(&store);
    return hash;
}

static void every_line_of_a_good_file_becomes_a_user(void **state)
{
    (void)state;
    (void)scratch_write("users", "# from the old site\n\n"
                                 "alice:" BCRYPT "\n"
                                 "bob:" SHA512 "\r\n"
                                 "\r\n"
                                 "  \t\n"
                                 "carol@example.org:" ARGON2ID);
    command_line_run(&outcome, NULL, COMMAND("user", "import", scratch_path("users")));
    command_line_expect(&outcome, 0, "3 users imported.\n", "");
    assert_string_equal(hash_of("ALICE"), BCRYPT);
    assert_string_equal(hash_of("bob"), SHA512);
    assert_string_equal(hash_of("carol@example.org"), ARGON2ID);
    assert_int_equal(count_users(), 3);
}

static void standard_input_is_read_when_the_file_is_a_dash(void **state)
{
    (void)state;
    import_text("alice:" BCRYPT "\n");
    command_line_expect(&outcome, 0, "1 user imported.\n", "");
    assert_string_equal(hash_of("alice"), BCRYPT);
}

static void a_file_without_users_is_imported(void **state)
{
    (void)state;
    import_text("");
    command_line_expect(&outcome, 0, "0 users imported.\n", "");
    import_text("# nobody yet\n");
    command_line_expect(&outcome, 0, "0 users imported.\n", "");
}

static void each_bad_line_is_told_and_nobody_is_imported(void **state)
{
    static const struct {
        const char *line, *why;
    } bad[] = {
        {"bob", "there is no colon; write it as name:hash"},
        {"bob:" BCRYPT ":19000:0:99999:7:::", "there is a second colon"},
        {"bob:" BCRYPT ":", "there is a second colon"},
        {":" BCRYPT, "that is no user name; use 1 to 64 ASCII"},
        {"bob smith:" BCRYPT, "that is no user name"},
        {" bob:" BCRYPT, "that is no user name"},
        {"b\303\266b:" BCRYPT, "that is no user name"},
        {"../bob:" BCRYPT, "that is no user name"},
        {"a234567890123456789012345678901234567890123456789012345678901234x:" BCRYPT,
         "that is no user name"},
        {"bob:", "make a new one with htpasswd -B"},
        {"bob:$apr1$abcdefgh$0123456789012345678901", "Apache's MD5 is too weak"},
        {"bob:$1$abcdefgh$0123456789012345678901", "MD5 is too weak"},
        {"bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1 is too weak"},
        {"bob:{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1 is too weak"},
        {"bob:{PBKDF2}abc", "its scheme is not one that is supported"},
        {"bob:rqXexS6ZhobKA", "crypt's DES is too weak"},
        {"bob:hunter2hunter2", "that is no hash, perhaps the password itself"},
        {"bob:hunter2!hunter", "that is no hash, perhaps the password itself"},
        {"bob:!", "this account is locked there"},
        {"bob:*", "this account is locked there"},
        {"bob:!" BCRYPT, "this account is locked there"},
        {"bob:$2x$05$abcdefghijklmnopqrstuuSEKDZYMOf9vu0pzFJMMnkYtIHCqWBPa", "scheme"},
        {"bob:$2y$31$abcdefghijklmnopqrstuuSEKDZYMOf9vu0pzFJMMnkYtIHCqWBPa", "out of bounds"},
        {"bob:$argon2id$v=19$m=9999999,t=1,p=1$nobodynobodynobodynobodynobodynobodynobodyA$"
         "nobodynobodynobodynobodynobodynobodynobodyA",
         "out of bounds"},
        {"bob:" BCRYPT "x", "malformed"},
        {"bob:" BCRYPT " ", "malformed"},
        {"bob:" BCRYPT "\r\r", "malformed"},
        {"alice:" BCRYPT, "a line before has that name"},
        {"ALICE:" SHA512, "a line before has that name"},
    };
    struct buffer content;
    size_t count = sizeof bad / sizeof bad[0];
    (void)state;
    buffer_init(&content, 16384);
    buffer_add_string(&content, "alice:" BCRYPT "\n");
    for (size_t i = 0; i < count; i++) {
        buffer_print(&content, "%s\n", bad[i].line);
    }
    assert_false(content.failed);
    (void)scratch_write("users", content.data);
    buffer_clear(&content);
    command_line_run(&outcome, NULL, COMMAND("user", "import", scratch_path("users")));
    assert_int_equal(outcome.status, 1);
    assert_string_equal(outcome.out, "");
    assert_null(strstr(outcome.err, "hunter2"));
    assert_null(strstr(outcome.err, "$2y$"));
    char *rest = NULL;
    char *line = strtok_r(outcome.err, "\n", &rest);
    for (size_t i = 0; i < count; i++, line = strtok_r(NULL, "\n", &rest)) {
        char place[512];
        (void)snprintf(place, sizeof place, "%s:%zu: ", scratch_path("users"), i + 2);
        assert_non_null(line);
        if (strncmp(line, place, strlen(place)) != 0 || strstr(line, bad[i].why) == NULL ||
            strstr(line, "; ") == NULL) {
            fail_msg("%s gave: %s", bad[i].line, line);
        }
    }
    char last[512];
    (void)snprintf(last, sizeof last,
                   "latchkey: %zu lines of %s cannot be taken; nobody was imported", count,
                   scratch_path("users"));
    assert_string_equal(line, last);
    assert_int_equal(count_users(), 0);
}

static void a_user_who_is_there_already_is_told_and_stays(void **state)
{
    (void)state;
    import_text("alice:" BCRYPT "\n");
    assert_int_equal(outcome.status, 0);
    import_text("bob:" BCRYPT "\nAlice:" SHA512 "\nbob:" SHA512 "\n");
    assert_int_equal(outcome.status, 1);
    assert_non_null(strstr(outcome.err, "standard input:2: there is a user of that name already"));
    assert_non_null(strstr(outcome.err, "standard input:3: a line before has that name"));
    assert_non_null(strstr(outcome.err, "2 lines of standard input cannot be taken"));
    assert_string_equal(hash_of("alice"), BCRYPT);
    assert_int_equal(count_users(), 1);
}

static void an_id_is_not_taken_for_one_of_a_user_who_was_removed(void **state)
{
    (void)state;
    import_text("alice:" BCRYPT "\nbob:" BCRYPT "\n");
    command_line_run(&outcome, NULL, COMMAND("user", "remove", "bob"));
    import_text("carol:" BCRYPT "\nalice:" BCRYPT "\n");
    command_line_expect(&outcome, 1, "", ":2: there is a user of that name already");
}

static void a_nul_byte_is_told(void **state)
{
    static const char input[] = "alice:" BCRYPT "\nbob\0:" BCRYPT "\ncarol:" BCRYPT "\0\n\0\n";
    (void)state;
    command_line_run_bytes(&outcome, COMMAND("user", "import", "-"), input, sizeof input - 1);
    assert_int_equal(outcome.status, 1);
    assert_non_null(strstr(outcome.err, "standard input:2: there is a NUL byte"));
    assert_non_null(strstr(outcome.err, "standard input:3: there is a NUL byte"));
    assert_non_null(strstr(outcome.err, "standard input:4: there is a NUL byte"));
    assert_int_equal(count_users(), 0);
}

static void an_endless_line_is_told(void **state)
{
    size_t len = 2 << 20;
    char *input = malloc(len + 1);
    (void)state;
    assert_non_null(input);
    memset(input, 'x', len);
    memcpy(input, "alice:$", 7);
    input[len] = '\0';
    import_text(input);
    command_line_expect(&outcome, 1, "",
                        "standard input:1: the line is too long for a name and a hash");
    free(input);
}

static void many_users_are_imported_at_once(void **state)
{
    static char input[1 << 20];
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        len += (size_t)snprintf(input + len, sizeof input - len, "user%zu:" BCRYPT "\n", i);
    }
    assert_true(len < sizeof input);
    import_text(input);
    command_line_expect(&outcome, 0, "10000 users imported.\n", ""); /* no progress: no terminal */
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    command_line_run(&outcome, NULL, COMMAND("user", "import", scratch_path("missing")));
    command_line_expect(&outcome, 1, "", "missing cannot be opened: No such file or directory\n");
    command_line_run(&outcome, NULL, COMMAND("user", "import", scratch_folder()));
    command_line_expect(&outcome, 1, "", "cannot be read: Is a directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_line_of_a_good_file_becomes_a_user, install),
        cmocka_unit_test_setup(standard_input_is_read_when_the_file_is_a_dash, install),
        cmocka_unit_test_setup(a_file_without_users_is_imported, install),
        cmocka_unit_test_setup(each_bad_line_is_told_and_nobody_is_imported, install),
        cmocka_unit_test_setup(a_user_who_is_there_already_is_told_and_stays, install),
        cmocka_unit_test_setup(an_id_is_not_taken_for_one_of_a_user_who_was_removed, install),
        cmocka_unit_test_setup(a_nul_byte_is_told, install),
        cmocka_unit_test_setup(an_endless_line_is_told, install),
        cmocka_unit_test_setup(many_users_are_imported_at_once, install),
        cmocka_unit_test_setup(what_cannot_be_read_is_told, install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
