#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "cli/options.h"

#define WORDS_MAX 48

static struct options options;
static char message[OPTIONS_ERROR_MAX];

/* Parses a line whose words are separated by single spaces. */
static enum status parse(const char *line)
{
    static char copy[2048];
    char *words[WORDS_MAX] = {copy};
    int count = 1;
    (void)snprintf(copy, sizeof copy, "latchkey %s", line);
    for (char *space = strchr(copy, ' '); space != NULL; space = strchr(space, ' ')) {
        *space++ = '\0';
        assert_true(count < WORDS_MAX);
        words[count++] = space;
    }
    message[0] = '\0';
    return options_parse(line[0] == '\0' ? 1 : count, words, &options, message);
}

static void options_and_operands_stand_in_any_order(void **state)
{
    static const char *const lines[] = {
        "user add bob --name Bob --email b@example.org --group a --group b --password-stdin -c /f",
        "-c /f --password-stdin --group a --email=b@example.org user --group=b add --name=Bob bob",
        ("--config=/f user --name Bob add --email b@example.org --group=a bob --password-stdin "
         "--group b"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(parse(lines[i]), OK);
        assert_int_equal(options.operand_count, 3);
        assert_string_equal(options.operands[0], "user");
        assert_string_equal(options.operands[1], "add");
        assert_string_equal(options.operands[2], "bob");
        assert_string_equal(options.name, "Bob");
        assert_string_equal(options.email, "b@example.org");
        assert_string_equal(options.config_path, "/f");
        assert_int_equal(options.group_count, 2);
        assert_string_equal(options.groups[0], "a");
        assert_string_equal(options.groups[1], "b");
        assert_int_equal(options.given,
                         OPTION_NAME | OPTION_EMAIL | OPTION_GROUP | OPTION_PASSWORD_STDIN);
    }
}

static void no_arguments_are_no_options(void **state)
{
    (void)state;
    assert_int_equal(parse(""), OK);
    assert_int_equal(options.operand_count, 0);
    assert_int_equal(options.given, 0);
    assert_null(options.config_path);
    assert_false(options.help || options.version);
}

static void help_and_version_are_seen_anywhere(void **state)
{
    (void)state;
    assert_int_equal(parse("user add --help"), OK);
    assert_true(options.help);
    assert_int_equal(parse("-h"), OK);
    assert_true(options.help);
    assert_int_equal(parse("--version"), OK);
    assert_true(options.version && !options.help);
}

static void two_dashes_end_the_options_and_one_is_an_operand(void **state)
{
    (void)state;
    assert_int_equal(parse("user import -"), OK);
    assert_string_equal(options.operands[2], "-");
    assert_int_equal(parse("backup -- --json"), OK);
    assert_int_equal(options.given, 0);
    assert_string_equal(options.operands[1], "--json");
    assert_int_equal(parse("-- -- --"), OK);
    assert_int_equal(options.operand_count, 2);
}

static void a_value_may_look_like_an_option_or_hold_an_equals_sign(void **state)
{
    (void)state;
    assert_int_equal(parse("--name --json"), OK);
    assert_string_equal(options.name, "--json");
    assert_int_equal(options.given, OPTION_NAME);
    assert_int_equal(parse("--name=a=b"), OK);
    assert_string_equal(options.name, "a=b");
    assert_int_equal(parse("--name="), OK);
    assert_string_equal(options.name, "");
}

static void what_is_wrong_is_said_without_repeating_values(void **state)
{
    static const struct {
        const char *line, *said;
    } wrong[] = {
        {"--jsn", "unknown option --jsn; did you mean --json?"},
        {"--Json", "did you mean --json?"},
        {"--passwordstdin", "did you mean --password-stdin?"},
        {"--nam=hunter2", "unknown option --nam; did you mean --name?"},
        {"user add bob --password=hunter2", "argument 4 is no option"},
        {"user add bob -hunter2", "argument 4 is no option"},
        {"--hunter2-hunter2-hunter2-hunter2-hunter2", "argument 1 is no option"},
        {"-x", "argument 1 is no option"},
        {"-c/etc/x", "argument 1 is no option"},
        {"-j", "argument 1 is no option"},
        {"--json=hunter2", "--json takes no value"},
        {"--password-stdin=hunter2", "--password-stdin takes no value"},
        {"--help=hunter2", "--help takes no value"},
        {"--name", "--name needs a value: --name TEXT"},
        {"user list -c", "-c needs a value: -c FILE"},
        {"--group", "--group needs a value: --group GROUP"},
        {"--name hunter2 --name hunter2", "--name is given twice"},
        {"--email=hunter2 --email hunter2", "--email is given twice"},
        {"-c hunter2 --config hunter2", "--config is given twice"},
        {"user add bob hunter2", "too many arguments (a password is never one"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(parse(wrong[i].line), ERR_INPUT);
        if (strstr(message, wrong[i].said) == NULL || strstr(message, "hunter2") != NULL) {
            fail_msg("%s: %s", wrong[i].line, message);
        }
    }
}

static void groups_are_counted(void **state)
{
    struct buffer line;
    (void)state;
    buffer_init(&line, 1024);
    buffer_add_string(&line, "user add bob");
    for (size_t i = 0; i < OPTIONS_GROUPS_MAX; i++) {
        buffer_add_string(&line, " --group=g");
    }
    assert_int_equal(parse(line.data), OK);
    assert_int_equal(options.group_count, OPTIONS_GROUPS_MAX);
    buffer_add_string(&line, " --group=g");
    assert_int_equal(parse(line.data), ERR_INPUT);
    assert_string_equal(message, "more than 32 groups");
    buffer_clear(&line);
}

static void an_option_of_another_command_is_found(void **state)
{
    (void)state;
    assert_null(options_find_foreign(0, 0));
    assert_null(options_find_foreign(OPTION_JSON, OPTION_JSON | OPTION_NAME));
    assert_string_equal(options_find_foreign(OPTION_JSON | OPTION_GROUP, OPTION_JSON), "--group");
}

static void the_synopsis_shows_what_may_be_given(void **state)
{
    char out[256];
    char narrow[16];
    (void)state;
    options_print_synopsis(0, out, sizeof out);
    assert_string_equal(out, "");
    options_print_synopsis(OPTION_JSON, out, sizeof out);
    assert_string_equal(out, " [--json]");
    options_print_synopsis(OPTION_NAME | OPTION_GROUP | OPTION_PASSWORD_STDIN, out, sizeof out);
    assert_string_equal(out, " [--name TEXT] [--group GROUP]... [--password-stdin]");
    options_print_synopsis(OPTION_NAME | OPTION_GROUP, narrow, sizeof narrow);
    assert_string_equal(narrow, " [--name TEXT] ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_stand_in_any_order),
        cmocka_unit_test(no_arguments_are_no_options),
        cmocka_unit_test(help_and_version_are_seen_anywhere),
        cmocka_unit_test(two_dashes_end_the_options_and_one_is_an_operand),
        cmocka_unit_test(a_value_may_look_like_an_option_or_hold_an_equals_sign),
        cmocka_unit_test(what_is_wrong_is_said_without_repeating_values),
        cmocka_unit_test(groups_are_counted),
        cmocka_unit_test(an_option_of_another_command_is_found),
        cmocka_unit_test(the_synopsis_shows_what_may_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
