/* A socket's file outlives the process that made it. So a lock in the run directory says whether
 * another `latchkey serve` lives, and a connection whether anything else does (spawn-fcgi, say);
 * only what nobody holds is removed.
 *
 * Who may connect could ask the gate and try passwords as any address: the sockets are open to
 * their owner and to the web server's group, to nobody else. */
#define _GNU_SOURCE /* accept flags of socket() */
#include "cli/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define RUN_MODE 0750
#define BACKLOG  511

const char *const socket_programs[SOCKETS_COUNT] = {"login", "logout", "account", "gate"};

static enum status print_address(const struct config *config, const char *program,
                                 struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(out->sun_path, sizeof out->sun_path, "%s/%s.sock",
                       config->state.run_directory, program);
    return len > 0 && (size_t)len < sizeof out->sun_path ? OK : ERR_TOO_LARGE;
}

bool sockets_path_fits(const struct config *config)
{
    struct sockaddr_un address;
    return print_address(config, "account", &address) == OK;
}

/* Its owner may run the next one without root. */
static enum status take_lock(const struct config *config, const struct owner *owner, int *out)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/serve.lock", config->state.run_directory);
    *out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (*out < 0) {
        log_error("cannot open %s: %s; run this as the owner of that file, or remove it", path,
                  strerror(errno));
        return ERR_SYSTEM;
    }
    if (flock(*out, LOCK_EX | LOCK_NB) != 0) {
        log_error("another latchkey serve runs with the run directory %s; stop it first, or send "
                  "it SIGHUP to read the configuration again",
                  config->state.run_directory);
        return ERR_EXISTS;
    }
    return owner_give(owner, path, false);
}

/* Removes a socket that nobody listens on. */
static enum status clear_place(const struct sockaddr_un *address)
{
    struct stat present;
    if (lstat(address->sun_path, &present) != 0) {
        return OK;
    }
    if (!S_ISSOCK(present.st_mode)) {
        log_error("%s is there and is no socket; remove it", address->sun_path);
        return ERR_EXISTS;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        log_error("cannot make a socket: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    bool dead = connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 &&
                errno == ECONNREFUSED;
    (void)close(probe);
    if (!dead) {
        log_error("%s is in use by another program; stop that first", address->sun_path);
        return ERR_EXISTS;
    }
    if (unlink(address->sun_path) != 0) {
        log_error("cannot remove %s: %s", address->sun_path, strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}

static enum status listen_at(const struct sockaddr_un *address, int *out)
{
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t before = umask(S_IXUSR | S_IXGRP | S_IRWXO);
    bool listening = *out >= 0 &&
                     bind(*out, (const struct sockaddr *)address, sizeof *address) == 0 &&
                     listen(*out, BACKLOG) == 0;
    (void)umask(before);
    if (!listening) {
        log_error("cannot listen on %s: %s", address->sun_path, strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}

/* The group that was asked for must be had; the default one may be out of reach, for one who is
 * not root and runs the web server as the same user. */
static enum status give(const struct config *config, const struct owner *owner, const char *path)
{
    if (geteuid() != 0 && !config->state.group_is_set) {
        if (owner->has_sockets_group) {
            (void)!lchown(path, (uid_t)-1, owner->sockets_group);
        }
        return OK;
    }
    return owner_give(owner, path, true);
}

static enum status open_one(const struct config *config, const struct owner *owner,
                            const char *program, int *out)
{
    struct sockaddr_un address;
    enum status status = print_address(config, program, &address);
    if (status != OK) {
        log_error("state.run_directory: %s is too long for sockets in it, whose whole path may "
                  "have %zu bytes",
                  config->state.run_directory, sizeof address.sun_path - 1);
        return status;
    }
    status = clear_place(&address);
    if (status == OK) {
        status = listen_at(&address, out);
    }
    if (status == OK) {
        status = give(config, owner, address.sun_path);
    }
    return status;
}

enum status sockets_open(const struct config *config, const struct owner *owner,
                         struct sockets *out)
{
    *out = (struct sockets){-1, {-1, -1, -1, -1}};
    enum status status = file_make_folder(config->state.run_directory, RUN_MODE);
    if (status == OK) {
        /* Who may write it could put a gate of his own in the place of ours. */
        status = file_check_folder(config->state.run_directory);
    }
    if (status == OK) {
        status = give(config, owner, config->state.run_directory);
    }
    if (status == OK) {
        status = take_lock(config, owner, &out->lock);
    }
    for (size_t i = 0; i < SOCKETS_COUNT && status == OK; i++) {
        status = open_one(config, owner, socket_programs[i], &out->descriptors[i]);
    }
    return status;
}

void sockets_close(const struct config *config, struct sockets *sockets)
{
    struct sockaddr_un address;
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        if (sockets->descriptors[i] < 0) {
            continue;
        }
        if (print_address(config, socket_programs[i], &address) == OK) {
            (void)unlink(address.sun_path);
        }
        (void)close(sockets->descriptors[i]);
        sockets->descriptors[i] = -1;
    }
    if (sockets->lock >= 0) {
        (void)close(sockets->lock);
        sockets->lock = -1;
    }
}
