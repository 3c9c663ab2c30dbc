/* The file of the revocation generation.
 *
 * Invariants: the counter is odd from before a revocation is begun until after it is committed; it
 * is even only with the number that the database gave. A program that dies in between leaves it
 * odd, and its lock to the kernel. Every writing draws a nonce, and a reading counts the file's
 * identity and times too, so an old copy of the file put back is not taken for the state that it
 * was copied from.
 *
 * The file is read, not mapped: a mapped file that somebody cuts kills its readers by SIGBUS, and a
 * mapping does not notice that another file took the path. It is written by calls, never through a
 * mapping: of each call the kernel tells programs that watch the file (base/watch.h) before the
 * call returns, so before the revocation is answered, and these read it only then.
 *
 * On a full file system it is emptied, so that sessions can be ended there, too.
 *
 * Whatever lies in the file's place and is not a file that this user can write is taken away, for
 * the folder is ours; only a folder with that name stays, and makes revocations fail.
 *
 * What this does not protect: a run directory that others may write. */
#include "store/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "crypto/random.h"

#define TRIES 8 /* against somebody who keeps exchanging the file */

static const char magic[8] = "LKgen1\n";

struct record {
    char magic[sizeof magic];
    uint64_t counter, nonce;
    uint64_t inverse_counter, inverse_nonce;
};

_Static_assert(sizeof(struct record) == 40, "the record has no gaps");

struct generation {
    int reader;         /* open for reading, or -1 */
    int writer;         /* open for writing and locked, or -1 */
    bool is_absent;     /* locked while there is no folder for the file */
    struct stat opened; /* of reader */
    char path[];
};

enum status generation_open(const char *path, struct generation **out)
{
    size_t room = strlen(path) + 1;
    struct generation *generation = calloc(1, sizeof *generation + room);
    if (generation == NULL) {
        log_error("not enough memory for the revocation generation");
        return ERR_MEMORY;
    }
    generation->reader = -1;
    generation->writer = -1;
    memcpy(generation->path, path, room);
    *out = generation;
    return OK;
}

static void close_reader(struct generation *generation)
{
    if (generation->reader >= 0) {
        (void)close(generation->reader);
        generation->reader = -1;
    }
}

void generation_close(struct generation **generation)
{
    if (*generation != NULL) {
        generation_unlock(*generation);
        close_reader(*generation);
        free(*generation);
        *generation = NULL;
    }
}

bool generation_is_same(const struct generation_mark *a, const struct generation_mark *b)
{
    return a->sequence == b->sequence && a->nonce == b->nonce &&
           file_is_untouched(&a->file, &b->file);
}

/* Opens for reading the file whose stat is `now`. */
static bool open_reader(struct generation *generation, const struct stat *now)
{
    if (generation->reader >= 0 && file_is_same(&generation->opened, now)) {
        return true;
    }
    close_reader(generation);
    generation->reader =
        open(generation->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    return generation->reader >= 0 && fstat(generation->reader, &generation->opened) == 0 &&
           file_is_same(&generation->opened, now);
}

/* Whether the record is one that write_record wrote, of an even counter. */
static bool is_settled(const struct record *record)
{
    return memcmp(record->magic, magic, sizeof magic) == 0 &&
           record->inverse_counter == ~record->counter && record->inverse_nonce == ~record->nonce &&
           record->counter % 2 == 0;
}

enum status generation_read(struct generation *generation, struct generation_mark *out)
{
    struct generation_mark mark = {0};
    struct record record;
    if (lstat(generation->path, &mark.file) != 0 || !S_ISREG(mark.file.st_mode) ||
        mark.file.st_size != (off_t)sizeof record || !open_reader(generation, &mark.file) ||
        pread(generation->reader, &record, sizeof record, 0) != (ssize_t)sizeof record ||
        !is_settled(&record)) {
        return ERR_NOT_FOUND;
    }
    mark.sequence = record.counter / 2;
    mark.nonce = record.nonce;
    *out = mark;
    return OK;
}

static enum status complain(const struct generation *generation, const char *what, int cause)
{
    log_error("%s cannot be %s: %s; what is revoked must be told there, so make it and its folder "
              "writable for the user who runs the programs (or remove it, it is made anew)",
              generation->path, what, strerror(cause));
    return ERR_SYSTEM;
}

/* Whether opening failed because of what lies in the file's place: a link, a socket, a file of
 * somebody else's, a pipe. It goes, and ours takes its place. */
static bool is_intruder(int cause)
{
    return cause == ELOOP || cause == ENXIO || cause == EACCES || cause == EPERM || cause == EINVAL;
}

/* Opens the file for writing. ERR_NOT_FOUND: it is missing, and so is its folder or room for it. */
static enum status open_writer(struct generation *generation)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat found = {0};
    for (int i = 0; i < TRIES; i++) {
        int fd = open(generation->path, flags, S_IRUSR | S_IWUSR);
        if (fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode)) {
            file_give_to_owner_of_folder(fd, generation->path);
            generation->writer = fd;
            return OK;
        }
        int cause = fd < 0 ? errno : EINVAL;
        if (fd >= 0) {
            (void)close(fd);
        }
        if (cause == ENOENT || cause == ENOTDIR || cause == ENOSPC) { /* there is no file */
            return ERR_NOT_FOUND;
        }
        if (!is_intruder(cause) || unlink(generation->path) != 0) {
            return complain(generation, "opened", cause);
        }
    }
    return complain(generation, "opened", EBUSY);
}

