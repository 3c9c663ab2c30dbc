/* latchkey audit, and what the commands write into the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "command_line.h"
#include "db/db.h"
#include "scratch.h"
#include "tables.h"

#define GOOD "correct horse\n"

static struct outcome outcome;

static int install(void **state)
{
    (void)state;
    command_line_install();
    return 0;
}

static void run(const char *const words[])
{
    command_line_run(&outcome, GOOD, words);
    if (outcome.status != 0 || outcome.err[0] != '\0') {
        fail_msg("%s %s: %d %s", words[0], words[1], outcome.status, outcome.err);
    }
}

static void add(const char *name)
{
    run(COMMAND("user", "add", name, "--password-stdin"));
}

static void exec(const char *sql)
{
    const struct db_settings settings = {.path = scratch_path("state/latchkey.db")};
    struct db *db = NULL;
    assert_int_equal(db_open(&settings, &db), OK);
    assert_int_equal(db_exec(db, sql), OK);
    db_close(&db);
}

static void assert_whole(int rows)
{
    char wanted[100];
    (void)snprintf(wanted, sizeof wanted, "%d row%s, the chain is whole.\n", rows,
                   rows == 1 ? "" : "s");
    command_line_run(&outcome, NULL, COMMAND("audit", "verify"));
    command_line_expect(&outcome, 0, wanted, "");
}

/* The log as JSON; json_decref. */
static json_t *list(size_t count)
{
    run(COMMAND("audit", "--json"));
    json_t *rows = json_loads(outcome.out, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_array(rows));
    assert_int_equal(json_array_size(rows), count);
    return rows;
}

static const char *text_in(json_t *row, const char *name)
{
    assert_true(json_is_string(json_object_get(row, name)));
    return json_string_value(json_object_get(row, name));
}

static void each_command_that_changes_something_is_recorded(void **state)
{
    static const struct {
        const char *act, *user, *detail;
    } wanted[] = {
        {"user", "alice", "added"},          {"password", "alice", "set"},
        {"lock", "alice", "locked"},         {"lock", "alice", "unlocked"},
        {"revoke", "alice", "all sessions"}, {"revoke", "", "all sessions"},
        {"import", "", "2 users"},           {"secret", "", "rotated"},
        {"user", "alice", "removed"},
    };
    char program[64];
    int64_t before = time(NULL);
    (void)state;
    add("alice");
    run(COMMAND("user", "passwd", "ALICE", "--password-stdin"));
    run(COMMAND("user", "lock", "Alice"));
    run(COMMAND("user", "unlock", "alice"));
    run(COMMAND("session", "revoke-user", "alice"));
    run(COMMAND("session", "revoke-all"));
    command_line_run(&outcome,
                     "bob:$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n"
                     "eve:$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n",
                     COMMAND("user", "import", "-"));
    command_line_expect(&outcome, 0, "2 users imported", "");
    run(COMMAND("secret", "rotate"));
    run(COMMAND("user", "remove", "alice"));
    (void)snprintf(program, sizeof program, "latchkey (uid %lu)", (unsigned long)getuid());
    json_t *rows = list(COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        json_t *row = json_array_get(rows, i);
        assert_string_equal(text_in(row, "act"), wanted[i].act);
        assert_string_equal(text_in(row, "user"), wanted[i].user);
        assert_string_equal(text_in(row, "detail"), wanted[i].detail);
        assert_string_equal(text_in(row, "outcome"), "done");
        assert_string_equal(text_in(row, "program"), program);
        assert_string_equal(text_in(row, "address"), "");
        assert_int_equal(json_integer_value(json_object_get(row, "id")), i + 1);
        assert_true(json_integer_value(json_object_get(row, "time")) >= before);
        assert_int_equal(json_object_size(row), 8);
    }
    json_decref(rows);
    assert_whole(COUNT(wanted));
}

static void what_was_not_done_is_not_recorded(void **state)
{
    (void)state;
    add("alice");
    command_line_run(&outcome, GOOD, COMMAND("user", "add", "alice", "--password-stdin"));
    command_line_run(&outcome, "short\n", COMMAND("user", "passwd", "alice", "--password-stdin"));
    command_line_run(&outcome, NULL, COMMAND("user", "lock", "nobody"));
    command_line_run(&outcome, "x:y\n", COMMAND("user", "import", "-"));
    command_line_run(&outcome, NULL, COMMAND("session", "revoke", "0123456789abcdef"));
    command_line_run(&outcome, NULL, COMMAND("session", "revoke", "x"));
    run(COMMAND("user", "list"));
    json_decref(list(1));
}

