/* Writes down what a program does to files, for programs that are started with this preloaded: what
 * is written, cut, renamed, linked, removed, and what is brought to the disk, in this order.
 *
 * Each act is one record at the end of the file that LATCHKEY_TEST_RECORD names: a struct record,
 * two paths, bytes. What is written to standard output is a record without bytes, for that is how
 * people are answered. What programs write to memory that they share is not seen: it lies on no
 * disk. Right for one program at a time. Read by tests/crash/recording.mjs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../web/support/original.h"

struct record {
    uint32_t kind; /* a letter */
    uint32_t path_len, other_len, len;
    int64_t at; /* the place in the file, or its new length */
};

#define RECORD 150 /* out of the way of the descriptors that programs open */

/* At once: a program that is started for one request takes its environment away, and one that
 * serves opens no file there. */
__attribute__((constructor)) static void open_record(void)
{
    const char *name = getenv("LATCHKEY_TEST_RECORD");
    int file = name != NULL ? open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || dup3(file, RECORD, O_CLOEXEC) != RECORD || close(file) != 0) {
        abort();
    }
}

static void note(char kind, const char *path, const char *other, int64_t at, struct iovec bytes)
{
    struct record head = {
        .kind = (uint32_t)kind,
        .path_len = (uint32_t)strlen(path),
        .other_len = (uint32_t)strlen(other),
        .len = (uint32_t)bytes.iov_len,
        .at = at,
    };
    const struct iovec parts[] = {
        {&head, sizeof head},
        {(void *)(uintptr_t)path, head.path_len},
        {(void *)(uintptr_t)other, head.other_len},
        bytes,
    };
    ssize_t whole = (ssize_t)(sizeof head + head.path_len + head.other_len + bytes.iov_len);
    if (writev(RECORD, parts, 4) != whole) {
        abort(); /* a record that lacks something proves nothing */
    }
}

/* The same for an open file. What is no file or folder is left out. */
static void note_open(char kind, int fd, int64_t at, const void *bytes, size_t len)
{
    char link[64];
    char path[PATH_MAX];
    struct stat found;
    if (fstat(fd, &found) != 0 || (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode))) {
        return;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t path_len = readlink(link, path, sizeof path - 1);
    if (path_len > 0) {
        path[path_len] = '\0';
        note(kind, path, "", at, (struct iovec){(void *)(uintptr_t)bytes, len});
    }
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = ORIGINAL(write)(fd, bytes, len);
    if (done > 0 && fd == STDOUT_FILENO) {
        note('a', "", "", 0, (struct iovec){0});
    } else if (done > 0) {
        note_open('w', fd, at, bytes, (size_t)done);
    }
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t done = ORIGINAL(pwrite)(fd, bytes, len, at);
    if (done > 0) {
        note_open('w', fd, at, bytes, (size_t)done);
    }
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return pwrite(fd, bytes, len, at);
}

int ftruncate(int fd, off_t len)
{
    int result = ORIGINAL(ftruncate)(fd, len);
    if (result == 0) {
        note_open('t', fd, len, NULL, 0);
    }
    return result;
}

int ftruncate64(int fd, off64_t len)
{
    return ftruncate(fd, len);
}

int fsync(int fd)
{
    int result = ORIGINAL(fsync)(fd);
    if (result == 0) {
        note_open('s', fd, 0, NULL, 0);
    }
    return result;
}

int fdatasync(int fd)
{
    int result = ORIGINAL(fdatasync)(fd);
    if (result == 0) {
        note_open('s', fd, 0, NULL, 0);
    }
    return result;
}

static int note_names(int result, char kind, const char *path, const char *other)
{
    if (result == 0) {
        note(kind, path, other, 0, (struct iovec){0});
    }
    return result;
}

int rename(const char *from, const char *to)
{
    return note_names(ORIGINAL(rename)(from, to), 'r', from, to);
}

/* Of paths from the root or the working folder, as all are. */
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    return note_names(ORIGINAL(renameat2)(from_at, from, to_at, to, flags), 'r', from, to);
}

int link(const char *from, const char *to)
{
    return note_names(ORIGINAL(link)(from, to), 'l', from, to);
}

int unlink(const char *path)
{
    return note_names(ORIGINAL(unlink)(path), 'u', path, "");
}
