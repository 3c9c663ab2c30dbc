/* A kernel without what LATCHKEY_TEST_WITHOUT says, for programs that are started with this
 * preloaded: "landlock", "seccomp" or both. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "original.h"

static char all[64];

/* Now, for a program that runs as CGI clears its environment. */
__attribute__((constructor)) static void prepare(void)
{
    const char *value = getenv("LATCHKEY_TEST_WITHOUT");
    (void)snprintf(all, sizeof all, "%s", value != NULL ? value : "");
}

static int is_without(const char *what)
{
    return strstr(all, what) != NULL;
}

long syscall(long number, ...)
{
    long arguments[6];
    va_list rest;
    if (number == SYS_landlock_create_ruleset && is_without("landlock")) {
        errno = ENOSYS;
        return -1;
    }
    if (number == SYS_seccomp && is_without("seccomp")) {
        errno = EINVAL; /* as from a kernel that has the call for other uses (seccomp(2)) */
        return -1;
    }
    va_start(rest, number);
    for (int i = 0; i < 6; i++) {
        arguments[i] = va_arg(rest, long);
    }
    va_end(rest);
    return ORIGINAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3],
                             arguments[4], arguments[5]);
}