static void nothing_is_recorded_where_that_is_switched_off(void **state)
{
    (void)state;
    command_line_configure("[log]\naudit = no\n");
    add("alice");
    run(COMMAND("secret", "rotate"));
    run(COMMAND("secret", "revoke"));
    json_decref(list(0));
    command_line_run(&outcome, NULL, COMMAND("audit"));
    command_line_expect(&outcome, 0, "Nothing is recorded.\n", "");
    assert_whole(0);
}

static void the_table_is_for_people(void **state)
{
    (void)state;
    add("alice");
    run(COMMAND("session", "revoke-all"));
    run(COMMAND("audit"));
    assert_non_null(strstr(outcome.out, "TIME                     USER "));
    assert_non_null(strstr(outcome.out, " UTC  alice                 user      done     -  "));
    assert_non_null(strstr(outcome.out, " UTC  -                     revoke    done     -  "));
    assert_non_null(strstr(outcome.out, "  all sessions\n"));
}

static void rows_are_chosen_by_user_and_time(void **state)
{
    static const struct {
        const char *words[6];
        size_t count;
    } cases[] = {
        {{"audit", "--json", "--user", "Alice"}, 2},
        {{"audit", "--json", "--user", "nobody"}, 0},
        {{"audit", "--json", "--since", "1h"}, 1},
        {{"audit", "--json", "--since=30000d"}, 3},
        {{"audit", "--json", "--since", "1970-01-01T00:16:40Z"}, 3},
        {{"audit", "--json", "--since", "1970-01-01T00:16:41Z"}, 2},
        {{"audit", "--json", "--since", "2024-06-01"}, 2},
        {{"audit", "--json", "--since", "2024-06-01T00:00:01Z"}, 1},
        {{"audit", "--json", "--since", "2024-06-01", "--user=bob"}, 1},
    };
    (void)state;
    add("alice");
    add("bob");
    run(COMMAND("user", "lock", "alice"));
    exec("UPDATE audit SET at_s = 1000 WHERE id = 1;"
         "UPDATE audit SET at_s = 1717200000 WHERE id = 2"); /* 2024-06-01 */
    for (size_t i = 0; i < COUNT(cases); i++) {
        run(cases[i].words);
        json_t *rows = json_loads(outcome.out, JSON_REJECT_DUPLICATES, NULL);
        if (json_array_size(rows) != cases[i].count) {
            fail_msg("%s: %s", cases[i].words[3], outcome.out);
        }
        json_decref(rows);
    }
}

