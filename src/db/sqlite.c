/* A connection to a SQLite file.
 *
 * Settings, and why: write-ahead log, so that checks are not held up by sign-ins; synchronous FULL,
 * so that a sign-out that was answered is not undone by a power cut (NORMAL for programs that only
 * note uses); secure_delete, so that removed hashes do not stay in free pages; no trust in what the
 * schema of a file says (trusted_schema, defensive, no views, no triggers); cell_size_check against
 * corrupt pages. No memory mapping: it saves 2 of 10 microseconds of a look-up among 300,000
 * sessions, but a file that is cut while mapped kills the program instead of failing one call.
 * 3 MB of pages a connection instead of 2, so that the inner ones of a million sessions stay there.
 *
 * A file that is replaced under a running program is noticed before each use: displaced.c. */
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define TRY_EACH_MS 1

/* In the header of every database of ours: "LKey", "LKec". */
static const int application_ids[] = {[DB_MAIN] = 0x4c4b6579, [DB_CACHE] = 0x4c4b6563};

static const char pragmas[] = "PRAGMA foreign_keys = ON;"
                              "PRAGMA secure_delete = ON;"
                              "PRAGMA cell_size_check = ON;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA mmap_size = 0;"
                              "PRAGMA cache_size = -3000;"
                              "PRAGMA journal_size_limit = 8388608;";

static enum status tell_missing(const struct db *db)
{
    if (db->kind == DB_CACHE) { /* is made when it is wanted */
        return ERR_NOT_FOUND;
    }
    log_error("%s: the database is missing; restore a backup, or make a new one with "
              "`latchkey init`",
              db->path);
    return ERR_STORE;
}

/* Finds the file, and says why when it cannot be used. */
static enum status look_at_file(struct db *db)
{
    bool is_cache = db->kind == DB_CACHE;
    if (stat(db->path, &db->file) != 0) {
        if (errno == ENOENT) {
            return tell_missing(db);
        }
        log_error("%s: %s; let the user who runs this program reach the file (chown, chmod)",
                  db->path, strerror(errno));
        return ERR_STORE;
    }
    if (!S_ISREG(db->file.st_mode)) {
        log_error("%s: not a regular file; %smove it away%s", db->path,
                  is_cache ? "" : "correct database.url, or ",
                  is_cache ? "" : " and run `latchkey init`");
        return ERR_STORE;
    }
    if ((db->file.st_mode & 077) != 0) {
        log_warning("%s: others than its owner may use the file, which holds %s (mode %04o); run "
                    "chmod 600",
                    db->path, is_cache ? "sessions" : "password hashes",
                    (unsigned)(db->file.st_mode & 07777));
    }
    return OK;
}

/* Called by SQLite while another program has the lock; says whether to try again. SQLite's own
 * handler sleeps longer and longer, and so misses the moments in which a program that writes again
 * and again lets go. */
static int wait_for_lock(void *context, int tries)
{
    const struct db *db = context;
    if (tries * TRY_EACH_MS >= db->wait_ms) {
        return 0;
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = TRY_EACH_MS * 1000000L}, NULL);
    return 1;
}

static enum status set_up(struct db *db, const struct db_settings *how)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && code == SQLITE_OK; i++) {
        code = sqlite3_db_config(db->handle, options[i].option, options[i].value, NULL);
    }
    if (code == SQLITE_OK) {
        db->wait_ms = DB_WAIT_MS;
        code = sqlite3_busy_handler(db->handle, wait_for_lock, db);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_set_authorizer(db->handle, db_authorize, db);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db->handle,
                            how->kind == DB_CACHE ? "PRAGMA synchronous = OFF"
                            : how->durable        ? "PRAGMA synchronous = FULL"
                                                  : "PRAGMA synchronous = NORMAL",
                            NULL, NULL, NULL);
    }
    if (code == SQLITE_OK && how->max_bytes != 0) {
        code = db_bound(db, how->max_bytes);
    }
    return code == SQLITE_OK ? OK : db_fault(db, code, "cannot be set up");
}

