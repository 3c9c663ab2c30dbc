/* A fixed path would tie the command to one prefix, and $PATH could lead anywhere: the programs are
 * those that were built or installed with this very command. */
#include "cli/programs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/sockets.h"

static const char *const places[] = {"../cgi-bin", "../lib/latchkey/cgi-bin"};

/* Whether all programs are in the folder. */
static bool holds_all(const char *folder)
{
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        char path[PATH_MAX];
        int len = snprintf(path, sizeof path, "%s/%s", folder, socket_programs[i]);
        if (len < 0 || (size_t)len >= sizeof path || access(path, X_OK) != 0) {
            return false;
        }
    }
    return true;
}

enum status programs_find(char *out, size_t room)
{
    char own[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    if (len < 0) {
        log_error("cannot tell where this command is: /proc/self/exe: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    own[len] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int printed = snprintf(out, room, "%s/%s", own, places[i]);
        if (printed > 0 && (size_t)printed < room && holds_all(out)) {
            return OK;
        }
    }
    log_error("the web programs are neither in %s/%s nor in %s/%s: install all of Latchkey", own,
              places[0], own, places[1]);
    return ERR_NOT_FOUND;
}