static void wrong_words_are_refused_with_what_is_right(void **state)
{
    static const struct {
        const char *words[5];
        int status;
        const char *said;
    } cases[] = {
        {{"audit", "--since", "yesterday"}, 1, "--since: give how long ago, as 90s, 30m, 12h"},
        {{"audit", "--since", ""}, 1, "--since: "},
        {{"audit", "--since", "2026-02-29"}, 1, "--since: "},
        {{"audit", "--since", "-1h"}, 1, "--since: "},
        {{"audit", "--user", "a b"}, 1, "--user: that is no user name"},
        {{"audit", "--user", ""}, 1, "--user: that is no user name"},
        {{"audit", "--user"}, 2, "--user needs a value: --user NAME"},
        {{"audit", "--since=1h", "--since=2h"}, 2, "--since is given twice"},
        {{"audit", "verfy"}, 2, "no command \"audit verfy\"; did you mean \"audit verify\"?"},
        {{"audit", "everything"}, 2, "audit: no such command: use one of verify; see"},
        {{"audit", "verify", "--json"}, 2, "audit verify does not take --json"},
        {{"audit", "verify", "x"}, 2, "too many arguments"},
        {{"user", "list", "--since=1h"}, 2, "user list does not take --since"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        command_line_run(&outcome, NULL, cases[i].words);
        command_line_expect(&outcome, cases[i].status, "", cases[i].said);
    }
}

static void help_is_of_the_command_and_names_the_group(void **state)
{
    (void)state;
    run(COMMAND("audit", "--help"));
    assert_non_null(strstr(outcome.out, "audit [--user NAME] [--since WHEN] [--json]\n"));
    assert_non_null(strstr(outcome.out, "See also: latchkey audit verify --help\n"));
    run(COMMAND("audit", "verify", "--help"));
    assert_non_null(strstr(outcome.out, "Usage: latchkey [-c FILE] audit verify\n"));
}

static void what_was_altered_is_told_with_what_to_do(void **state)
{
    (void)state;
    add("alice");
    add("bob");
    add("carol");
    exec("UPDATE audit SET user = 'dave' WHERE id = 2");
    command_line_run(&outcome, NULL, COMMAND("audit", "verify"));
    command_line_expect(&outcome, 1, "", "the audit log cannot be believed: row 2 was altered; ");
    assert_non_null(strstr(outcome.err, "latchkey backup FILE"));
    exec("DELETE FROM audit WHERE id = 3");
    command_line_run(&outcome, GOOD, COMMAND("user", "add", "eve", "--password-stdin"));
    command_line_expect(&outcome, 0, "added", "the audit log is not as it was left: ");
}

static void revoked_secrets_leave_a_log_that_can_be_believed(void **state)
{
    (void)state;
    add("alice");
    run(COMMAND("secret", "revoke"));
    assert_whole(2);
    assert_non_null(strstr(outcome.out, "1 of them was signed with secrets that are gone"));
    run(COMMAND("secret", "rotate"));
    run(COMMAND("secret", "revoke"));
    assert_whole(4);
    add("bob");
    assert_whole(5);
    assert_non_null(strstr(outcome.out, "3 of them were signed"));
}

static void a_log_that_is_switched_off_for_a_while_can_be_believed_again(void **state)
{
    (void)state;
    add("alice");
    command_line_configure("[log]\naudit = no\n");
    add("bob");
    run(COMMAND("secret", "revoke"));
    command_line_configure("");
    add("carol");
    assert_whole(3);
    json_t *rows = list(3);
    assert_string_equal(text_in(json_array_get(rows, 1), "detail"), "revoked");
    json_decref(rows);
}

static void a_damaged_secret_is_revoked_all_the_same(void **state)
{
    (void)state;
    add("alice");
    (void)scratch_write("state/secret", "damaged\n");
    command_line_run(&outcome, GOOD, COMMAND("user", "add", "bob", "--password-stdin"));
    command_line_expect(&outcome, 0, "User bob added.\n", "the audit log does not tell of this");
    command_line_run(&outcome, NULL, COMMAND("audit", "verify"));
    command_line_expect(&outcome, 1, "", "secret");
    command_line_run(&outcome, NULL, COMMAND("secret", "revoke"));
    command_line_expect(&outcome, 0, "All secrets were replaced", "will have a break here");
    command_line_run(&outcome, NULL, COMMAND("audit", "verify"));
    command_line_expect(&outcome, 1, "", "row 2 was written after a break");
    add("carol"); /* without a word of it: it was told once */
}

static void secrets_are_revoked_without_a_database(void **state)
{
    struct stat before, after;
    (void)state;
    add("alice");
    assert_int_equal(stat(scratch_path("state/secret"), &before), 0);
    assert_int_equal(rename(scratch_path("state/latchkey.db"), scratch_path("state/elsewhere.db")),
                     0);
    command_line_run(&outcome, NULL, COMMAND("secret", "revoke"));
    command_line_expect(&outcome, 0, "All secrets were replaced",
                        "the audit log does not tell of this, and will have a break here");
    assert_int_equal(stat(scratch_path("state/secret"), &after), 0);
    assert_true(before.st_ino != after.st_ino);
}

static void a_secret_that_cannot_be_rotated_is_not_recorded_as_such(void **state)
{
    (void)state;
    add("alice");
    assert_int_equal(unlink(scratch_path("state/secret")), 0);
    command_line_run(&outcome, NULL, COMMAND("secret", "rotate"));
    command_line_expect(&outcome, 1, "", "latchkey init");
    json_decref(list(1));
}

#define TEST(name) cmocka_unit_test_setup(name, install)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_command_that_changes_something_is_recorded),
        TEST(what_was_not_done_is_not_recorded),
        TEST(nothing_is_recorded_where_that_is_switched_off),
        TEST(the_table_is_for_people),
        TEST(rows_are_chosen_by_user_and_time),
        TEST(wrong_words_are_refused_with_what_is_right),
        TEST(help_is_of_the_command_and_names_the_group),
        TEST(what_was_altered_is_told_with_what_to_do),
        TEST(revoked_secrets_leave_a_log_that_can_be_believed),
        TEST(a_log_that_is_switched_off_for_a_while_can_be_believed_again),
        TEST(a_damaged_secret_is_revoked_all_the_same),
        TEST(secrets_are_revoked_without_a_database),
        TEST(a_secret_that_cannot_be_rotated_is_not_recorded_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
