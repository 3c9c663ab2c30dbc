/* A clock that a test moves, for programs that are started with this preloaded.
 *
 * The file that LATCHKEY_TEST_CLOCK names holds the seconds to add to the time of day, and those to
 * add to the clock that never steps, which a test lets grow only. It is read each time, so that the
 * clocks may move while a program runs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The first or second number of the file. */
static long read_offset(int which)
{
    const char *path = getenv("LATCHKEY_TEST_CLOCK");
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[64] = "";
    char *rest = text;
    if (file < 0) {
        return 0;
    }
    ssize_t len = read(file, text, sizeof text - 1);
    (void)close(file);
    long step = len > 0 ? strtol(text, &rest, 10) : 0;
    return which == 0 ? step : strtol(rest, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (syscall(SYS_clock_gettime, clock, out) != 0) {
        return -1;
    }
    if (clock == CLOCK_REALTIME) {
        out->tv_sec += read_offset(0);
    } else if (clock == CLOCK_MONOTONIC) {
        out->tv_sec += read_offset(1);
    }
    return 0;
}
