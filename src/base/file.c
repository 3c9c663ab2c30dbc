/* Small files, read whole and replaced whole.
 *
 * Checks are made on the opened file, never on its name, so that nobody can exchange it in between;
 * O_NONBLOCK keeps a FIFO put in its place from holding the program up.
 *
 * Replacing: a new file beside the old one (made with O_EXCL, mode 0600), its content on the disk,
 * then rename, then the folder on the disk. Whoever reads sees the old or the new content, and
 * after a loss of power one of them is there. A fresh file is renamed so that nothing is replaced.
 * When only the last step fails, the new content stands, but a loss of power may still undo it: the
 * caller is told ERR_SYSTEM.
 *
 * What this does not protect: content from the owner of the folder and the members of its group, if
 * they may write it. Where all may write it, nothing private is read. */
#define _GNU_SOURCE /* mkostemp, renameat2 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"

#define OTHERS_MASK 077

bool file_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_is_untouched(const struct stat *a, const struct stat *b)
{
    return file_is_same(a, b) && a->st_size == b->st_size && is_same_time(a->st_mtim, b->st_mtim) &&
           is_same_time(a->st_ctim, b->st_ctim);
}

static const struct {
    int cause;
    const char *remedy;
} remedies[] = {
    {EACCES, "; run this as the owner of its folder, or as root"},
    {EPERM, "; run this as its owner, or as root"},
    {ENOENT, "; make its folder first"},
    {ENOTDIR, "; a folder is wanted where a file is"},
    {ENOSPC, "; free some space on this file system"},
    {EDQUOT, "; free some space or raise the quota"},
    {EROFS, "; this file system must be mounted writable"},
};

/* Logs what failed for the reason in errno, with what to do about it. */
static void complain(const char *what, const char *path)
{
    int cause = errno;
    const char *remedy = "";
    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (remedies[i].cause == cause) {
            remedy = remedies[i].remedy;
        }
    }
    log_error("cannot %s %s: %s%s", what, path, strerror(cause), remedy);
}

static void close_keeping_errno(int descriptor)
{
    int saved = errno;
    (void)close(descriptor);
    errno = saved;
}

static enum status open_status(void)
{
    return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM;
}

static ssize_t read_again(int descriptor, char *chunk, size_t len)
{
    ssize_t got;
    do {
        got = read(descriptor, chunk, len);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Takes away what was added after `len`, and the failure of adding it. */
static void shorten(struct buffer *buffer, size_t len)
{
    if (buffer->data != NULL) {
        secret_wipe(buffer->data + len, buffer->len - len);
        buffer->len = len;
    }
    buffer->failed = false;
}

static enum status read_all(int descriptor, struct buffer *out)
{
    if (out->failed) {
        return ERR_MEMORY;
    }
    size_t before = out->len;
    char chunk[4096];
    enum status status = OK;
    ssize_t got;
    while (status == OK && (got = read_again(descriptor, chunk, sizeof chunk)) != 0) {
        if (got < 0) {
            status = ERR_SYSTEM;
        } else if ((size_t)got > out->limit - out->len) {
            status = ERR_TOO_LARGE;
        } else {
            buffer_add(out, chunk, (size_t)got);
            status = out->failed ? ERR_MEMORY : OK;
        }
    }
    secret_wipe(chunk, sizeof chunk);
    if (status != OK) {
        shorten(out, before);
    }
    return status;
}

enum status file_read(const char *path, struct buffer *out)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
        return open_status();
    }
    struct stat found;
    enum status status = ERR_SYSTEM;
    if (fstat(descriptor, &found) == 0) {
        if (S_ISREG(found.st_mode)) {
            status = read_all(descriptor, out);
        } else {
            errno = S_ISDIR(found.st_mode) ? EISDIR : EINVAL;
        }
    }
    close_keeping_errno(descriptor);
    return status;
}

