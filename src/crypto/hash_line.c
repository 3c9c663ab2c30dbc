/* The line before the hashing of passwords.
 *
 * The file, in the byte order of the machine; "lock" is a byte that is locked, not written:
 *
 *     0                8                24                     1032
 *     +----------------+----------------+-- … ---------------- +---------------- …
 *     | last number    | place 0:       | place 1, … 63        | a lock for each
 *     | lock: mutex    | number, time   |                      | hash at once
 *     |                | lock: taken    |                      |
 *     +----------------+----------------+-- … ---------------- +---------------- …
 *
 * Who comes locks the mutex for some microseconds. If nobody waits and a hash is free, that is his.
 * Otherwise he takes a place that nobody has locked, and the next number; with all places locked he
 * is sent away. He is the first when no locked place has a lower number, and then takes the first
 * hash that becomes free. He asks again and again, the more rarely the more are before him.
 *
 * Invariants: a number is written before the mutex is let go, so who has a higher one has seen it.
 * Who does not lock its place any more does not count, whatever is written there: he has left, or
 * died, or the file is from before a restart. The locks belong to the open file (F_OFD_SETLK),
 * which is opened for each hash and closed after it: nothing is inherited, nothing remains.
 *
 * Nobody waits without an end. Who was stopped (SIGSTOP) in his place is passed over once his time
 * is over; one who was stopped while he holds the mutex or a hash keeps it, and the others are sent
 * away when their time is over.
 *
 * Whoever finds that the path leads to another file by now begins anew in that one. Until those who
 * hash by the old one are done, twice as many may.
 *
 * What this does not protect: the line from whoever may write the run directory. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "crypto/hash_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define PAUSE_MUTEX_US 100
#define PAUSE_TURN_US  1000 /* for each that is before us, and once more */
#define PAUSE_MAX_US   20000

struct place {
    uint64_t number;     /* 0: left */
    int64_t deadline_ms; /* by clock_monotonic_ms, which all processes share */
};

struct content {
    uint64_t last;
    struct place places[HASH_LINE_WAITING_MAX];
};

_Static_assert(sizeof(struct content) == 1032, "the content has no gaps");

#define MUTEX_AT  0
#define PLACES_AT ((off_t)offsetof(struct content, places))
#define HASHES_AT ((off_t)sizeof(struct content))

struct hash_line {
    int file; /* -1: neither waiting nor hashing */
    uint64_t at_once;
    int64_t wait_ms;
    uint64_t number; /* while waiting, like the next two */
    off_t place_at;
    int64_t deadline_ms;
    struct stat opened; /* of file */
    char path[];
};

enum status hash_line_open(const char *path, uint64_t at_once, struct hash_line **out)
{
    size_t room = text_of(path).len + 1;
    struct hash_line *line = calloc(1, sizeof *line + room);
    if (line == NULL) {
        log_error("not enough memory for the line of those who hash");
        return ERR_MEMORY;
    }
    line->file = -1;
    line->at_once = at_once;
    line->wait_ms = HASH_LINE_WAIT_MS;
    memcpy(line->path, path, room);
    *out = line;
    return OK;
}

void hash_line_close(struct hash_line **line)
{
    if (*line != NULL) {
        hash_line_leave(*line);
        free(*line);
        *line = NULL;
    }
}

void hash_line_limit_wait(struct hash_line *line, int64_t wait_ms)
{
    line->wait_ms = wait_ms;
}

static enum status complain(const struct hash_line *line, const char *what, const char *cause)
{
    log_error("%s cannot be %s: %s; programs that hash passwords queue there, so make it and its "
              "folder writable for the user who runs them (or remove it, it is made anew)",
              line->path, what, cause);
    return ERR_SYSTEM;
}

/* A link or a second name may lead to a file of somebody else's, which is not to be written. */
static enum status open_file(struct hash_line *line)
{
    line->file = open(line->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                      S_IRUSR | S_IWUSR);
    if (line->file < 0 || fstat(line->file, &line->opened) != 0) {
        return complain(line, "opened", strerror(errno));
    }
    if (!S_ISREG(line->opened.st_mode) || line->opened.st_nlink > 1) {
        return complain(line, "used", "it is no plain file of its own");
    }
    file_give_to_owner_of_folder(line->file, line->path);
    return OK;
}

static bool is_in_place(const struct hash_line *line)
{
    struct stat found;
    return lstat(line->path, &found) == 0 && file_is_same(&found, &line->opened);
}

/* ERR_BUSY: somebody else has locked it. */
static enum status try_lock(const struct hash_line *line, off_t at)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    if (fcntl(line->file, F_OFD_SETLK, &lock) == 0) {
        return OK;
    }
    return errno == EAGAIN || errno == EACCES ? ERR_BUSY
                                              : complain(line, "locked", strerror(errno));
}

/* Cannot fail for a byte that was locked as one. */
static void unlock(const struct hash_line *line, off_t at)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    (void)fcntl(line->file, F_OFD_SETLK, &lock);
}

/* Whether somebody else has locked any of these bytes: OK no, ERR_BUSY yes. */
static enum status check_free(const struct hash_line *line, off_t at, off_t len)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = len};
    if (fcntl(line->file, F_OFD_GETLK, &lock) != 0) {
        return complain(line, "asked for locks", strerror(errno));
    }
    return lock.l_type == F_UNLCK ? OK : ERR_BUSY;
}

