/* Asking for passwords, on a pseudo terminal of its own, and reading them from standard input. */
#define _GNU_SOURCE /* forkpty */
#include "cli/new_password.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

#define MIN_LENGTH 8
#define WAIT_MS    20000
#define GOOD       "correct horse"

static struct dialogue {
    pid_t pid;
    int terminal; /* our side of it */
    int kept;     /* their side, so that its state outlives the child */
    int result;   /* what the child got */
    char seen[8192];
    size_t seen_len, passed; /* and how much of it was expected already */
} dialogue;

struct result {
    enum status status;
    char password[PASSWORD_BYTES_MAX + 1];
};

/* In the child. */
static void get_and_tell(bool from_stdin, int result_fd)
{
    struct result result;
    memset(&result, 0x55, sizeof result);
    result.status = new_password_get(from_stdin, MIN_LENGTH, result.password);
    _exit(write(result_fd, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 99);
}

static void begin(void)
{
    int ends[2];
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    bool has_terminals = terminal >= 0 && access(ptsname(terminal), F_OK) == 0;
    (void)close(terminal);
    if (!has_terminals) {
        skip(); /* a folder that became the root, without /dev/pts */
    }
    assert_int_equal(pipe(ends), 0);
    dialogue = (struct dialogue){.result = ends[0]};
    dialogue.pid = forkpty(&dialogue.terminal, NULL, NULL, NULL);
    assert_true(dialogue.pid >= 0);
    if (dialogue.pid == 0) {
        get_and_tell(false, ends[1]);
    }
    (void)close(ends[1]);
    dialogue.kept = open(ptsname(dialogue.terminal), O_RDWR | O_NOCTTY);
    assert_true(dialogue.kept >= 0);
}

/* Reads what the terminal shows until `text` is there. */
static void expect(const char *text)
{
    char *found;
    while ((found = strstr(dialogue.seen + dialogue.passed, text)) == NULL) {
        struct pollfd ready = {.fd = dialogue.terminal, .events = POLLIN};
        ssize_t got = 0;
        if (poll(&ready, 1, WAIT_MS) == 1) {
            got = read(dialogue.terminal, dialogue.seen + dialogue.seen_len,
                       sizeof dialogue.seen - dialogue.seen_len - 1);
        }
        if (got <= 0) {
            (void)kill(dialogue.pid, SIGKILL);
            fail_msg("\"%s\" did not come, but: %s", text, dialogue.seen + dialogue.passed);
        }
        dialogue.seen_len += (size_t)got;
    }
    dialogue.passed = (size_t)(found - dialogue.seen) + strlen(text);
}

static bool has_echo(void)
{
    struct termios now;
    assert_int_equal(tcgetattr(dialogue.kept, &now), 0);
    return (now.c_lflag & ECHO) != 0 && (now.c_lflag & ISIG) != 0;
}

static void type(const char *keys)
{
    assert_false(has_echo());
    assert_int_equal(write(dialogue.terminal, keys, strlen(keys)), strlen(keys));
}

/* Waits for the end; what waitpid said, and the result, all zero when there was none. */
static int end(struct result *result)
{
    int ended = 0;
    *result = (struct result){0};
    ssize_t got = read(dialogue.result, result, sizeof *result);
    assert_true(got == 0 || got == (ssize_t)sizeof *result);
    assert_int_equal(waitpid(dialogue.pid, &ended, 0), dialogue.pid);
    assert_true(has_echo());
    (void)close(dialogue.result);
    (void)close(dialogue.kept);
    (void)close(dialogue.terminal);
    return ended;
}

/* The end of a dialogue that gave no password: nothing of what was typed may be left. */
static void end_refused(void)
{
    struct result result;
    assert_int_equal(end(&result), 0);
    assert_int_equal(result.status, ERR_INPUT);
    for (size_t i = 0; i < sizeof result.password; i++) {
        assert_int_equal(result.password[i], 0);
    }
    assert_null(strstr(dialogue.seen, GOOD));
}

static void a_password_typed_twice_is_taken_and_never_shown(void **state)
{
    struct result result;
    (void)state;
    begin();
    expect("New password: ");
    type(GOOD "\n");
    expect("The same again: ");
    type(GOOD "\n");
    assert_int_equal(end(&result), 0);
    assert_int_equal(result.status, OK);
    assert_string_equal(result.password, GOOD);
    assert_null(strstr(dialogue.seen, GOOD));
}

static void typing_may_be_corrected(void **state)
{
    struct result result;
    (void)state;
    begin();
    expect("New password: ");
    type("wrong\025correct hox\177rse\n"); /* Ctrl-U, backspace */
    expect("The same again: ");
    type(GOOD "\n");
    assert_int_equal(end(&result), 0);
    assert_string_equal(result.password, GOOD);
}

static void what_was_typed_before_the_question_does_not_count(void **state)
{
    struct result result;
    (void)state;
    begin();
    expect("New password: ");
    type(GOOD "\nsomething else\n");
    expect("The same again: ");
    type(GOOD "\n");
    assert_int_equal(end(&result), 0);
    assert_int_equal(result.status, OK);
}

static void two_passwords_that_differ_are_refused(void **state)
{
    static const char *const others[] = {"correct hors\n", "correct horse \n", "correct hOrse\n",
                                         "\n"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        begin();
        expect("New password: ");
        type(GOOD "\n");
        expect("The same again: ");
        type(others[i]);
        expect("latchkey: the two passwords differ; nothing was changed\r\n");
        end_refused();
    }
}

static void ctrl_c_gives_up_at_once(void **state)
{
    static const char *const keys[] = {"\003", "half\003", "\034", "half\034", "\004"};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        begin();
        expect("New password: ");
        type(keys[i]);
        expect("\r\nlatchkey: no password was given; nothing was changed\r\n");
        end_refused();
        begin();
        expect("New password: ");
        type(GOOD "\n");
        expect("The same again: ");
        type(keys[i]);
        expect("\r\nlatchkey: no password was given; nothing was changed\r\n");
        end_refused();
    }
}

