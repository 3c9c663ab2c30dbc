/* The plan of the next fault, in a file that a test writes and every process under test has mapped.
 *
 * The file that LATCHKEY_TEST_FAULTS names is mapped before main, so that what a program forbids
 * itself later does not matter, and a worker that runs already can be told of another fault. The
 * test reads and writes it at the offsets of struct fault_plan (plan.mjs, its other side); `armed`
 * is written last.
 *
 * Calls are counted in all processes of one program together. Nothing here allocates, locks or
 * makes a system call after the start. */
#ifndef LATCHKEY_FAULT_PLAN_H
#define LATCHKEY_FAULT_PLAN_H

#include <stdatomic.h>
#include <stdint.h>

/* All that can be made to fail, by the name of the call. */
#define FAULT_FUNCTIONS(X)                                                                         \
    X(malloc)                                                                                      \
    X(calloc)                                                                                      \
    X(realloc)                                                                                     \
    X(strdup)                                                                                      \
    X(strndup)                                                                                     \
    X(mmap)                                                                                        \
    X(mremap)                                                                                      \
    X(mprotect)                                                                                    \
    X(madvise)                                                                                     \
    X(mlock)                                                                                       \
    X(open)                                                                                        \
    X(close)                                                                                       \
    X(read)                                                                                        \
    X(pread)                                                                                       \
    X(write)                                                                                       \
    X(pwrite)                                                                                      \
    X(fsync)                                                                                       \
    X(fdatasync)                                                                                   \
    X(ftruncate)                                                                                   \
    X(fcntl)                                                                                       \
    X(flock)                                                                                       \
    X(stat)                                                                                        \
    X(lstat)                                                                                       \
    X(fstat)                                                                                       \
    X(access)                                                                                      \
    X(realpath)                                                                                    \
    X(unlink)                                                                                      \
    X(rename)                                                                                      \
    X(link)                                                                                        \
    X(mkdir)                                                                                       \
    X(mkostemp)                                                                                    \
    X(fchmod)                                                                                      \
    X(fchown)                                                                                      \
    X(dup2)                                                                                        \
    X(tmpfile)                                                                                     \
    X(fseek)                                                                                       \
    X(opendir)                                                                                     \
    X(readdir)                                                                                     \
    X(socket)                                                                                      \
    X(socketpair)                                                                                  \
    X(connect)                                                                                     \
    X(accept4)                                                                                     \
    X(recv)                                                                                        \
    X(recvmsg)                                                                                     \
    X(send)                                                                                        \
    X(sendmsg)                                                                                     \
    X(setsockopt)                                                                                  \
    X(getsockname)                                                                                 \
    X(ioctl)                                                                                       \
    X(poll)                                                                                        \
    X(epoll_create1)                                                                               \
    X(epoll_ctl)                                                                                   \
    X(epoll_wait)                                                                                  \
    X(signalfd)                                                                                    \
    X(inotify_init1)                                                                               \
    X(inotify_add_watch)                                                                           \
    X(getrandom)                                                                                   \
    X(getentropy)                                                                                  \
    X(clock_gettime)                                                                               \
    X(nanosleep)                                                                                   \
    X(fork)                                                                                        \
    X(setrlimit)                                                                                   \
    X(prctl)                                                                                       \
    X(getpwnam)                                                                                    \
    X(sqlite3_open_v2)                                                                             \
    X(sqlite3_prepare_v3)                                                                          \
    X(sqlite3_step)                                                                                \
    X(sqlite3_exec)                                                                                \
    X(sqlite3_bind_int64)                                                                          \
    X(sqlite3_bind_text64)                                                                         \
    X(sqlite3_bind_blob64)                                                                         \
    X(sqlite3_db_config)                                                                           \
    X(sqlite3_busy_handler)                                                                        \
    X(sqlite3_set_authorizer)                                                                      \
    X(sqlite3_wal_checkpoint_v2)

#define FAULT_ENUMERATOR(name) FAULT_##name,
enum fault_function { FAULT_FUNCTIONS(FAULT_ENUMERATOR) FAULT_COUNT };

enum fault_how {
    FAULT_NONE,
    FAULT_BEFORE, /* the call is not made, and reported as failed */
    FAULT_AFTER,  /* it is made, and reported as failed */
    FAULT_SHORT,  /* it is made for half of the bytes */
};

#define FAULT_MAX        128 /* functions that the file has room for */
#define FAULT_NAME_BYTES 32
#define FAULT_RULES      2 /* faults at a time */

struct fault_rule {
    _Atomic uint64_t armed; /* 0: none */
    uint64_t function;
    uint64_t how;
    int64_t error; /* errno, or SQLite's result code */
    uint64_t nth;  /* the first call that fails, counted from 1 since it was armed */
    uint64_t span; /* how many in a row */
    _Atomic uint64_t seen;
    _Atomic uint64_t injected;
    _Atomic uint64_t offset;       /* of the call that failed first, in the object below */
    char object[FAULT_NAME_BYTES]; /* the program or library that made it */
    char except[FAULT_NAME_BYTES]; /* libraries whose calls do not count: " liba libb " */
};

struct fault_plan {
    char program[FAULT_NAME_BYTES]; /* whose calls count */
    _Atomic int64_t passed_s;       /* added to all clocks */
    uint64_t function_count;        /* written by the processes under test, with the names */
    char names[FAULT_MAX][FAULT_NAME_BYTES];
    _Atomic uint64_t counts[FAULT_MAX]; /* calls since the test set them to 0 */
    struct fault_rule rules[FAULT_RULES];
};

struct fault {
    enum fault_how how;
    int error;
};

/* What is to become of this call, which it counts. `caller` is its return address. */
struct fault fault_ask(enum fault_function function, void *caller);

/* Seconds to add to a clock. */
int64_t fault_passed_s(void);

/* Sets *out, a pointer to a function, to the next definition of the name. */
void fault_find(const char *name, void *out);

#endif
