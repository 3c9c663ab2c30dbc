/* What a process gives up for good once it has opened what it needs and before it reads the first
 * byte of a client: so that whoever takes it over by a fault of ours finds little to do with it. */
#ifndef LATCHKEY_CONFINE_CONFINE_H
#define LATCHKEY_CONFINE_CONFINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/status.h"

#define CONFINE_FOLDERS_MAX 3

/* What a process goes on to do, and so keeps. */
struct confine_plan {
    const char *folders[CONFINE_FOLDERS_MAX]; /* where files are read, written, made and removed;
                                               * nothing outside can be opened. Borrowed, or the
                                               * one below; NULL is passed over */
    char database_folder[PATH_MAX];
    bool watches;          /* it asks the kernel to be told of changes (inotify) */
    bool sends_messages;   /* it sends messages: connections to workers, lines to the log */
    unsigned descriptors;  /* the most it may have open; 0: as many as it was given */
    uint64_t memory_bytes; /* the most it may map for itself; 0: as much as it was given */
};

/* The layers; a set of them is their sum. */
enum confine_layer {
    CONFINE_CALLS = 1, /* system calls: seccomp(2) */
    CONFINE_FILES =
        2, /* files, TCP, abstract sockets, signals: landlock(7), as far as its version goes */
    CONFINE_LIMITS = 4, /* no privileges, dumps, debuggers, children; descriptors, memory */
    CONFINE_ALL = 7,
    CONFINE_FAILED = 8, /* no layer: one that there is could not be had, which may pass */
};

/* To what a process was confined. All zeros: to nothing. */
struct confinement {
    struct {
        const char *path; /* borrowed, as in the plan */
        dev_t device;
        ino_t inode;
    } folders[CONFINE_FOLDERS_MAX];
    size_t count;
};

/* Confines the calling process, which must have a single thread, and all that it forks, for good.
 * Each of `layers` is tried, whatever becomes of the others; those that could not be had are
 * returned as a set, each told in the log with why; 0: all were. With CONFINE_FAILED among them it
 * was not for lack of means in this kernel. *out remembers the folders. */
unsigned confine(const struct confine_plan *plan, unsigned layers, struct confinement *out)
    MUST_USE;

/* The same with all layers in a child that ends at once: what the calling process could not give
 * up. All and CONFINE_FAILED, logged, when no child could be made. */
unsigned confine_try(const struct confine_plan *plan) MUST_USE;

/* Whether a folder's path leads elsewhere than when the process was confined, or to something now
 * where nothing was, and so to a place that it cannot use: let another process take its place. One
 * system call for each folder. */
bool confine_is_outdated(const struct confinement *confinement);

/* "system calls (seccomp), files (Landlock)": the layers of a set in words. */
#define CONFINE_TEXT_MAX 96
void confine_print(unsigned layers, char out[CONFINE_TEXT_MAX]);

#endif
