/* Databases of bounded size.
 *
 * How the bytes are shared out: 32 KiB for the index of the log (SQLite's smallest, enough for
 * 4,062 pages), a quarter for the log, but 1 MiB at least and 4 MiB at most, and the rest for the
 * file. SQLite holds the file within its share by itself. The log is carried over into the file
 * when half its share is full, and then written anew from its beginning, unless somebody reads it.
 * Near the end of its share nothing more is written until it could be emptied; what is left then is
 * for one transaction, so that file, log and index together keep within the bound as long as no
 * transaction changes more than SLACK_BYTES of pages.
 *
 * The log stays beside the file when the last connection is closed: SQLite would take it away by
 * its name, and the name may be that of a new cache's log by then. But whoever opens a cache that
 * nobody else has open reads the whole log, so it is not left long. */
#include "db/sqlite.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define PAGE_BYTES     4096U
#define FRAME_BYTES    (PAGE_BYTES + 24U) /* a page in the log */
#define INDEX_BYTES    32768U
#define LOG_BYTES_MIN  ((uint64_t)1 << 20)
#define LOG_BYTES_MAX  ((uint64_t)4 << 20)
#define SLACK_BYTES    ((uint64_t)384 << 10)
#define FILE_BYTES_MIN ((uint64_t)256 << 10)
#define LOG_BYTES_LEFT ((uint64_t)64 << 10) /* at most, if nobody is in the way */
#define TRY_MS         100                  /* for readers to end */
#define RETRY_MS       5                    /* for others who empty it */

int db_bound(struct db *db, uint64_t max_bytes)
{
    char script[192];
    uint64_t log_bytes = max_bytes / 4;
    log_bytes = log_bytes < LOG_BYTES_MIN ? LOG_BYTES_MIN : log_bytes;
    log_bytes = log_bytes > LOG_BYTES_MAX ? LOG_BYTES_MAX : log_bytes;
    uint64_t others = log_bytes + INDEX_BYTES;
    uint64_t file_bytes = max_bytes > others + FILE_BYTES_MIN ? max_bytes - others : FILE_BYTES_MIN;
    db->max_pages = file_bytes / PAGE_BYTES;
    db->max_log_bytes = log_bytes;
    (void)snprintf(script, sizeof script,
                   "PRAGMA max_page_count = %llu; PRAGMA wal_autocheckpoint = %llu;"
                   "PRAGMA journal_size_limit = %llu; PRAGMA secure_delete = FAST",
                   (unsigned long long)db->max_pages,
                   (unsigned long long)(log_bytes / 2 / FRAME_BYTES),
                   (unsigned long long)(log_bytes / 2));
    int code = sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return code == SQLITE_OK ? sqlite3_exec(db->handle, script, NULL, NULL, NULL) : code;
}

enum status db_get_use(struct db *db, uint64_t *used_bytes, uint64_t *most_bytes)
{
    int64_t pages = 0;
    int64_t unused = 0;
    enum status status = db_ask(db, "PRAGMA page_count", &pages, NULL);
    if (status == OK) {
        status = db_ask(db, "PRAGMA freelist_count", &unused, NULL);
    }
    if (status == OK) {
        *used_bytes = (uint64_t)(pages - unused) * PAGE_BYTES;
        *most_bytes = db->max_pages * PAGE_BYTES;
    }
    return status;
}

static bool is_log_longer(const struct db *db, uint64_t bytes)
{
    struct stat now;
    return stat(db->wal_path, &now) == 0 && (uint64_t)now.st_size > bytes;
}

static bool is_log_full(const struct db *db)
{
    return is_log_longer(db, db->max_log_bytes - SLACK_BYTES);
}

static int empty_log(struct db *db, bool patient)
{
    db->wait_ms = patient ? TRY_MS : 0;
    int code =
        sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    db->wait_ms = DB_WAIT_MS;
    return code;
}

/* Not only readers are in the way, but also others who are doing the same. */
enum status db_trim_log(struct db *db, bool patient)
{
    int64_t end_ms = 0;
    if (db->max_log_bytes == 0) {
        return OK;
    }
    while (is_log_full(db)) {
        int64_t now_ms = clock_monotonic_ms();
        end_ms = end_ms == 0 ? now_ms + DB_WAIT_MS : end_ms;
        int code = empty_log(db, patient);
        if (code != SQLITE_OK && code != SQLITE_BUSY) {
            return db_fault(db, code, "cannot empty its log");
        }
        if (code == SQLITE_BUSY && !patient) {
            return ERR_BUSY;
        }
        if (now_ms > end_ms) {
            log_error("%s: its log is full, and another program has been reading it for too long; "
                      "end that one",
                      db->path);
            return ERR_STORE;
        }
        if (code == SQLITE_BUSY) {
            (void)nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
        }
    }
    return OK;
}

void db_leave_log(struct db *db)
{
    if (db->max_log_bytes != 0 && is_log_longer(db, LOG_BYTES_LEFT)) {
        (void)empty_log(db, false); /* whoever is in the way will do it, or the next one */
    }
}
