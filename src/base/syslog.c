/* Why not syslog(3): it waits when whoever keeps the log has stopped and the queue is full. Then
 * everybody who types a wrong password could hold up a program. A line that is not taken at once
 * is lost here; it stands on standard error as well.
 *
 * The socket is opened for each line, so that nothing has to be kept, closed before a fork or
 * opened again when the system's log is started anew. It is not connected: programs that serve may
 * not call connect(2) (confine/calls.c). */
#include "base/syslog.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* "<84>Nov 29 16:05:09 latchkey[1234]: line"; returns its length, 0: it does not fit. */
static size_t print_message(int priority, struct text line, char *out, size_t room)
{
    char when[20] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (localtime_r(&now, &parts) == NULL ||
        strftime(when, sizeof when, "%b %e %H:%M:%S", &parts) == 0) {
        return 0;
    }
    int len = snprintf(out, room, "<%d>%s latchkey[%ld]: %.*s", priority, when, (long)getpid(),
                       (int)line.len, text_bytes(line));
    return len > 0 && (size_t)len < room ? (size_t)len : 0;
}

enum status syslog_send(const char *path, int priority, struct text line)
{
    char message[SYSLOG_LINE_MAX + 100];
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t path_len = strlen(path);
    if (line.len > SYSLOG_LINE_MAX || path_len >= sizeof to.sun_path) {
        return ERR_TOO_LARGE;
    }
    memcpy(to.sun_path, path, path_len);
    size_t len = print_message(priority, line, message, sizeof message);
    int sender = len > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (sender < 0) {
        return ERR_SYSTEM;
    }
    bool sent = sendto(sender, message, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                       (const struct sockaddr *)&to, sizeof to) == (ssize_t)len;
    (void)close(sender);
    return sent ? OK : ERR_SYSTEM;
}
