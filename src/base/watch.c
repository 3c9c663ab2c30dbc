/* Watching files through inotify.
 *
 * The kernel queues an event before the system call that changes something returns. So a change
 * that anybody was told of has its event in the queue, and a read of the queue that begins later
 * finds it: a quiet queue proves as much as a look at every file does, for one system call.
 *
 * What is watched: of each file the folder, for its name there; all folders on the way to it, for
 * being moved, removed or closed to us, since another one might take their place; and the file
 * itself where its content matters, since it may have further names or be open already. A folder
 * that is removed while somebody has it open tells so when it is closed and no sooner, so the one
 * above it is watched for the name. Writes into other files of the folders make no event. Names are
 * told apart, so that what happens to others in the same folders counts for nothing.
 *
 * Whatever is not certain counts as a change: an event that tells of more than writing or of
 * attributes, a queue that ran over, any failure. Then everything is watched anew before the caller
 * looks, never after, so nothing can happen between his look and the watching.
 *
 * Some changes make no event, so files are not watched at all (each call counts as a change) where
 * a symbolic link is on the way, which could be turned elsewhere, where a folder may not be read,
 * and on file systems that are not known to be changed by this kernel alone. Others are found
 * within WATCH_LOOK_MS, when everything is watched anew and counts as changed: what is mounted over
 * a folder, a subvolume that is deleted as a whole, and what is written through a mapping or by
 * io_submit, as none of our files is.
 *
 * An inotify descriptor that two processes share would give each event to one of them. So all that
 * is known of it lies in memory that the kernel empties in a child, which then opens its own; the
 * number of changes alone is inherited, and goes on from there.
 *
 * What this does not protect: from whoever may write to the disk itself. */
#define _GNU_SOURCE /* madvise */
#include "base/watch.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unset.h"

#define PLACES_MAX 96 /* folders and files that are watched; one may be there several times */
#define READS_MAX  16 /* of the queue at once: who finds more takes it that something changed */
#define BYTES_MAX  4096

#define OF_ITSELF  (IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_DONT_FOLLOW | IN_MASK_ADD)
#define OF_WAY     (OF_ITSELF | IN_ONLYDIR | IN_DELETE | IN_MOVED_TO)
#define OF_FOLDER  (OF_WAY | IN_CREATE | IN_MOVED_FROM)
#define OF_CONTENT (OF_ITSELF | IN_MODIFY)

/* Events after which what is watched is still what the paths lead to. */
#define HARMLESS (IN_MODIFY | IN_ATTRIB | IN_ISDIR)

/* File systems that nobody but this kernel changes. */
static const long local_types[] = {
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, /* ext2 and ext3 as well */
    F2FS_SUPER_MAGIC,  TMPFS_MAGIC,      XFS_SUPER_MAGIC,
};

struct place {
    int number;       /* by which inotify names it */
    struct text name; /* in that folder; empty: events about itself alone matter */
    bool is_database; /* the files beside it matter as well (WATCH_DATABASE) */
};

/* Zeros in a child. */
struct inotify {
    bool is_open, is_trusted;
    int descriptor;
    int64_t look_ms; /* everything is watched anew then */
    size_t count;
    struct place places[PLACES_MAX];
};

struct watch {
    struct watch_file files[WATCH_FILES_MAX];
    size_t count;
    uint64_t changes;
    bool is_asked, is_told;
    struct inotify *inotify; /* NULL: not to be had */
};

enum news { NOTHING, CHANGED, MOVED };

enum status watch_open(const struct watch_file *files, size_t count, struct watch **out)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || count > WATCH_FILES_MAX) {
        log_error("not enough memory to watch files");
        free(watch);
        return ERR_MEMORY;
    }
    memcpy(watch->files, files, count * sizeof *files);
    watch->count = count;
    void *memory = mmap(NULL, sizeof *watch->inotify, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED && madvise(memory, sizeof *watch->inotify, MADV_WIPEONFORK) == 0) {
        watch->inotify = memory;
    } else if (memory != MAP_FAILED) {
        (void)munmap(memory, sizeof *watch->inotify);
    }
    *out = watch;
    return OK;
}

void watch_close(struct watch **watch)
{
    struct watch *closing = *watch;
    if (closing == NULL) {
        return;
    }
    if (closing->inotify != NULL) {
        if (closing->inotify->is_open) {
            (void)close(closing->inotify->descriptor);
        }
        (void)munmap(closing->inotify, sizeof *closing->inotify);
    }
    free(closing);
    *watch = NULL;
}

static bool is_name(const struct place *place, const char *name)
{
    struct text rest = text_of(name);
    bool begins = text_cut_prefix(&rest, place->name);
    return begins && (rest.len == 0 ||
                      (place->is_database && (text_is(rest, "-wal") || text_is(rest, "-shm"))));
}

/* What an event of a place says to those who asked for the name. */
static enum news judge(const struct inotify *inotify, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        return MOVED;
    }
    for (size_t i = 0; i < inotify->count; i++) {
        const struct place *place = &inotify->places[i];
        if (place->number == event->wd && (event->len == 0 || is_name(place, event->name))) {
            return (event->mask & ~(uint32_t)HARMLESS) == 0 ? CHANGED : MOVED;
        }
    }
    return NOTHING; /* of another name, or of a folder that was on the way formerly */
}

