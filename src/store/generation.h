/* The revocation generation: one small file that all programs of an installation share, which tells
 * whether anything ended since they last asked the database.
 *
 *   0          8          16         24          32         40 bytes
 *   +----------+----------+----------+-----------+----------+
 *   | "LKgen1" | counter  | nonce    | ~counter  | ~nonce   |      numbers in the host's order
 *   +----------+----------+----------+-----------+----------+
 *
 * The counter is twice the database's number of revocations, and odd while one is being written.
 * The file is only ever a hint: whoever finds it missing, odd, cut, or with another number than the
 * database's asks the database, which is right. */
#ifndef LATCHKEY_STORE_GENERATION_H
#define LATCHKEY_STORE_GENERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/status.h"

struct generation;

/* What the file was at one moment: compare with generation_is_same only. */
struct generation_mark {
    uint64_t sequence; /* revocations that the database counted by then */
    uint64_t nonce;    /* random, new at every writing, so that no two writings look alike */
    struct stat file;  /* its identity and times */
};

/* For the file `path`, which is not touched yet. ERR_MEMORY. Close with generation_close. */
enum status generation_open(const char *path, struct generation **out) MUST_USE;
void generation_close(struct generation **generation);

/* Reads the file: two system calls. ERR_NOT_FOUND: in doubt, so ask the database (not logged, for a
 * revocation that is being written makes it so). */
enum status generation_read(struct generation *generation, struct generation_mark *out) MUST_USE;

/* Whether nothing at all was written, or done to the file, between two readings. */
bool generation_is_same(const struct generation_mark *a, const struct generation_mark *b);

/* Takes the lock that one writer at a time has, making the file when it is missing. ERR_SYSTEM
 * (logged): it cannot be had, within GENERATION_WAIT_MS if `patient`, else (not logged) right now.
 * OK also when the folder is missing: then no program has anything in memory that it relies on. */
#define GENERATION_WAIT_MS 5000
enum status generation_lock(struct generation *generation, bool patient) MUST_USE;

/* Makes the counter odd, or the file empty where there is no room. ERR_SYSTEM (logged): do not go
 * on. Needs the lock, as the next one. */
enum status generation_taint(struct generation *generation) MUST_USE;

/* Makes the counter even, or the file empty where there is no room: `sequence` is the database's
 * number, committed. After OK every program's
 * next reading of the path differs from all before. ERR_SYSTEM (logged): programs may not know of
 * what was committed since generation_lock. Keeps the lock. */
enum status generation_settle(struct generation *generation, uint64_t sequence) MUST_USE;

/* Lets the lock go. A counter that is still odd stays odd, for the next one to mend. */
void generation_unlock(struct generation *generation);

#endif
