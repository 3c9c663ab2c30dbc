/* What concerns a database as a whole: its soundness, and copies of it.
 *
 * A copy is made with VACUUM INTO: one read transaction, so that programs go on writing meanwhile,
 * and the copy is of one moment, without the free pages of the original. */
#include <limits.h>
#include <sys/stat.h>
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

static enum status refuse_name(const char *path)
{
    log_error("%s: is there already; name a new file for the copy", path);
    return ERR_EXISTS;
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

enum status db_copy(struct db *db, const char *path)
{
    char made[PATH_MAX];
    int descriptor = -1;
    struct stat found;
    if (lstat(path, &found) == 0) { /* told before the work; decided at the end */
        return refuse_name(path);
    }
    /* SQLite would make the file with mode 0644; it takes an empty one that is there. */
    enum status status = file_make_beside(path, made, &descriptor);
    if (status != OK) {
        return status;
    }
    status = fill_copy(db, made);
    if (status != OK) {
        (void)close(descriptor);
        (void)unlink(made);
        return status;
    }
    status = file_put_in_place(made, descriptor, path, true);
    return status == ERR_EXISTS ? refuse_name(path) : status;
}
