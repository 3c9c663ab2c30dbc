/* The command as a whole: its words, its help, its manual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "command_line.h"
#include "scratch.h"

#define MANUAL       "man/latchkey.1"
#define COMMANDS_MAX 40

static struct outcome outcome;
static struct buffer manual;

/* The commands as the overview lists them: "user add" and its operand, "NAME". */
static struct {
    char name[64];
    char operand[32];
} commands[COMMANDS_MAX];
static size_t command_count;

static void read_overview(void)
{
    command_line_run(&outcome, NULL, COMMAND("--help"));
    command_line_expect(&outcome, 0, "Usage: latchkey [-c FILE] COMMAND\n\n", "");
    command_count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(outcome.out, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char words[3][32] = {"", "", ""};
        if (strncmp(line, "  ", 2) != 0 || line[2] < 'a' || line[2] > 'z') {
            continue;
        }
        char usage[25] = "";
        (void)snprintf(usage, sizeof usage, "%s", line + 2);
        int count = sscanf(usage, "%31s %31s %31s", words[0], words[1], words[2]);
        const char *last = words[count - 1];
        bool has_operand = last[0] == '[' || (last[0] >= 'A' && last[0] <= 'Z');
        bool has_group = count - (has_operand ? 1 : 0) == 2;
        assert_true(command_count < COMMANDS_MAX);
        (void)snprintf(commands[command_count].name, sizeof commands[0].name, "%s%s%s", words[0],
                       has_group ? " " : "", has_group ? words[1] : "");
        (void)snprintf(commands[command_count].operand, sizeof commands[0].operand, "%s",
                       has_operand ? last : "");
        command_count++;
    }
    assert_true(command_count >= 21);
}

/* Runs "<name> --help" and gives its first line. */
static const char *first_line_of_help(const char *name)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", name);
    char *space = strchr(copy, ' ');
    if (space != NULL) {
        *space = '\0';
        command_line_run(&outcome, NULL, COMMAND(copy, space + 1, "--help"));
    } else {
        command_line_run(&outcome, NULL, COMMAND(copy, "--help"));
    }
    command_line_expect(&outcome, 0, "Usage: latchkey [-c FILE] ", "");
    char *end = strchr(outcome.out, '\n');
    assert_non_null(end);
    assert_true(strlen(end) > 10);
    *end = '\0';
    return outcome.out;
}

static void every_command_says_how_it_is_used(void **state)
{
    (void)state;
    read_overview();
    for (size_t i = 0; i < command_count; i++) {
        char wanted[160];
        bool has_operand = commands[i].operand[0] != '\0';
        (void)snprintf(wanted, sizeof wanted, "Usage: latchkey [-c FILE] %s%s%s", commands[i].name,
                       has_operand ? " " : "", commands[i].operand);
        const char *usage = first_line_of_help(commands[i].name);
        if (strncmp(usage, wanted, strlen(wanted)) != 0) {
            fail_msg("%s: %s", wanted, usage);
        }
    }
}

static void a_group_lists_its_own_commands(void **state)
{
    (void)state;
    command_line_run(&outcome, NULL, COMMAND("secret", "--help"));
    command_line_expect(&outcome, 0, "  secret rotate ", "");
    assert_non_null(strstr(outcome.out, "  secret revoke "));
    assert_null(strstr(outcome.out, "  user "));
    assert_null(strstr(outcome.out, "  init "));
}

static int read_manual(void **state)
{
    (void)state;
    buffer_init(&manual, 1 << 20);
    assert_int_equal(file_read(MANUAL, &manual), OK);
    return 0;
}

static int drop_manual(void **state)
{
    (void)state;
    buffer_clear(&manual);
    return 0;
}

/* Whether a line of the manual, behind ".It Cm ", introduces the command: nothing but operands and
 * options may follow, so that "session revoke" is not taken for "session revoke-all". */
static bool is_entry_of(const char *line, const char *name)
{
    size_t len = strlen(name);
    return strncmp(line, name, len) == 0 &&
           (line[len] == '\n' ||
            (line[len] == ' ' && line[len + 1] >= 'A' && line[len + 1] <= 'Z'));
}

/* The next such line at `at` or behind, as a copy in `entry`; NULL when there is none. */
static const char *next_entry(const char *at, char entry[512])
{
    static const char begin[] = "\n.It Cm ";
    const char *found = strstr(at, begin);
    if (found == NULL) {
        return NULL;
    }
    found += sizeof begin - 1;
    (void)snprintf(entry, 512, "%.*s", (int)strcspn(found, "\n") + 1, found);
    return found;
}

static bool find_entry(const char *name, char entry[512])
{
    for (const char *at = next_entry(manual.data, entry); at != NULL; at = next_entry(at, entry)) {
        if (is_entry_of(entry, name)) {
            return true;
        }
    }
    return false;
}