/* ERR_SYSTEM, not logged when the deadline is 0: somebody else has it now. */
static enum status wait_for_lock(struct generation *generation, int64_t deadline_ms)
{
    int64_t rest_ms = deadline_ms - clock_monotonic_ms();
    if (lock_within(generation->writer, rest_ms > 0 ? (int)rest_ms : 0)) {
        return OK;
    }
    if (errno != EWOULDBLOCK) {
        return complain(generation, "locked", errno);
    }
    return deadline_ms == 0
               ? ERR_SYSTEM
               : complain(generation, "locked, for another program holds it", EWOULDBLOCK);
}

/* Whether the path still leads to the file that is locked. */
static bool is_in_place(const struct generation *generation)
{
    struct stat own;
    struct stat now;
    return fstat(generation->writer, &own) == 0 && lstat(generation->path, &now) == 0 &&
           file_is_same(&own, &now);
}

enum status generation_lock(struct generation *generation, bool patient)
{
    int64_t deadline_ms = patient ? clock_monotonic_ms() + GENERATION_WAIT_MS : 0;
    for (int i = 0; i < TRIES; i++) {
        enum status status = open_writer(generation);
        if (status == ERR_NOT_FOUND) {
            generation->is_absent = true;
            return OK;
        }
        if (status == OK) {
            status = wait_for_lock(generation, deadline_ms);
        }
        if (status == OK && is_in_place(generation)) {
            return OK;
        }
        generation_unlock(generation);
        if (status != OK) {
            return status;
        }
    }
    return complain(generation, "kept in place", EBUSY);
}

/* When there is no room for a record, an empty file does as well, for whoever finds it asks the
 * database, and taking bytes away works on a full file system, too. */
static enum status write_nothing(const struct generation *generation, int cause)
{
    if (ftruncate(generation->writer, 0) != 0) {
        return complain(generation, "written", cause);
    }
    log_warning("%s cannot be written: %s; until it can, every check asks the database",
                generation->path, strerror(cause));
    return OK;
}

static enum status write_record(struct generation *generation, uint64_t counter)
{
    struct record record = {.counter = counter, .inverse_counter = ~counter};
    memcpy(record.magic, magic, sizeof magic);
    enum status status = random_fill(&record.nonce, sizeof record.nonce);
    if (status != OK) {
        return status;
    }
    record.inverse_nonce = ~record.nonce;
    ssize_t written = pwrite(generation->writer, &record, sizeof record, 0);
    if (written != (ssize_t)sizeof record ||
        ftruncate(generation->writer, (off_t)sizeof record) != 0) {
        return write_nothing(generation, written < 0 ? errno : ENOSPC);
    }
    return OK;
}

enum status generation_taint(struct generation *generation)
{
    return generation->is_absent ? OK : write_record(generation, 1);
}

enum status generation_settle(struct generation *generation, uint64_t sequence)
{
    for (int i = 0; i < TRIES; i++) {
        if (generation->is_absent) {
            /* Whoever made the file meanwhile may have asked the database before our commit. */
            struct stat now;
            if (lstat(generation->path, &now) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
                return OK;
            }
        } else {
            enum status status = write_record(generation, sequence * 2);
            if (status != OK || is_in_place(generation)) {
                return status;
            }
        }
        /* Programs look at another file by now: it must be told too. */
        generation_unlock(generation);
        enum status status = generation_lock(generation, true);
        if (status != OK) {
            return status;
        }
    }
    return complain(generation, "kept in place", EBUSY);
}

void generation_unlock(struct generation *generation)
{
    if (generation->writer >= 0) {
        (void)close(generation->writer);
        generation->writer = -1;
    }
    generation->is_absent = false;
}
