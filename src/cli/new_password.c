/* Passwords come from the terminal itself (/dev/tty), so that redirected input is never taken for
 * one by accident, or from standard input when asked to. Echo is off only while a line is read, and
 * is put back before a signal that ends the command takes effect, since such signals are held back
 * meanwhile. Ctrl-C and Ctrl-\ make no signals then: they end the line as bytes. */
#include "cli/new_password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/command.h"

/* A line with its line end, and one byte more to see that it is too long. */
#define LINE_ROOM (PASSWORD_BYTES_MAX + 3)

enum { CTRL_C = 3, CTRL_BACKSLASH = 28 };

static bool is_interrupt(char c)
{
    return c == CTRL_C || c == CTRL_BACKSLASH;
}

/* Reads up to the first line end or the end of input, byte by byte: nothing that follows is taken.
 * A line also ends after an interrupt. ERR_NOT_FOUND when there was nothing at all, ERR_TOO_LARGE,
 * ERR_SYSTEM; *len without the line end. */
static enum status read_line(int descriptor, char line[LINE_ROOM], size_t *len)
{
    *len = 0;
    for (;;) {
        ssize_t got = read(descriptor, line + *len, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return ERR_SYSTEM;
        }
        if (got == 0 && *len == 0) {
            return ERR_NOT_FOUND;
        }
        if (got == 0 || line[*len] == '\n') {
            break;
        }
        if (++*len == LINE_ROOM) {
            return ERR_TOO_LARGE;
        }
        if (is_interrupt(line[*len - 1])) {
            return OK;
        }
    }
    if (*len > 0 && line[*len - 1] == '\r') {
        --*len;
    }
    return OK;
}

static enum status ask(int terminal, const char *question, char line[LINE_ROOM], size_t *len)
{
    struct termios before;
    sigset_t ending;
    sigset_t held;
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGINT);
    (void)sigaddset(&ending, SIGQUIT);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGHUP);
    (void)sigaddset(&ending, SIGTSTP);
    if (tcgetattr(terminal, &before) != 0) {
        return ERR_SYSTEM;
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    silent.c_lflag |= ECHONL;
    silent.c_cc[VEOL] = CTRL_C;
    silent.c_cc[VEOL2] = CTRL_BACKSLASH;
    (void)sigprocmask(SIG_BLOCK, &ending, &held);
    enum status status = ERR_SYSTEM;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) == 0) {
        if (write(terminal, question, strlen(question)) > 0) {
            status = read_line(terminal, line, len);
        }
        (void)tcsetattr(terminal, TCSAFLUSH, &before);
    }
    (void)sigprocmask(SIG_SETMASK, &held, NULL);
    if (status == OK && *len > 0 && is_interrupt(line[*len - 1])) {
        status = ERR_NOT_FOUND;
    }
    if (status == ERR_NOT_FOUND) {
        (void)!write(terminal, "\n", 1); /* what is said next stands on a line of its own */
    }
    return status;
}

static enum status ask_twice(char line[LINE_ROOM], size_t *len)
{
    char again[LINE_ROOM];
    size_t again_len = 0;
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        (void)command_fail("there is no terminal to ask for the password; use --password-stdin");
        return ERR_INPUT;
    }
    enum status status = ask(terminal, "New password: ", line, len);
    if (status == OK) {
        status = ask(terminal, "The same again: ", again, &again_len);
    }
    (void)close(terminal);
    if (status == OK && (*len != again_len || !secret_is_equal(line, again, *len))) {
        (void)command_fail("the two passwords differ; nothing was changed");
        status = ERR_INPUT;
    } else if (status == ERR_SYSTEM || status == ERR_NOT_FOUND) {
        (void)command_fail("no password was given; nothing was changed");
        status = ERR_INPUT;
    }
    secret_wipe(again, sizeof again);
    return status;
}

static enum status check_password_text(struct text password, uint64_t min_length)
{
    if (password.len > PASSWORD_BYTES_MAX) {
        (void)command_fail("the password is longer than %d bytes", PASSWORD_BYTES_MAX);
    } else if (!text_is_utf8(password) || text_has_control(password)) {
        (void)command_fail("the password holds a control character or is not UTF-8");
    } else if (text_count_characters(password) < min_length) {
        (void)command_fail("the password is too short: at least %llu characters "
                           "(password.min_length)",
                           (unsigned long long)min_length);
    } else {
        return OK;
    }
    return ERR_INPUT;
}

enum status new_password_get(bool from_stdin, uint64_t min_length, char out[PASSWORD_BYTES_MAX + 1])
{
    char line[LINE_ROOM];
    size_t len = 0;
    enum status status = from_stdin ? read_line(STDIN_FILENO, line, &len) : ask_twice(line, &len);
    if (status == ERR_TOO_LARGE) {
        (void)command_fail("the password is longer than %d bytes", PASSWORD_BYTES_MAX);
        status = ERR_INPUT;
    } else if (status == ERR_NOT_FOUND) {
        (void)command_fail("no password was given; nothing was changed");
        status = ERR_INPUT;
    } else if (status == ERR_SYSTEM) {
        (void)command_fail("standard input cannot be read: %s", strerror(errno));
    } else if (status == OK) {
        status = check_password_text((struct text){line, len}, min_length);
    }
    if (status == OK) {
        memcpy(out, line, len);
        out[len] = '\0';
    } else {
        secret_wipe(out, PASSWORD_BYTES_MAX + 1);
    }
    secret_wipe(line, sizeof line);
    return status;
}