static void echo_is_back_before_a_signal_ends_the_command(void **state)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    struct result result;
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        begin();
        expect("New password: ");
        assert_int_equal(kill(dialogue.pid, signals[i]), 0);
        type(GOOD "\n");
        int ended = end(&result);
        assert_true(WIFSIGNALED(ended));
        assert_int_equal(WTERMSIG(ended), signals[i]);
    }
}

static void a_bad_password_is_refused_on_the_terminal_too(void **state)
{
    static const struct {
        const char *typed, *said;
    } bad[] = {
        {"\n", "the password is too short: at least 8 characters (password.min_length)"},
        {"1234567\n", "the password is too short"},
        {"\303\274\303\274\303\274\303\274\303\274\303\274\303\274\n", "the password is too short"},
        {"12345678\0321\n", "holds a control character"}, /* Ctrl-Z */
        {"12345678\377\n", "is not UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        expect("New password: ");
        type(bad[i].typed);
        expect("The same again: ");
        type(bad[i].typed);
        expect(bad[i].said);
        end_refused();
    }
}

static void an_endless_password_is_refused_before_it_is_asked_for_again(void **state)
{
    char typed[PASSWORD_BYTES_MAX + 10];
    (void)state;
    memset(typed, 'x', sizeof typed - 2);
    memcpy(typed + sizeof typed - 2, "\n", 2);
    begin();
    expect("New password: ");
    type(typed);
    expect("latchkey: the password is longer than 1024 bytes\r\n");
    end_refused();
}

/* Runs it on a standard input of these bytes, without a terminal; the log goes to "stderr". */
static void read_from(bool from_stdin, const char *bytes, size_t len, struct result *result)
{
    int input[2], output[2], ended = 0;
    const char *log_path = scratch_path("stderr");
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    assert_int_equal(write(input[1], bytes, len), len);
    (void)close(input[1]);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (setsid() < 0 || dup2(input[0], STDIN_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
            _exit(99);
        }
        get_and_tell(from_stdin, output[1]);
    }
    (void)close(output[1]);
    assert_int_equal(read(output[0], result, sizeof *result), sizeof *result);
    (void)close(output[0]);
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    assert_int_equal(ended, 0);
    /* What follows the first line is left for whoever reads next. */
    const char *line_end = memchr(bytes, '\n', len);
    if (result->status == OK && line_end != NULL) {
        char rest[64];
        size_t rest_len = len - (size_t)(line_end + 1 - bytes);
        assert_int_equal(read(input[0], rest, sizeof rest), rest_len);
        assert_memory_equal(rest, line_end + 1, rest_len);
    }
    (void)close(input[0]);
}

static void assert_said(const char *said)
{
    char log[512] = "";
    FILE *file = fopen(scratch_path("stderr"), "r");
    assert_non_null(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    (void)fclose(file);
    if (said == NULL ? log[0] != '\0' : strstr(log, said) == NULL) {
        fail_msg("instead of %s: %s", said != NULL ? said : "nothing", log);
    }
}

#define BYTES(literal) (literal), sizeof(literal) - 1

static void the_first_line_of_standard_input_is_a_password(void **state)
{
    static const struct {
        const char *input;
        size_t len;
        const char *password;
    } good[] = {
        {BYTES(GOOD "\n"), GOOD},
        {BYTES(GOOD "\r\n"), GOOD},
        {BYTES(GOOD), GOOD},
        {BYTES(GOOD "\nand more\n"), GOOD},
        {BYTES(" correct horse \n"), " correct horse "},
        {BYTES("\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274\n"),
         "\303\274\303\274\303\274\303\274\303\274\303\274\303\274\303\274"},
    };
    struct result result;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        read_from(true, good[i].input, good[i].len, &result);
        assert_said(NULL);
        assert_int_equal(result.status, OK);
        assert_string_equal(result.password, good[i].password);
    }
}

static void a_bad_first_line_is_refused(void **state)
{
    static const struct {
        const char *input;
        size_t len;
        const char *said;
    } bad[] = {
        {BYTES(""), "no password was given; nothing was changed"},
        {BYTES("\n" GOOD "\n"), "the password is too short"},
        {BYTES("1234567\n"), "the password is too short"},
        {BYTES("correct\0horse\n"), "holds a control character or is not UTF-8"},
        {BYTES("correct\thorse\n"), "holds a control character or is not UTF-8"},
        {BYTES("correct\003horse\n"), "holds a control character or is not UTF-8"},
        {BYTES("correct\rhorse\n"), "holds a control character or is not UTF-8"},
        {BYTES("correct horse\177\n"), "holds a control character or is not UTF-8"},
        {BYTES("correct \300\257 horse\n"), "holds a control character or is not UTF-8"},
    };
    struct result result;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        read_from(true, bad[i].input, bad[i].len, &result);
        assert_int_equal(result.status, ERR_INPUT);
        assert_said(bad[i].said);
        for (size_t k = 0; k < sizeof result.password; k++) {
            assert_int_equal(result.password[k], 0);
        }
    }
}

