/* To whom the state belongs, and who may connect to the sockets, when the command runs as root. */
#ifndef LATCHKEY_CLI_OWNER_H
#define LATCHKEY_CLI_OWNER_H

#include <sys/types.h>

#include "base/config.h"

struct owner {
    bool has_user; /* running as root, and state.user exists */
    uid_t user;
    gid_t group;            /* its own */
    bool has_sockets_group; /* state.group exists */
    gid_t sockets_group;
    char name[64]; /* of the user */
};

/* Looks up state.user and state.group. One that the file names must exist: ERR_NOT_FOUND (logged).
 * A default that does not is left out. Without root has_user is false. */
enum status owner_find(const struct config *config, struct owner *out) MUST_USE;

/* Hands a file or folder over, if there is a user to hand it to; with `for_sockets` its group is
 * that of the sockets. ERR_SYSTEM (logged); also for a symbolic link, a file of several names, a
 * folder that all may write. A missing file is OK. */
enum status owner_give(const struct owner *owner, const char *path, bool for_sockets) MUST_USE;

/* Does as the user does, until owner_leave, whatever files are opened: its files are trusted by
 * nobody else. Only the effective id changes. ERR_SYSTEM (logged). Nothing when there is none to
 * become. */
enum status owner_enter(const struct owner *owner) MUST_USE;
enum status owner_leave(const struct owner *owner) MUST_USE;

/* Becomes the user for good. ERR_SYSTEM (logged). Nothing when there is none to become. */
enum status owner_become(const struct owner *owner) MUST_USE;

#endif
