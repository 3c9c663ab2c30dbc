/* Making the cache, and making it anew.
 *
 * Whoever finds the cache as it should be opens it and asks nobody. Whoever does not takes the lock
 * on its folder and looks again, because another program may have made it meanwhile; only then, and
 * with the lock, the file and the log beside it are taken away and made anew. The kernel lets go of
 * the lock when its holder dies, and what the holder had left unfinished is no cache: the next one
 * begins again. Programs that still use a file which was taken away have lost nothing but sessions;
 * they notice at their next use.
 *
 * The file goes before its log: a log that nobody's file belongs to is removed by the next one who
 * makes a cache, while a file that has lost its log could pass for a whole one.
 *
 * A cache of a newer program is made anew, too, so that two versions end each other's sessions as
 * long as both run. */
#include "store/cache_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "store/schema.h"

#define LOCK_WAIT_MS 10000

/* ERR_NOT_FOUND and ERR_INPUT (not logged) when a new file is wanted, and *why says why. */
static enum status open_existing(const struct db_settings *settings, struct db **out,
                                 const char **why)
{
    struct db *db = NULL;
    int version = 0;
    enum status status = db_open(settings, &db);
    *why = "what was there is damaged, larger than cache.size, or no cache";
    if (status == OK) {
        status = db_get_version(db, &version);
    }
    if (status == OK && version != schema_number(embedded_cache_schema)) {
        *why = "what was there is of another version";
        status = ERR_INPUT;
    }
    if (status != OK) {
        status = db != NULL && db_is_damaged(db) ? ERR_INPUT : status;
        db_close(&db);
        return status;
    }
    *out = db;
    return OK;
}

static enum status remove_one(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    int len = snprintf(name, sizeof name, "%s%s", path, suffix);
    if (len < 0 || (size_t)len >= sizeof name) {
        errno = ENAMETOOLONG;
    } else if (unlink(name) == 0 || errno == ENOENT) {
        return OK;
    }
    log_error("%s%s: cannot be taken away: %s; let the user who runs this program write its "
              "folder, or remove it",
              path, suffix, strerror(errno));
    return ERR_STORE;
}

static enum status remove_files(const char *path)
{
    enum status status = remove_one(path, "");
    if (status == OK) {
        status = remove_one(path, "-wal");
    }
    return status == OK ? remove_one(path, "-shm") : status;
}

/* What root makes belongs to the owner of the folder, who runs the programs. By the opened file:
 * that user may have put something else in its place. */
static void give_away(const char *path)
{
    int file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0) {
        file_give_to_owner_of_folder(file, path);
        (void)close(file);
    }
}

/* With the lock held. */
static enum status make_anew(const struct db_settings *existing, struct db **out)
{
    struct db_settings settings = *existing;
    struct db *db = NULL;
    settings.mode = DB_CREATE;
    enum status status = remove_files(settings.path);
    if (status == OK) {
        status = file_write_private(settings.path, (struct text){0}, true);
    }
    if (status == OK) {
        give_away(settings.path);
        status = db_open(&settings, &db);
    }
    if (status == OK) {
        status = schema_apply(db, embedded_cache_schema);
    }
    if (status != OK) {
        db_close(&db);
        return status;
    }
    *out = db;
    return OK;
}

static enum status make_with_lock(const struct db_settings *settings, struct db **out)
{
    int folder = -1;
    const char *why = "";
    enum status status = lock_folder(settings->path, LOCK_WAIT_MS, &folder);
    if (status != OK) {
        return status;
    }
    status = open_existing(settings, out, &why);
    bool was_missing = status == ERR_NOT_FOUND;
    if (was_missing || status == ERR_INPUT) {
        status = make_anew(settings, out);
        if (status == OK && was_missing) {
            log_info("%s: the cache of sessions was made", settings->path);
        } else if (status == OK) {
            log_warning("%s: the cache of sessions was made anew, for %s", settings->path, why);
        }
    }
    (void)close(folder);
    return status;
}

enum status cache_file_open(const char *path, uint64_t size_bytes, struct db **out)
{
    struct db_settings settings = {
        .path = path,
        .kind = DB_CACHE,
        .mode = DB_EXISTING,
        .max_bytes = size_bytes,
    };
    const char *why = "";
    enum status status = open_existing(&settings, out, &why);
    if (status == ERR_NOT_FOUND || status == ERR_INPUT) {
        status = make_with_lock(&settings, out);
    }
    if (status == OK || status == ERR_STORE || status == ERR_MEMORY) {
        return status;
    }
    log_error("%s: the cache of sessions cannot be made; make its folder, and let the user who "
              "runs this program write it",
              path);
    return ERR_STORE;
}

void cache_file_discard(const char *path, const struct db *db)
{
    int folder = -1;
    if (lock_folder(path, LOCK_WAIT_MS, &folder) != OK) {
        return;
    }
    if (db_is_in_place(db) && remove_files(path) == OK) {
        log_warning("%s: was taken away; the next request makes a new one, and people sign in "
                    "again",
                    path);
    }
    (void)close(folder);
}
