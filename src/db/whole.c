/* What concerns a database as a whole: its soundness, and copies of it.
 *
 * A copy is made with VACUUM INTO: one read transaction, so that programs go on writing meanwhile,
 * and the copy is of one moment, without the free pages of the original. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "db/sqlite.h"

enum status db_verify(struct db *db)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_prepare(db, "PRAGMA quick_check(1)", &statement);
    if (status == OK) {
        status = db_step(statement, &row);
    }
    if (status == OK && (!row || !text_is(db_column_text(statement, 0), "ok"))) {
        struct text words = db_column_text(statement, 0);
        log_error("%s: the database is damaged: %.*s; restore a backup", db->path, (int)words.len,
                  words.len > 0 ? words.data : "");
        status = ERR_STORE;
    }
    db_statement_free(&statement);
    if (status == OK) {
        status = db_prepare(db, "PRAGMA foreign_key_check", &statement);
    }
    if (status == OK) {
        status = db_step(statement, &row);
    }
    if (status == OK && row) {
        log_error("%s: the database holds sessions of users who are not there; restore a backup",
                  db->path);
        status = ERR_STORE;
    }
    db_statement_free(&statement);
    return status;
}

static enum status fill_copy(struct db *db, const char *path)
{
    struct db_statement *statement = NULL;
    bool row = false;
    enum status status = db_prepare(db, "VACUUM INTO ?1", &statement);
    if (status == OK) {
        db_bind_text(statement, 1, text_of(path));
        status = db_step(statement, &row);
    }
    db_statement_free(&statement);
    return status;
}

static enum status make_durable(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0;
    if (failed) {
        log_error("%s: the copy cannot be written to the disk: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return failed ? ERR_SYSTEM : OK;
}

enum status db_copy(struct db *db, const char *path)
{
    /* SQLite would make the file with mode 0644; it takes an empty one that is there. */
    enum status status = file_write_private(path, (struct text){0}, true);
    if (status == ERR_EXISTS) {
        log_error("%s: is there already; name a new file for the copy", path);
    }
    if (status != OK) {
        return status;
    }
    status = fill_copy(db, path);
    if (status == OK) {
        status = make_durable(path);
    }
    if (status != OK) {
        (void)unlink(path);
    }
    return status;
}
