/* Locks between programs.
 *
 * flock on the folder needs no file of its own and outlives the replacing of the files in it. It
 * knows no limit of time, so with one it is tried again and again.
 *
 * What this does not protect: the lock from whoever may read the folder, who can hold it. */
#define _GNU_SOURCE /* flock */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define TRY_AGAIN_MS 2 /* between two attempts */

static enum status open_folder(const char *path, char folder[PATH_MAX], int *descriptor)
{
    if (!file_print_folder(path, folder)) {
        log_error("the path is too long: %s", path);
        return ERR_SYSTEM;
    }
    int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) {
        enum status status = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM;
        log_error("cannot open the folder %s: %s; is the state directory right?", folder,
                  strerror(errno));
        return status;
    }
    *descriptor = opened;
    return OK;
}

bool lock_within(int descriptor, int limit_ms)
{
    const struct timespec pause = {.tv_nsec = TRY_AGAIN_MS * 1000000L};
    int64_t deadline_ms = limit_ms < 0 ? 0 : clock_monotonic_ms() + limit_ms;
    while (flock(descriptor, limit_ms < 0 ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR && errno != EWOULDBLOCK) {
            return false;
        }
        if (errno == EWOULDBLOCK) {
            if (clock_monotonic_ms() >= deadline_ms) {
                return false;
            }
            (void)nanosleep(&pause, NULL);
        }
    }
    return true;
}

enum status lock_folder(const char *path, int limit_ms, int *descriptor)
{
    char folder[PATH_MAX];
    int opened = -1;
    enum status status = open_folder(path, folder, &opened);
    if (status != OK) {
        return status;
    }
    if (!lock_within(opened, limit_ms)) {
        if (errno == EWOULDBLOCK) {
            log_error("another program keeps the folder %s locked for more than %d ms; is one "
                      "stuck?",
                      folder, limit_ms);
        } else {
            log_error("cannot lock the folder %s: %s; is it on a file system with locks?", folder,
                      strerror(errno));
        }
        (void)close(opened);
        return ERR_SYSTEM;
    }
    *descriptor = opened;
    return OK;
}