static void the_manual_has_every_command_with_operand_and_options(void **state)
{
    (void)state;
    read_overview();
    for (size_t i = 0; i < command_count; i++) {
        char usage[512];
        char entry[512];
        char operand[64] = "";
        (void)snprintf(usage, sizeof usage, "%s", first_line_of_help(commands[i].name));
        if (commands[i].operand[0] != '\0') {
            const char *word = commands[i].operand + (commands[i].operand[0] == '[' ? 1 : 0);
            (void)snprintf(operand, sizeof operand, "Ar %.*s", (int)strcspn(word, "]"), word);
        }
        if (!find_entry(commands[i].name, entry) || strstr(entry, operand) == NULL) {
            fail_msg("%s: .It Cm %s %s", MANUAL, commands[i].name, operand);
        }
        char *rest = NULL;
        for (char *word = strtok_r(usage, " [].", &rest); word != NULL;
             word = strtok_r(NULL, " [].", &rest)) {
            char option[64];
            (void)snprintf(option, sizeof option, "Fl %s", word + 1);
            if (strncmp(word, "--", 2) == 0 && strstr(entry, option) == NULL) {
                fail_msg("%s: %s lacks %s", MANUAL, entry, word);
            }
        }
    }
}

static void the_manual_has_no_command_or_option_that_does_not_exist(void **state)
{
    size_t seen = 0;
    char entry[512];
    (void)state;
    read_overview();
    for (const char *at = next_entry(manual.data, entry); at != NULL; at = next_entry(at, entry)) {
        const char *name = NULL;
        for (size_t i = 0; i < command_count; i++) {
            if (is_entry_of(entry, commands[i].name)) {
                name = commands[i].name;
            }
        }
        if (name == NULL) {
            fail_msg("%s: there is no command %s", MANUAL, entry);
        }
        const char *usage = first_line_of_help(name);
        for (char *word = strstr(entry, "Fl -"); word != NULL; word = strstr(word + 1, "Fl -")) {
            char option[64];
            (void)snprintf(option, sizeof option, "[-%.*s", (int)strcspn(word + 3, " \n"),
                           word + 3);
            if (strstr(usage, option) == NULL) {
                fail_msg("%s: %s has no %s", MANUAL, name, option);
            }
        }
        seen++;
    }
    assert_int_equal(seen, command_count);
}

static void the_manual_says_what_every_exit_status_means(void **state)
{
    (void)state;
    assert_non_null(strstr(manual.data, "\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\n"));
    assert_non_null(strstr(manual.data, "\n.It 1\n"));
    assert_non_null(strstr(manual.data, "\n.It 2\n"));
    assert_non_null(strstr(manual.data, "\n.It Ev LATCHKEY_CONFIG\n"));
}

#define SECRET "hunter2-hunter2"