enum status db_ask(struct db *db, const char *sql, int64_t *number, char word[16])
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_prepare(db, sql, &statement);
    if (status != OK) {
        return status;
    }
    status = db_step(statement, &row);
    if (status == OK) {
        *number = row ? db_column_int64(statement, 0) : 0;
        if (word != NULL) {
            struct text value = row ? db_column_text(statement, 0) : (struct text){0};
            (void)snprintf(word, 16, "%.*s", (int)value.len, value.len > 0 ? value.data : "");
        }
    }
    db_statement_free(&statement);
    return status;
}

/* Says of what it is, and that it is not what is wanted. */
static enum status refuse_kind(struct db *db, int64_t id, bool is_empty)
{
    db->spoiled = true;
    if (db->kind == DB_CACHE && id != application_ids[DB_MAIN]) {
        return ERR_INPUT;
    }
    if (db->kind == DB_CACHE) {
        log_error("%s: the database of users, in the place of the cache; correct database.url or "
                  "state.run_directory",
                  db->path);
    } else if (is_empty) {
        log_error("%s: the database is empty; restore a backup, or run `latchkey init`", db->path);
    } else {
        log_error("%s: %s; correct database.url", db->path,
                  id == application_ids[DB_CACHE]
                      ? "a cache of sessions, not the database of users"
                      : "a database of another program, not of Latchkey");
    }
    return ERR_STORE;
}

/* Nothing is written into a file before it is known to be ours, or empty and to be filled. */
static enum status recognise(struct db *db, enum db_mode mode)
{
    int64_t id = 0;
    int64_t objects = 0;
    enum status status = db_ask(db, "PRAGMA application_id", &id, NULL);
    if (status == OK) {
        status = db_ask(db, "SELECT count(*) FROM sqlite_schema", &objects, NULL);
    }
    bool is_empty = id == 0 && objects == 0;
    if (status != OK || id == application_ids[db->kind] || (is_empty && mode == DB_CREATE)) {
        return status;
    }
    return refuse_kind(db, id, is_empty);
}

static enum status use_log(struct db *db)
{
    int64_t number = 0;
    char journal[16] = "";
    if (sqlite3_db_readonly(db->handle, "main") != 0) {
        return db_fault(db, SQLITE_READONLY, "cannot be written");
    }
    enum status status = db_ask(db, "PRAGMA journal_mode = WAL", &number, journal);
    if (status == OK && strcmp(journal, "wal") != 0) {
        log_error("%s: the file system cannot hold a write-ahead log; put the state directory on a "
                  "local disk",
                  db->path);
        db->spoiled = true;
        status = ERR_STORE;
    }
    return status;
}

/* Reads once, which opens the log, and makes sure that all of it was one file. */
static enum status note_files(struct db *db)
{
    struct stat now;
    int64_t version = 0;
    enum status status = db_ask(db, "PRAGMA user_version", &version, NULL);
    if (status != OK) {
        return status;
    }
    if (stat(db->path, &now) != 0 || !file_is_same(&now, &db->file) ||
        stat(db->wal_path, &db->wal) != 0 || stat(db->index_path, &db->index) != 0) {
        db->spoiled = true;
        if (db->kind == DB_CACHE) {
            return ERR_INPUT; /* whoever replaced it holds the lock that is asked for next */
        }
        log_error("%s: the file was replaced while it was being opened; the next try will tell",
                  db->path);
        return ERR_STORE;
    }
    return OK;
}

/* A log that cannot be opened for writing, be it for want of a descriptor, is opened for reading
 * without a word, and whatever is written later would fail. It says so before it asks for the lock
 * to write, so somebody else may have that one. */
static enum status try_to_write(struct db *db)
{
    enum status status = db_begin(db, false);
    if (status == OK) {
        status = db_exec(db, "ROLLBACK");
    }
    return status == ERR_BUSY ? OK : status;
}

