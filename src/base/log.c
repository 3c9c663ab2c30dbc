/* The log.
 *
 * Each line leaves in one write, so that lines of several processes on one pipe do not mix, and is
 * built on the stack, so that running out of memory can be logged. Whatever text came from outside
 * cannot forge or hide a line: control characters (C1 ones too: terminals obey them) and bytes that
 * are not UTF-8 are written as \xHH. What it does not do: wait or try again when nobody reads;
 * such a line is lost. Else whoever can make us log could hold up every program, by filling the
 * pipe of a reader that has stopped. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/address.h"
#include "base/syslog.h"

#define SYSTEM_LOG     "/dev/log"
#define NAME_MAX_BYTES 64

#define LINE_MAX_BYTES 1000 /* with the newline */
#define CUT            "..."

static const char *log_program = "latchkey";
static enum log_level log_limit = LOG_LEVEL_INFO;

struct line {
    char data[LINE_MAX_BYTES];
    size_t len;
    bool cut; /* something did not fit: nothing more is taken */
};

void log_open(const char *program, enum log_level level)
{
    log_program = program;
    log_limit = level;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "error"; /* no such level: better seen than missed */
}

/* Takes all of the bytes or none; leaves room for the mark of a cut and the newline. */
static void line_add(struct line *line, const char *bytes, size_t len)
{
    if (line->cut || len > LINE_MAX_BYTES - sizeof CUT - line->len) {
        line->cut = true;
        return;
    }
    memcpy(line->data + line->len, bytes, len);
    line->len += len;
}

static void line_add_escaped(struct line *line, struct text text)
{
    static const char digits[] = "0123456789abcdef";
    while (text.len > 0) {
        size_t len = text_utf8_len(text);
        if (len > 0 && !text_is_control(text.data, len)) {
            line_add(line, text.data, len);
        } else {
            unsigned char byte = (unsigned char)text.data[0];
            const char escaped[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            line_add(line, escaped, sizeof escaped);
            len = 1; /* the second byte of a C1 control is not UTF-8 by itself: escaped next */
        }
        text = text_from(text, len);
    }
}

/* A pipe that can be written takes PIPE_BUF bytes, which are more than a line. */
static void write_at_once(const struct line *line)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
        ssize_t written = -1;
        do {
            written = write(STDERR_FILENO, line->data, line->len);
        } while (written < 0 && errno == EINTR); /* of what else fails nobody can be told */
    }
}

__attribute__((format(printf, 2, 0))) static void log_write(enum log_level level,
                                                            const char *format, va_list arguments)
{
    if (level > log_limit) {
        return;
    }
    int saved = errno;
    char text[LINE_MAX_BYTES + 1]; /* longer than a line: what is lost here is cut there as well */
    if (vsnprintf(text, sizeof text, format, arguments) < 0) {
        (void)snprintf(text, sizeof text, "(a message that cannot be printed)");
    }
    char prefix[100];
    (void)snprintf(prefix, sizeof prefix, "%.60s[%ld]: %s: ", log_program, (long)getpid(),
                   level_name(level));
    struct line line = {.len = 0};
    line_add_escaped(&line, text_of(prefix));
    line_add_escaped(&line, text_of(text));
    const char *end = line.cut ? CUT "\n" : "\n";
    memcpy(line.data + line.len, end, strlen(end));
    line.len += strlen(end);
    write_at_once(&line);
    errno = saved;
}

#define WRITE(level)                                                                               \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    log_write(level, format, arguments);                                                           \
    va_end(arguments)

void log_error(const char *format, ...)
{
    WRITE(LOG_LEVEL_ERROR);
}

void log_warning(const char *format, ...)
{
    WRITE(LOG_LEVEL_WARNING);
}

void log_info(const char *format, ...)
{
    WRITE(LOG_LEVEL_INFO);
}

void log_debug(const char *format, ...)
{
    WRITE(LOG_LEVEL_DEBUG);
}

/* A line of the system's log is read by programs that ban whom it names, so a name is either one
 * that a user may have (store/users.h) or none at all, and an address is spelled anew. */
void log_authentication_failure(struct text user, struct text address)
{
    int saved = errno;
    char line[2 * NAME_MAX_BYTES + ADDRESS_TEXT_MAX];
    char from[ADDRESS_TEXT_MAX] = "";
    struct address parsed;
    bool is_name = user.len <= NAME_MAX_BYTES && text_consists_of(user, "._-@+");
    if (address_parse(address, &parsed) == OK) {
        address_print(&parsed, from);
    }
    (void)snprintf(line, sizeof line, "authentication failure; user=%.*s rhost=%s",
                   is_name ? (int)user.len : 0, text_bytes(user), from);
    log_warning("%s", line);
    if (syslog_send(SYSTEM_LOG, LOG_AUTHPRIV | LOG_WARNING, text_of(line)) != OK) {
        log_debug("the system's log did not take a line");
    }
    errno = saved;
}
