/* What else is asked of the kernel: random bytes, the time, processes. */
#define _GNU_SOURCE
#include <pwd.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "interpose.h"

INTERPOSE_LENGTH(getrandom, ssize_t, -1, getrandom, (void *out, size_t len, unsigned flags),
                 (out, len, flags))
INTERPOSE(getentropy, int, -1, getentropy, (void *out, size_t len), (out, len))
INTERPOSE(nanosleep, int, -1, nanosleep, (const struct timespec *time, struct timespec *left),
          (time, left))
INTERPOSE(fork, pid_t, -1, fork, (void), ())
INTERPOSE(setrlimit, int, -1, setrlimit, (__rlimit_resource_t resource, const struct rlimit *limit),
          (resource, limit))
INTERPOSE(getpwnam, struct passwd *, NULL, getpwnam, (const char *name), (name))

/* Moved by the plan, so that sessions grow old. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    static int (*original)(clockid_t, struct timespec *);
    struct fault fault = fault_ask(FAULT_clock_gettime, __builtin_return_address(0));
    if (original == NULL) {
        fault_find("clock_gettime", &original);
    }
    if (fault.how != FAULT_NONE) {
        errno = fault.error;
        return -1;
    }
    int result = original(clock, out);
    if (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) {
        out->tv_sec += fault_passed_s();
    }
    return result;
}

int prctl(int operation, ...)
{
    struct fault fault = fault_ask(FAULT_prctl, __builtin_return_address(0));
    int (*original)(int, ...) = NULL;
    unsigned long arguments[4];
    va_list list;
    va_start(list, operation);
    for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
        arguments[i] = va_arg(list, unsigned long);
    }
    va_end(list);
    if (fault.how != FAULT_NONE) {
        errno = fault.error;
        return -1;
    }
    fault_find("prctl", &original);
    return original(operation, arguments[0], arguments[1], arguments[2], arguments[3]);
}