bool file_print_folder(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    int len = slash == NULL   ? snprintf(folder, PATH_MAX, ".")
              : slash == path ? snprintf(folder, PATH_MAX, "/")
                              : snprintf(folder, PATH_MAX, "%.*s", (int)(slash - path), path);
    return len > 0 && len < PATH_MAX;
}

enum status file_check_folder(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0) {
        log_error("cannot look at %s: %s", path, strerror(errno));
        return ERR_SYSTEM;
    }
    if ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0) {
        log_error("all may write %s, and so put files of their own there; run chmod o-w %s", path,
                  path);
        return ERR_PERMISSION;
    }
    return OK;
}

/* Whether the opened file is one that nobody else may read, write or replace; logs why not. */
static enum status check_private(const char *path, const struct stat *found)
{
    if (!S_ISREG(found->st_mode)) {
        log_error("%s must be a regular file; put one there", path);
        return ERR_PERMISSION;
    }
    if (found->st_uid != geteuid() && found->st_uid != 0) {
        log_error("%s belongs to user %lu, but must belong to the one who runs this; "
                  "chown %lu %s",
                  path, (unsigned long)found->st_uid, (unsigned long)geteuid(), path);
        return ERR_PERMISSION;
    }
    if ((found->st_mode & OTHERS_MASK) != 0) {
        log_error("%s has mode %04o, but must not be open to group and others; chmod 600 %s", path,
                  (unsigned)(found->st_mode & 07777), path);
        return ERR_PERMISSION;
    }
    char folder[PATH_MAX];
    if (!file_print_folder(path, folder)) {
        errno = ENAMETOOLONG;
        return ERR_SYSTEM;
    }
    return file_check_folder(folder);
}

enum status file_read_private(const char *path, struct buffer *out, struct stat *identity)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (descriptor < 0 && errno == ELOOP) {
        log_error("%s is a symbolic link; put the file itself there", path);
        return ERR_PERMISSION;
    }
    if (descriptor < 0) {
        return open_status();
    }
    struct stat found;
    enum status status = ERR_SYSTEM;
    if (fstat(descriptor, &found) == 0) {
        status = check_private(path, &found);
        if (status == OK) {
            status = read_all(descriptor, out);
        }
    }
    close_keeping_errno(descriptor);
    if (status == OK) {
        *identity = found;
    }
    return status;
}

static bool write_all(int descriptor, struct text content)
{
    while (content.len > 0) {
        ssize_t written = write(descriptor, content.data, content.len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        content = text_from(content, written < 0 ? 0 : (size_t)written);
    }
    return true;
}

/* Gives the new file the owner of the one it replaces. Only root can, and only root needs it: so
 * that a secret rotated by root stays readable for the service. */
static void keep_owner(int descriptor, const char *path)
{
    struct stat old;
    if (geteuid() != 0 || lstat(path, &old) != 0 || !S_ISREG(old.st_mode)) {
        return;
    }
    if (fchown(descriptor, old.st_uid, old.st_gid) != 0) {
        log_warning("%s could not keep its owner: %s; chown %lu %s", path, strerror(errno),
                    (unsigned long)old.st_uid, path);
    }
}

/* Whoever owns the folder may have put a link there to a file that root alone should write: what
 * has another name, or another owner already, is not given away. */
static bool is_only_of_root(int descriptor)
{
    struct stat found;
    return fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == 0 &&
           found.st_nlink == 1;
}

void file_give_to_owner_of_folder(int descriptor, const char *path)
{
    char folder[PATH_MAX];
    struct stat found;
    if (geteuid() != 0 || !file_print_folder(path, folder) || stat(folder, &found) != 0 ||
        found.st_uid == 0 || !is_only_of_root(descriptor)) {
        return;
    }
    if (fchown(descriptor, found.st_uid, found.st_gid) != 0) {
        log_warning("%s could not be given to the owner of its folder: %s; chown %lu %s", path,
                    strerror(errno), (unsigned long)found.st_uid, path);
    }
}

static bool sync_folder(const char *path)
{
    char folder[PATH_MAX];
    if (!file_print_folder(path, folder)) {
        errno = ENAMETOOLONG;
        return false;
    }
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    bool done = fsync(descriptor) == 0;
    close_keeping_errno(descriptor);
    return done;
}

/* Fills the new file. */
static bool fill(int descriptor, const char *path, struct text content)
{
    bool done = fchmod(descriptor, S_IRUSR | S_IWUSR) == 0 && write_all(descriptor, content);
    if (done) {
        keep_owner(descriptor, path);
    }
    return done;
}

/* Gives the new file its name; without `fresh` whatever has the name goes. Where a file system
 * cannot refuse in one step, the file has two names for a moment, and keeps them if we are killed
 * then. */
static bool give_name(const char *made, const char *path, bool fresh)
{
    if (!fresh) {
        return rename(made, path) == 0;
    }
    if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return false;
    }
    return link(made, path) == 0 && unlink(made) == 0;
}