/* Whether the file is no larger than it may be. */
static enum status check_size(struct db *db)
{
    int64_t pages = 0;
    enum status status = db_ask(db, "PRAGMA page_count", &pages, NULL);
    return status == OK && (uint64_t)pages > db->max_pages ? ERR_INPUT : status;
}

static char *join(const char *a, const char *b)
{
    size_t room = strlen(a) + strlen(b) + 1;
    char *joined = malloc(room);
    if (joined != NULL) {
        (void)snprintf(joined, room, "%s%s", a, b);
    }
    return joined;
}

static enum status make_file(const char *path)
{
    struct stat now;
    if (stat(path, &now) == 0) {
        return OK;
    }
    enum status status = file_write_private(path, (struct text){0}, true);
    return status == ERR_EXISTS ? OK : status;
}

static enum status connect(struct db *db, const struct db_settings *how)
{
    enum status status = how->mode == DB_CREATE ? make_file(db->path) : OK;
    if (status == OK) {
        status = look_at_file(db);
    }
    if (status != OK) {
        return status;
    }
    int code =
        sqlite3_open_v2(db->path, &db->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK) {
        /* Another program may have taken it away since, to make it anew. */
        return sqlite3_system_errno(db->handle) == ENOENT ? tell_missing(db)
                                                          : db_fault(db, code, "cannot be opened");
    }
    status = set_up(db, how);
    if (status == OK) {
        status = recognise(db, how->mode);
    }
    if (status == OK) {
        status = use_log(db);
    }
    if (status == OK) {
        status = note_files(db);
    }
    if (status == OK) {
        status = try_to_write(db);
    }
    if (status == OK && db->max_pages != 0) {
        status = check_size(db);
    }
    return db->damaged ? ERR_INPUT : status;
}

enum status db_open(const struct db_settings *settings, struct db **out)
{
    enum status status = ERR_MEMORY;
    struct db *db = calloc(1, sizeof *db);
    if (db != NULL) {
        db->kind = settings->kind;
        db->path = join(settings->path, "");
        db->wal_path = join(settings->path, "-wal");
        db->index_path = join(settings->path, "-shm");
        db->aside_path = join(settings->path, "-wal.unsaved");
        if (db->path != NULL && db->wal_path != NULL && db->index_path != NULL &&
            db->aside_path != NULL) {
            status = connect(db, settings);
        }
    }
    if (status != OK) {
        db_close(&db);
        return status;
    }
    *out = db;
    return OK;
}

void db_close(struct db **db)
{
    struct db *closing = *db;
    if (closing == NULL) {
        return;
    }
    if (closing->handle != NULL) {
        if (closing->wal.st_ino != 0 && !closing->damaged && !db_is_in_place(closing)) {
            db_part(closing);
        } else if (db_is_sound(closing)) {
            db_leave_log(closing);
        }
        if (sqlite3_close(closing->handle) != SQLITE_OK) {
            log_error("%s: cannot be closed: %s", closing->path, sqlite3_errmsg(closing->handle));
        }
    }
    free(closing->path);
    free(closing->wal_path);
    free(closing->index_path);
    free(closing->aside_path);
    free(closing);
    *db = NULL;
}

bool db_is_sound(const struct db *db)
{
    return !db->spoiled;
}

bool db_is_damaged(const struct db *db)
{
    return db->damaged;
}

void db_limit(struct db *db, const struct db_grant *grants, unsigned who)
{
    db->grants = grants;
    db->who = who;
}

enum status db_get_version(struct db *db, int *out)
{
    int64_t version = 0;
    enum status status = db_ask(db, "PRAGMA user_version", &version, NULL);
    if (status == OK) {
        *out = (int)version;
    }
    return status;
}

enum status db_set_version(struct db *db, int version)
{
    char script[96];
    (void)snprintf(script, sizeof script, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   application_ids[db->kind], version);
    return db_exec(db, script);
}

enum status db_exec(struct db *db, const char *script)
{
    int code = sqlite3_exec(db->handle, script, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : db_fault(db, code, "cannot be changed");
}
