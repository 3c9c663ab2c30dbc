/* Files and folders, by the names that programs and libraries call them by. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpose.h"

/* The mode that an open with these flags has as a further argument. */
#define READ_MODE(flags, mode)                                                                     \
    mode_t mode = 0;                                                                               \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {                              \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        (mode) = va_arg(list, mode_t);                                                             \
        va_end(list);                                                                              \
    }

static int open_or_fail(const char *name, const char *path, int flags, mode_t mode, void *caller)
{
    struct fault fault = fault_ask(FAULT_open, caller);
    int (*original)(const char *, int, ...) = NULL;
    if (fault.how != FAULT_NONE) {
        errno = fault.error;
        return -1;
    }
    fault_find(name, &original);
    return original(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    READ_MODE(flags, mode)
    return open_or_fail("open", path, flags, mode, __builtin_return_address(0));
}

int open64(const char *path, int flags, ...)
{
    READ_MODE(flags, mode)
    return open_or_fail("open64", path, flags, mode, __builtin_return_address(0));
}

/* To let go of a lock does not fail on a disk of one's own, and SQLite does not look. */
static bool is_unlock(int command, const void *argument)
{
    return command == F_SETLK && ((const struct flock *)argument)->l_type == F_UNLCK;
}

/* Whatever the command, its argument is none, an int or a pointer: each fits into a pointer. */
static int control_or_fail(const char *name, int fd, int command, void *argument, void *caller)
{
    struct fault fault = {FAULT_NONE, 0};
    if (!is_unlock(command, argument)) {
        fault = fault_ask(FAULT_fcntl, caller);
    }
    int (*original)(int, int, ...) = NULL;
    if (fault.how != FAULT_NONE) {
        errno = fault.error;
        return -1;
    }
    fault_find(name, &original);
    return original(fd, command, argument);
}

#define INTERPOSE_CONTROL(name)                                                                    \
    int name(int fd, int command, ...)                                                             \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, command);                                                                   \
        void *argument = va_arg(list, void *);                                                     \
        va_end(list);                                                                              \
        return control_or_fail(#name, fd, command, argument, __builtin_return_address(0));         \
    }
INTERPOSE_CONTROL(fcntl)
INTERPOSE_CONTROL(fcntl64)

INTERPOSE(close, int, -1, close, (int fd), (fd))
INTERPOSE_LENGTH(read, ssize_t, -1, read, (int fd, void *out, size_t len), (fd, out, len))
INTERPOSE_LENGTH(write, ssize_t, -1, write, (int fd, const void *from, size_t len), (fd, from, len))
INTERPOSE_LENGTH(pread, ssize_t, -1, pread, (int fd, void *out, size_t len, off_t at),
                 (fd, out, len, at))
INTERPOSE_LENGTH(pread, ssize_t, -1, pread64, (int fd, void *out, size_t len, off64_t at),
                 (fd, out, len, at))
INTERPOSE_LENGTH(pwrite, ssize_t, -1, pwrite, (int fd, const void *from, size_t len, off_t at),
                 (fd, from, len, at))
INTERPOSE_LENGTH(pwrite, ssize_t, -1, pwrite64, (int fd, const void *from, size_t len, off64_t at),
                 (fd, from, len, at))
INTERPOSE(fsync, int, -1, fsync, (int fd), (fd))
INTERPOSE(fdatasync, int, -1, fdatasync, (int fd), (fd))
INTERPOSE(ftruncate, int, -1, ftruncate, (int fd, off_t len), (fd, len))
INTERPOSE(ftruncate, int, -1, ftruncate64, (int fd, off64_t len), (fd, len))
INTERPOSE(flock, int, -1, flock, (int fd, int operation), (fd, operation))
INTERPOSE(stat, int, -1, stat, (const char *path, struct stat *out), (path, out))
INTERPOSE(stat, int, -1, stat64, (const char *path, struct stat64 *out), (path, out))
INTERPOSE(lstat, int, -1, lstat, (const char *path, struct stat *out), (path, out))
INTERPOSE(lstat, int, -1, lstat64, (const char *path, struct stat64 *out), (path, out))
INTERPOSE(fstat, int, -1, fstat, (int fd, struct stat *out), (fd, out))
INTERPOSE(fstat, int, -1, fstat64, (int fd, struct stat64 *out), (fd, out))
INTERPOSE(access, int, -1, access, (const char *path, int rights), (path, rights))
INTERPOSE(realpath, char *, NULL, realpath, (const char *path, char *out), (path, out))
INTERPOSE(unlink, int, -1, unlink, (const char *path), (path))
INTERPOSE(rename, int, -1, rename, (const char *from, const char *to), (from, to))
INTERPOSE(link, int, -1, link, (const char *from, const char *to), (from, to))
INTERPOSE(mkdir, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
INTERPOSE(mkostemp, int, -1, mkostemp, (char *path, int flags), (path, flags))
INTERPOSE(fchmod, int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
INTERPOSE(fchown, int, -1, fchown, (int fd, uid_t owner, gid_t group), (fd, owner, group))
INTERPOSE(dup2, int, -1, dup2, (int from, int to), (from, to))
INTERPOSE(tmpfile, FILE *, NULL, tmpfile, (void), ())
INTERPOSE(fseek, int, -1, fseek, (FILE * file, long at, int from), (file, at, from))
INTERPOSE(opendir, DIR *, NULL, opendir, (const char *path), (path))
INTERPOSE(readdir, struct dirent *, NULL, readdir, (DIR * folder), (folder))
