/* Lists on the command line, of a database that others wrote to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command_line.h"
#include "database.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Clears a terminal, in two ways (ESC and the C1 control CSI); turns the text around; ends lines.
 */
#define EVIL                                                                                       \
    "'x' || char(27) || '[2J' || char(155) || '2J' || char(8238) || char(8294) || char(127) ||"    \
    " char(10) || char(8232) || 'y'"
#define CLEAN   "x?[2J?2J?????y"
#define ESCAPED "x\\u001b[2J\\u009b2J\\u202e\\u2066\\u007f\\n\\u2028y"

static struct outcome outcome;

static void spoil(void)
{
    struct db *db = NULL;
    assert_int_equal(database_connect(scratch_path("state/latchkey.db"), DB_EXISTING, &db), OK);
    assert_int_equal(
        db_exec(db, "UPDATE user SET display = " EVIL ", email = " EVIL ", groups = " EVIL ";"
                    "INSERT INTO session (id, rest, user_id, salt, created_s, seen_s, idle_s,"
                    " expires_s, remember, address, agent) SELECT 7, randomblob(24), id, salt,"
                    " unixepoch(), unixepoch(), 1000, unixepoch() + 1000, 0, " EVIL ", " EVIL
                    " FROM user;"
                    "INSERT INTO throttle (key, kind, account, network, failures, failed_s,"
                    " until_s, forget_s) SELECT randomblob(16), 1, " EVIL ", " EVIL ", 1,"
                    " unixepoch(), 0, unixepoch() + 1000;"
                    "UPDATE audit SET user = " EVIL ", detail = " EVIL),
        OK);
    db_close(&db);
}

static int set_up(void **state)
{
    (void)state;
    command_line_install();
    command_line_run(&outcome, "a long enough password\n",
                     COMMAND("user", "add", "alice", "--password-stdin"));
    command_line_expect(&outcome, 0, " added.", "");
    spoil();
    return 0;
}

static const char *const lists[] = {"user", "session", "throttle", "audit"};

static void run_list(const char *noun, const char *option)
{
    bool is_alone = strcmp(noun, "audit") == 0;
    const char *const words[] = {noun, is_alone ? option : "list", is_alone ? NULL : option, NULL};
    command_line_run(&outcome, NULL, words);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n' ? 1 : 0;
    }
    return lines;
}

static void no_list_brings_what_terminals_obey_to_a_terminal(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x1b", "\xc2\x9b", "\xe2\x80", "\xe2\x81", "\x7f"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        run_list(lists[i], NULL);
        command_line_expect(&outcome, 0, CLEAN "  ", "");
        assert_int_equal(count_lines(outcome.out), 2); /* the heading, and one row */
        for (size_t k = 0; k < COUNT(bad); k++) {
            assert_null(strstr(outcome.out, bad[k]));
        }
    }
}

static void lists_for_programs_say_all_of_it_in_escapes(void **state)
{
    (void)state;
    /* What is read of the audit log is cleaned for all. */
    for (size_t i = 0; i + 1 < COUNT(lists); i++) {
        run_list(lists[i], "--json");
        command_line_expect(&outcome, 0, "\"" ESCAPED "\"", "");
        assert_null(strchr(outcome.out, '\x1b'));
        assert_null(strstr(outcome.out, "\xc2\x9b"));
        assert_null(strstr(outcome.out, "\xe2\x80\xae"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_list_brings_what_terminals_obey_to_a_terminal, set_up),
        cmocka_unit_test_setup(lists_for_programs_say_all_of_it_in_escapes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