static enum news read_events(const struct inotify *inotify)
{
    UNSET _Alignas(struct inotify_event) char bytes[BYTES_MAX];
    enum news worst = NOTHING;
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t len = read(inotify->descriptor, bytes, sizeof bytes);
        if (len <= 0) {
            return len < 0 && errno == EAGAIN ? worst : MOVED;
        }
        const struct inotify_event *event;
        for (const char *at = bytes; at < bytes + len; at += sizeof *event + event->len) {
            event = (const void *)at;
            enum news news = judge(inotify, event);
            worst = news > worst ? news : worst;
        }
    }
    return MOVED;
}

/* Gives the place, for what is particular about it; NULL with errno set. */
static struct place *add_place(struct inotify *inotify, const char *path, uint32_t events,
                               struct text name)
{
    int number = inotify_add_watch(inotify->descriptor, path, events);
    if (number < 0) {
        return NULL;
    }
    if (inotify->count == PLACES_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    struct place *place = &inotify->places[inotify->count++];
    *place = (struct place){.number = number, .name = name};
    return place;
}

/* Only with true nobody but this kernel can have changed what is there. */
static bool is_local(const char *path)
{
    struct statfs found;
    if (statfs(path, &found) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof local_types / sizeof *local_types; i++) {
        if ((long)found.f_type == local_types[i]) {
            return true;
        }
    }
    errno = EREMOTE;
    return false;
}

/* Every folder on the way, from the root on; a link is refused as not being one. */
static bool add_folders(struct inotify *inotify, const struct watch_file *file)
{
    const char *path = file->path;
    char folder[PATH_MAX];
    const char *name = strrchr(path, '/');
    if (path[0] != '/' || name[1] == '\0' || text_of(path).len >= sizeof folder) {
        errno = EINVAL;
        return false;
    }
    for (const char *end = path; end != NULL; end = strchr(end + 1, '/')) {
        size_t len = end > path ? (size_t)(end - path) : 1;
        memcpy(folder, path, len);
        folder[len] = '\0';
        struct text rest = text_of(end + 1);
        uint32_t events = end == name ? OF_FOLDER : OF_WAY;
        struct place *place = add_place(inotify, folder, events, text_cut(&rest, '/'));
        if (place == NULL || !is_local(folder)) {
            return false;
        }
        place->is_database = end == name && file->kind == WATCH_DATABASE;
    }
    return true;
}

/* The file itself, after its folder: if it comes while it is looked for, that is told. */
static bool add_file(struct inotify *inotify, const struct watch_file *file)
{
    struct stat found;
    if (!add_folders(inotify, file)) {
        return false;
    }
    if (file->kind == WATCH_CONTENT &&
        add_place(inotify, file->path, OF_CONTENT, (struct text){0}) == NULL) {
        return errno == ENOENT;
    }
    if (lstat(file->path, &found) != 0) {
        return errno == ENOENT;
    }
    if (S_ISLNK(found.st_mode)) {
        errno = ELOOP;
        return false;
    }
    return is_local(file->path);
}

/* Lets go of what is on no way any more. */
static void drop_places(const struct inotify *inotify, const struct place *former, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_needed = false;
        for (size_t j = 0; j < inotify->count && !is_needed; j++) {
            is_needed = inotify->places[j].number == former[i].number;
        }
        if (!is_needed) {
            (void)inotify_rm_watch(inotify->descriptor, former[i].number);
        }
    }
}

/* Says once why it costs more than it could; the cause is in errno. */
static void tell(struct watch *watch, const char *path)
{
    if (!watch->is_told) {
        log_info("%s cannot be watched (%s), so it is looked at all the time", path,
                 strerror(errno));
    }
    watch->is_told = true;
}

static bool add_all(struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (!add_file(watch->inotify, &watch->files[i])) {
            tell(watch, watch->files[i].path);
            return false;
        }
    }
    return true;
}

/* Watches everything that the paths lead to now. */
static void watch_anew(struct watch *watch)
{
    struct inotify *inotify = watch->inotify;
    struct place former[PLACES_MAX];
    size_t count = inotify->count;
    inotify->is_trusted = false;
    if (!inotify->is_open) {
        inotify->descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        inotify->is_open = inotify->descriptor >= 0;
    }
    if (!inotify->is_open) {
        tell(watch, watch->files[0].path);
        return;
    }
    (void)read_events(inotify); /* whatever they say, the caller looks */
    memcpy(former, inotify->places, sizeof former);
    inotify->count = 0;
    inotify->is_trusted = add_all(watch);
    drop_places(inotify, former, count);
}

static bool is_quiet(struct watch *watch)
{
    struct inotify *inotify = watch->inotify;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < inotify->look_ms) {
        enum news news = inotify->is_trusted ? read_events(inotify) : CHANGED;
        if (news != MOVED) {
            return news == NOTHING;
        }
    }
    inotify->look_ms = now_ms + WATCH_LOOK_MS;
    watch_anew(watch);
    return false;
}

uint64_t watch_count_changes(struct watch *watch)
{
    /* Whoever asks once only is served better without. */
    bool is_first = !watch->is_asked;
    watch->is_asked = true;
    if (is_first || watch->inotify == NULL || !is_quiet(watch)) {
        watch->changes++;
    }
    return watch->changes;
}