static void wrong_words_are_told_in_one_line_that_helps(void **state)
{
    static const struct {
        const char *words[6];
        const char *said;
    } wrong[] = {
        {{NULL}, "which command: use one of init, check, serve, "},
        {{"sesion", NULL}, "no command \"sesion\"; did you mean \"session\"?"},
        {{"usr", "add", NULL}, "did you mean \"user\"?"},
        {{"chekc", NULL}, "did you mean \"check\"?"},
        {{"bakup", "f", NULL}, "did you mean \"backup\"?"},
        {{"User", "list", NULL}, "did you mean \"user\"?"},
        {{"user", NULL},
         "user: use one of add, invite, passwd, reset-link, list, lock, unlock, remove, import; "},
        {{"user", "lst", NULL}, "no command \"user lst\"; did you mean \"user list\"?"},
        {{"user", "passwrd", "bob", NULL}, "did you mean \"user passwd\"?"},
        {{"session", "revoke-usr", "bob", NULL}, "did you mean \"session revoke-user\"?"},
        {{"secret", "rotat", NULL}, "did you mean \"secret rotate\"?"},
        {{"user", "serve", NULL}, "user: no such command: use one of "},
        {{"add", "bob", NULL}, "use one of "},
        {{SECRET, NULL}, "use one of "},
        {{"user", SECRET, NULL}, "user: no such command: use one of "},
        {{"user", "lock", NULL}, "user lock needs NAME; see latchkey user lock --help"},
        {{"user", "import", NULL}, "user import needs FILE"},
        {{"backup", NULL}, "backup needs FILE"},
        {{"session", "revoke", NULL}, "session revoke needs ID"},
        {{"init", SECRET, NULL}, "too many arguments (a password is never one"},
        {{"user", "list", SECRET, NULL}, "too many arguments"},
        {{"user", "add", "bob", SECRET, NULL}, "too many arguments"},
        {{"user", "passwd", "bob", SECRET, NULL}, "too many arguments"},
        {{"user", "add", "bob", "--password=" SECRET, NULL}, "argument 4 is no option"},
        {{"user", "passwd", "bob", "-" SECRET, NULL}, "argument 4 is no option"},
        {{"user", "passwd", "bob", "--password-stdin=" SECRET, NULL}, "takes no value"},
        {{"user", "list", "--jsno", NULL}, "did you mean --json?"},
        {{"user", "lock", "bob", "--json", NULL}, "user lock does not take --json"},
        {{"user", "list", "--name", SECRET, NULL}, "user list does not take --name"},
        {{"init", "--password-stdin", NULL}, "init does not take --password-stdin"},
        {{"session", "list", "--group=" SECRET, NULL}, "session list does not take --group"},
        {{"check", "-c", NULL}, "-c needs a value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        command_line_run(&outcome, SECRET "\n", wrong[i].words);
        command_line_expect(&outcome, 2, "", wrong[i].said);
        assert_null(strstr(outcome.err, SECRET));
        assert_ptr_equal(strchr(outcome.err, '\n'), outcome.err + strlen(outcome.err) - 1);
        assert_int_equal(strncmp(outcome.err, "latchkey: ", 10), 0);
    }
}

static void the_version_is_told(void **state)
{
    (void)state;
    command_line_run(&outcome, NULL, COMMAND("--version"));
    command_line_expect(&outcome, 0, "latchkey 0.1\n", "");
}

static void a_bad_configuration_stops_every_command_with_its_place(void **state)
{
    static const char *const words[][4] = {
        {"init", NULL},
        {"migrate", NULL},
        {"serve", NULL},
        {"user", "list", NULL},
        {"user", "add", "bob", NULL},
        {"session", "purge", NULL},
        {"secret", "rotate", NULL},
    };
    (void)state;
    command_line_configure("[session]\nsotre = cookie\n");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        command_line_run(&outcome, NULL, words[i]);
        command_line_expect(&outcome, 1, "", "latchkey.conf:8: ");
        assert_non_null(strstr(outcome.err, "did you mean store?"));
    }
    command_line_run(&outcome, NULL, COMMAND("user", "list", "-c", scratch_path("missing.conf")));
    command_line_expect(&outcome, 1, "", "missing.conf");
}

static void without_a_database_commands_say_how_to_make_one(void **state)
{
    static const char *const words[][4] = {
        {"user", "list", NULL},          {"user", "lock", "bob", NULL},
        {"session", "list", NULL},       {"session", "purge", NULL},
        {"backup", "copy", NULL},        {"user", "import", "-", NULL},
        {"session", "revoke-all", NULL},
    };
    (void)state;
    command_line_configure("");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        command_line_run(&outcome, NULL, words[i]);
        command_line_expect(&outcome, 1, "", "latchkey init");
    }
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    command_line_output_to("/dev/full");
    command_line_run(&outcome, NULL, COMMAND("--help"));
    command_line_expect(&outcome, 1, "", "latchkey: standard output cannot be written\n");
    command_line_run(&outcome, NULL, COMMAND("--version"));
    assert_int_equal(outcome.status, 1);
    command_line_output_to(NULL);
}

static void serve_says_that_its_sockets_have_no_place(void **state)
{
    char long_folder[256];
    (void)state;
    (void)snprintf(long_folder, sizeof long_folder, "%s/%0120d", scratch_folder(), 0);
    const char *path = scratch_path("long.conf");
    char content[1024];
    (void)snprintf(content, sizeof content, "[state]\ndirectory = %s\nrun_directory = %s\n",
                   scratch_folder(), long_folder);
    (void)scratch_write("long.conf", content);
    command_line_run(&outcome, NULL, COMMAND("serve", "-c", path));
    command_line_expect(&outcome, 1, "", "is too long for sockets in it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_says_how_it_is_used),
        cmocka_unit_test(a_group_lists_its_own_commands),
        cmocka_unit_test_setup_teardown(the_manual_has_every_command_with_operand_and_options,
                                        read_manual, drop_manual),
        cmocka_unit_test_setup_teardown(the_manual_has_no_command_or_option_that_does_not_exist,
                                        read_manual, drop_manual),
        cmocka_unit_test_setup_teardown(the_manual_says_what_every_exit_status_means, read_manual,
                                        drop_manual),
        cmocka_unit_test(wrong_words_are_told_in_one_line_that_helps),
        cmocka_unit_test(the_version_is_told),
        cmocka_unit_test(a_bad_configuration_stops_every_command_with_its_place),
        cmocka_unit_test(without_a_database_commands_say_how_to_make_one),
        cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(serve_says_that_its_sockets_have_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
