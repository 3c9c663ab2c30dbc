/* Whether files changed, as the kernel tells: for programs that would otherwise look at the same
 * few files all the time. */
#ifndef LATCHKEY_BASE_WATCH_H
#define LATCHKEY_BASE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define WATCH_FILES_MAX 4
#define WATCH_LOOK_MS   1000 /* at least this often, count as changed what may have been missed */

struct watch;

enum watch_kind {
    WATCH_NAME,     /* which file the path leads to */
    WATCH_CONTENT,  /* and what is in it */
    WATCH_DATABASE, /* which file the path leads to, and the paths of those that SQLite keeps beside
                       it: <path>-wal and <path>-shm (sqlite.org/tempfiles.html) */
};

struct watch_file {
    const char *path; /* borrowed for the life of the watch */
    enum watch_kind kind;
};

/* For at most WATCH_FILES_MAX files, which need not be there; nothing is asked of the kernel yet,
 * so that it may cross fork, also later: a child begins anew. ERR_MEMORY. Close with watch_close.
 */
enum status watch_open(const struct watch_file *files, size_t count, struct watch **out) MUST_USE;
void watch_close(struct watch **watch);

/* A number, never 0, that is the one of an earlier call only if none of the files changed between
 * the two calls: look at the files after the call, and again when the number is another one. Where
 * that cannot be known, each call gives another number. One system call when nothing changed; the
 * first call makes none. */
uint64_t watch_count_changes(struct watch *watch);

#endif