static enum status write_at(const struct hash_line *line, const void *bytes, size_t len, off_t at)
{
    return pwrite(line->file, bytes, len, at) == (ssize_t)len
               ? OK
               : complain(line, "written", strerror(errno));
}

/* What was never written, or cut off, is zeros. */
static enum status read_content(const struct hash_line *line, struct content *out)
{
    *out = (struct content){0};
    return pread(line->file, out, sizeof *out, 0) >= 0 ? OK
                                                       : complain(line, "read", strerror(errno));
}

static void pause_us(int64_t us)
{
    const struct timespec pause = {.tv_nsec = (long)us * 1000};
    (void)nanosleep(&pause, NULL);
}

static enum status lock_mutex(const struct hash_line *line)
{
    enum status status = try_lock(line, MUTEX_AT);
    while (status == ERR_BUSY && clock_monotonic_ms() < line->deadline_ms) {
        pause_us(PAUSE_MUTEX_US);
        status = try_lock(line, MUTEX_AT);
    }
    return status;
}

/* One of the hashes at once; ERR_BUSY: all are taken. */
static enum status take_hash(const struct hash_line *line)
{
    enum status status = ERR_BUSY;
    for (uint64_t i = 0; i < line->at_once && status == ERR_BUSY; i++) {
        status = try_lock(line, HASHES_AT + (off_t)i);
    }
    return status;
}

static enum status write_place(struct hash_line *line)
{
    struct content content;
    enum status status = read_content(line, &content);
    if (status != OK) {
        return status;
    }
    line->number = content.last + 1;
    const struct place place = {line->number, line->deadline_ms};
    status = write_at(line, &place, sizeof place, line->place_at);
    return status == OK ? write_at(line, &line->number, sizeof line->number, 0) : status;
}

/* ERR_BUSY: all are taken. */
static enum status take_place(struct hash_line *line)
{
    enum status status = ERR_BUSY;
    for (size_t i = 0; i < HASH_LINE_WAITING_MAX && status == ERR_BUSY; i++) {
        line->place_at = PLACES_AT + (off_t)(i * sizeof(struct place));
        status = try_lock(line, line->place_at);
    }
    return status == OK ? write_place(line) : status;
}

/* With the mutex: OK, a hash is ours; ERR_NOT_FOUND, we wait; ERR_BUSY, we are sent away. */
static enum status join(struct hash_line *line)
{
    enum status status = check_free(line, PLACES_AT, HASHES_AT - PLACES_AT);
    if (status == OK) {
        status = take_hash(line);
    }
    if (status != ERR_BUSY) {
        return status;
    }
    status = take_place(line);
    return status == OK ? ERR_NOT_FOUND : status;
}

/* How many may be before us, 0 when it is certain that nobody is. */
static enum status count_before(const struct hash_line *line, size_t *out)
{
    struct content content;
    enum status status = read_content(line, &content);
    int64_t now_ms = clock_monotonic_ms();
    size_t count = 0;
    bool is_first = true;
    for (size_t i = 0; i < HASH_LINE_WAITING_MAX && status == OK; i++) {
        const struct place *place = &content.places[i];
        if (place->number == 0 || place->number >= line->number || place->deadline_ms <= now_ms) {
            continue;
        }
        count++;
        if (is_first) {
            status = check_free(line, PLACES_AT + (off_t)(i * sizeof *place), 1);
            is_first = status == OK;
            status = status == ERR_BUSY ? OK : status;
        }
    }
    *out = is_first ? 0 : count;
    return status;
}

/* Waits in our place for a hash. ERR_NOT_FOUND: the file is not the one in use any more. */
static enum status await_turn(const struct hash_line *line)
{
    for (;;) {
        size_t before = 0;
        enum status status = count_before(line, &before);
        if (status == OK) {
            status = before == 0 ? take_hash(line) : ERR_BUSY;
        }
        if (status != ERR_BUSY || clock_monotonic_ms() >= line->deadline_ms) {
            return status;
        }
        if (!is_in_place(line)) {
            return ERR_NOT_FOUND;
        }
        int64_t pause = (int64_t)(before + 1) * PAUSE_TURN_US;
        pause_us(pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US);
    }
}

static enum status leave_place(const struct hash_line *line)
{
    const uint64_t nobody = 0;
    enum status status = write_at(line, &nobody, sizeof nobody,
                                  line->place_at + (off_t)offsetof(struct place, number));
    unlock(line, line->place_at);
    return status;
}

/* By the file that the path leads to now; failures as those of await_turn. */
static enum status enter_file(struct hash_line *line)
{
    enum status status = open_file(line);
    if (status == OK) {
        status = lock_mutex(line);
    }
    if (status != OK) {
        return status;
    }
    status = join(line);
    unlock(line, MUTEX_AT);
    if (status != ERR_NOT_FOUND) {
        return status;
    }
    status = await_turn(line);
    enum status left = leave_place(line);
    return status == OK ? left : status;
}

enum status hash_line_enter(struct hash_line *line)
{
    enum status status = ERR_NOT_FOUND;
    line->deadline_ms = clock_monotonic_ms() + line->wait_ms;
    while (status == ERR_NOT_FOUND) {
        status = enter_file(line);
        if (status != OK) {
            hash_line_leave(line);
        }
    }
    return status;
}

void hash_line_leave(struct hash_line *line)
{
    if (line->file >= 0) { /* closing alone would leave the locks to a child forked meanwhile */
        struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
        (void)fcntl(line->file, F_OFD_SETLK, &all);
        (void)close(line->file);
        line->file = -1;
    }
}
