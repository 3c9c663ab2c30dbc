/* Standard error becomes a datagram socket: it keeps the writes apart. */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int reader = -1;
static int standard_error = -1;

static void need(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        abort();
    }
}

void capture_start(void)
{
    int pair[2];
    need(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
    standard_error = dup(STDERR_FILENO);
    need(standard_error, "dup");
    need(dup2(pair[1], STDERR_FILENO), "dup2");
    (void)close(pair[1]);
    reader = pair[0];
}

void capture_end(void)
{
    need(dup2(standard_error, STDERR_FILENO), "dup2");
    (void)close(standard_error);
    (void)close(reader);
}

const char *capture_next(void)
{
    static char caught[8192];
    ssize_t len = recv(reader, caught, sizeof caught - 1, MSG_DONTWAIT);
    caught[len < 0 ? 0 : len] = '\0';
    return caught;
}
