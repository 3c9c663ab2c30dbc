/* Ends a program at one of its calls that change something, as kill -9 would, for programs that are
 * started with this preloaded.
 *
 * The file that LATCHKEY_TEST_CRASH names holds a struct control. It is mapped, so that whoever
 * writes it says while a program runs at which of its next calls it is to die: `left` counts down,
 * in the programs whose name is `program`, and at 0 the one that made the call is killed before it,
 * after it, or when half of the bytes are written. All calls of such programs are counted in
 * `calls`. Bytes for standard error do not count: nobody relies on them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../web/support/original.h"

enum mode { BEFORE, AFTER, HALF };

/* As tests/crash/crash.mjs has it. */
struct control {
    _Atomic int64_t left; /* calls until the end; below 1: no end */
    int64_t mode;
    _Atomic int64_t calls;
    char program[16];
};

static struct control *control;

__attribute__((constructor)) static void find_control(void)
{
    const char *path = getenv("LATCHKEY_TEST_CRASH");
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    control = mapped != MAP_FAILED ? mapped : NULL;
    (void)close(file);
}

static void die(void)
{
    (void)raise(SIGKILL); /* one that is confined may send signals to itself only, by tgkill(2) */
    abort();
}

/* Counts a call. Whether the program is to die at it. */
static bool is_due(void)
{
    if (control == NULL || strncmp(control->program, program_invocation_short_name,
                                   sizeof control->program - 1) != 0) {
        return false;
    }
    (void)atomic_fetch_add(&control->calls, 1);
    return atomic_load(&control->left) > 0 && atomic_fetch_sub(&control->left, 1) == 1;
}

/* Dies when it is due, unless only after the call: then it returns true. */
static bool begin(void)
{
    bool due = is_due();
    if (due && control->mode != AFTER) {
        die();
    }
    return due;
}

/* What the call gave, when the program may go on. */
#define CALL(name, ...)                                                                            \
    bool is_last = begin();                                                                        \
    __typeof__(name(__VA_ARGS__)) result = ORIGINAL(name)(__VA_ARGS__);                            \
    if (is_last) {                                                                                 \
        die();                                                                                     \
    }                                                                                              \
    return result

/* The same for bytes, of which half may be written. */
#define WRITE(name, len, whole, half)                                                              \
    bool due = is_due();                                                                           \
    if (due && control->mode == HALF && len > 1) {                                                 \
        (void)half;                                                                                \
    }                                                                                              \
    if (due && control->mode != AFTER) {                                                           \
        die();                                                                                     \
    }                                                                                              \
    ssize_t result = whole;                                                                        \
    if (due) {                                                                                     \
        die();                                                                                     \
    }                                                                                              \
    return result

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (fd == STDERR_FILENO) {
        return ORIGINAL(write)(fd, bytes, len);
    }
    WRITE(write, len, ORIGINAL(write)(fd, bytes, len), ORIGINAL(write)(fd, bytes, len / 2));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    WRITE(pwrite, len, ORIGINAL(pwrite)(fd, bytes, len, at),
          ORIGINAL(pwrite)(fd, bytes, len / 2, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    WRITE(pwrite64, len, ORIGINAL(pwrite64)(fd, bytes, len, at),
          ORIGINAL(pwrite64)(fd, bytes, len / 2, at));
}

int fsync(int fd)
{
    CALL(fsync, fd);
}

int fdatasync(int fd)
{
    CALL(fdatasync, fd);
}

int ftruncate(int fd, off_t len)
{
    CALL(ftruncate, fd, len);
}

int ftruncate64(int fd, off64_t len)
{
    CALL(ftruncate64, fd, len);
}

int rename(const char *from, const char *to)
{
    CALL(rename, from, to);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    CALL(renameat2, from_at, from, to_at, to, flags);
}

int link(const char *from, const char *to)
{
    CALL(link, from, to);
}

int unlink(const char *path)
{
    CALL(unlink, path);
}

int flock(int fd, int operation)
{
    CALL(flock, fd, operation);
}

int mkostemp(char *path, int flags)
{
    CALL(mkostemp, path, flags);
}

/* SQLite's locks: between them it writes to memory that other programs share. */
int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (command != F_SETLK && command != F_SETLKW) {
        return ORIGINAL(fcntl64)(fd, command, argument);
    }
    CALL(fcntl64, fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (command != F_SETLK && command != F_SETLKW) {
        return ORIGINAL(fcntl)(fd, command, argument);
    }
    CALL(fcntl, fd, command, argument);
}