static void the_longest_password_is_taken_and_one_byte_more_is_not(void **state)
{
    char input[PASSWORD_BYTES_MAX + 3];
    struct result result;
    (void)state;
    memset(input, 'x', sizeof input);
    input[PASSWORD_BYTES_MAX] = '\n';
    read_from(true, input, PASSWORD_BYTES_MAX + 1, &result);
    assert_int_equal(result.status, OK);
    assert_int_equal(strlen(result.password), PASSWORD_BYTES_MAX);
    input[PASSWORD_BYTES_MAX] = 'x';
    read_from(true, input, PASSWORD_BYTES_MAX + 1, &result);
    assert_int_equal(result.status, ERR_INPUT);
    assert_said("the password is longer than 1024 bytes");
    read_from(true, input, sizeof input, &result);
    assert_int_equal(result.status, ERR_INPUT);
    assert_said("the password is longer than 1024 bytes");
}

static void without_a_terminal_standard_input_is_not_taken_for_one(void **state)
{
    struct result result;
    (void)state;
    read_from(false, BYTES(GOOD "\n" GOOD "\n"), &result);
    assert_int_equal(result.status, ERR_INPUT);
    assert_said("there is no terminal to ask for the password; use --password-stdin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_typed_twice_is_taken_and_never_shown),
        cmocka_unit_test(typing_may_be_corrected),
        cmocka_unit_test(what_was_typed_before_the_question_does_not_count),
        cmocka_unit_test(two_passwords_that_differ_are_refused),
        cmocka_unit_test(ctrl_c_gives_up_at_once),
        cmocka_unit_test(echo_is_back_before_a_signal_ends_the_command),
        cmocka_unit_test(a_bad_password_is_refused_on_the_terminal_too),
        cmocka_unit_test(an_endless_password_is_refused_before_it_is_asked_for_again),
        cmocka_unit_test(the_first_line_of_standard_input_is_a_password),
        cmocka_unit_test(a_bad_first_line_is_refused),
        cmocka_unit_test(the_longest_password_is_taken_and_one_byte_more_is_not),
        cmocka_unit_test(without_a_terminal_standard_input_is_not_taken_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
