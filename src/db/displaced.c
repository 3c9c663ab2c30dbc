/* Files of a database that are not in their places any more.
 *
 * They are known by device and inode, and looked at before each use. The dangerous part is the log
 * beside the file, which SQLite finds by its name only: the log of a file that was replaced would
 * be applied to the new one, and the new log of another program taken for ours. So, when a
 * connection is closed whose files are not all in their places, SQLite does nothing by itself, and
 * here is done
 *
 *     the file was replaced or moved ── the log is carried over into the file that was opened, and
 *                                       taken away; one that could not be is kept under a name that
 *                                       SQLite does not look for
 *     only the log was taken away ───── it is carried over into the file
 *     and another one is there ──────── nothing: whoever made that one writes to the file by other
 *                                       locks than ours, and two who do that spoil it
 *     a look failed ─────────────────── nothing
 *
 * What this cannot notice: a file that is overwritten in place, and one that another program (one
 * that was not running before) opens between its replacement and our next use; a log that was taken
 * away while such a one came, wrote and went. Restore a backup while nothing runs, and remove the
 * -wal and -shm files with the old one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "db/sqlite.h"

#define RETRY_MS 2 /* between tries to carry a log over */

enum place { OURS, ANOTHER, NOTHING, UNKNOWN };

static bool is_ours(const char *path, const struct stat *ours)
{
    struct stat now;
    return stat(path, &now) == 0 && file_is_same(&now, ours);
}

bool db_is_in_place(const struct db *db)
{
    return is_ours(db->path, &db->file) && is_ours(db->wal_path, &db->wal) &&
           is_ours(db->index_path, &db->index);
}

/* A look that failed says nothing. That there is nothing must be said twice, for then others lose
 * their log. */
static enum place look(const char *path, const struct stat *ours)
{
    struct stat now;
    if (stat(path, &now) == 0) {
        return file_is_same(&now, ours) ? OURS : ANOTHER;
    }
    bool is_gone = errno == ENOENT && access(path, F_OK) != 0 && errno == ENOENT;
    return is_gone ? NOTHING : UNKNOWN;
}

/* Carries the log over into the file that was opened with it. Others who do the same are waited
 * for, since SQLite does not: who opened the file before they have ended would see a part of it. */
static bool save_log(const struct db *db)
{
    int64_t end_ms = clock_monotonic_ms() + db->wait_ms;
    int code = SQLITE_BUSY;
    for (;;) {
        code =
            sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY || clock_monotonic_ms() >= end_ms) {
            break;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
    }
    if (code != SQLITE_OK) {
        log_error("%s: it or its log was replaced or moved, and the log could not be saved: %s",
                  db->path, sqlite3_errstr(code));
    }
    return code == SQLITE_OK;
}

static void put_log_away(const struct db *db, bool is_saved)
{
    int failure = is_saved ? unlink(db->wal_path) : rename(db->wal_path, db->aside_path);
    if (failure != 0) {
        log_error("%s: this log of another database cannot be taken away: %s; remove it",
                  db->wal_path, strerror(errno));
        return;
    }
    if (!is_saved) {
        log_error("%s: kept as %s; to use it, put it beside the database that it belongs to",
                  db->wal_path, db->aside_path);
    }
    (void)unlink(db->index_path);
}

void db_part(struct db *db)
{
    enum place file = look(db->path, &db->file);
    enum place log = look(db->wal_path, &db->wal);
    enum place index = look(db->index_path, &db->index);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (file == ANOTHER || file == NOTHING) {
        /* Of a cache all is taken away, by whoever makes it anew. */
        bool is_saved = db->kind == DB_CACHE || save_log(db);
        if (db->kind == DB_MAIN && log == OURS) {
            put_log_away(db, is_saved);
        }
    } else if (file == OURS && log == NOTHING && (index == NOTHING || index == OURS)) {
        (void)save_log(db);
    } else if (log == ANOTHER || log == NOTHING) {
        log_error("%s: its log was taken away, and another program has made a new one: what stood "
                  "only in the former is lost, if anything did",
                  db->path);
    }
}