enum status file_make_beside(const char *path, char made[PATH_MAX], int *out)
{
    int len = snprintf(made, PATH_MAX, "%s" FILE_BESIDE "XXXXXX", path);
    int descriptor = -1;
    if (len < 0 || len >= PATH_MAX) {
        errno = ENAMETOOLONG;
    } else {
        descriptor = mkostemp(made, O_CLOEXEC | O_NOFOLLOW);
    }
    if (descriptor < 0) {
        complain("write", path);
        return ERR_SYSTEM;
    }
    *out = descriptor;
    return OK;
}

enum status file_put_in_place(const char *made, int descriptor, const char *path, bool fresh)
{
    bool done = fsync(descriptor) == 0 && give_name(made, path, fresh);
    int cause = errno;
    (void)close(descriptor);
    if (!done) {
        (void)unlink(made);
        if (fresh && cause == EEXIST) {
            return ERR_EXISTS;
        }
        errno = cause;
        complain("write", path);
        return ERR_SYSTEM;
    }
    if (!sync_folder(path)) {
        complain("bring to the disk the folder of", path);
        return ERR_SYSTEM;
    }
    return OK;
}

enum status file_write_private(const char *path, struct text content, bool fresh)
{
    char made[PATH_MAX];
    int descriptor = -1;
    struct stat found;
    if (fresh && lstat(path, &found) == 0) { /* told before the work; decided at the end */
        return ERR_EXISTS;
    }
    enum status status = file_make_beside(path, made, &descriptor);
    if (status != OK) {
        return status;
    }
    if (!fill(descriptor, path, content)) {
        complain("write", path);
        (void)close(descriptor);
        (void)unlink(made);
        return ERR_SYSTEM;
    }
    return file_put_in_place(made, descriptor, path, fresh);
}

/* One folder; its mode is set again after mkdir, which lessens it by the umask. */
static enum status make_one(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0) {
        if (chmod(path, mode) == 0) {
            return OK;
        }
    } else if (errno == EEXIST) {
        struct stat found;
        if (stat(path, &found) == 0) {
            if (S_ISDIR(found.st_mode)) {
                return OK;
            }
            errno = ENOTDIR;
        }
    }
    complain("make the folder", path);
    return ERR_SYSTEM;
}

enum status file_make_folder(const char *path, mode_t mode)
{
    char partial[PATH_MAX];
    int len = snprintf(partial, sizeof partial, "%s", path);
    if (len <= 0 || (size_t)len >= sizeof partial) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        complain("make the folder", path);
        return ERR_SYSTEM;
    }
    while (len > 1 && partial[len - 1] == '/') {
        partial[--len] = '\0';
    }
    for (char *slash = strchr(partial + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enum status status = make_one(partial, 0755);
        *slash = '/';
        if (status != OK) {
            return status;
        }
    }
    return make_one(partial, mode);
}
