/* latchkey user import: the users of an htpasswd file, all or none.
 *
 * A line is "name:hash"; blank lines and lines that begin with '#' are passed over. Every line that
 * cannot be taken is told with its number, so that a file is mended in one go, and then nothing is
 * imported. All rows are added in one transaction. The file's bytes hold hashes: they are wiped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "cli/command.h"

#define LINE_ROOM      1024 /* a name, a hash and more than either may have */
#define PROGRESS_EVERY 256

struct import {
    struct store *store;
    const char *path; /* for messages */
    FILE *file;
    int64_t now_s;
    size_t line;     /* number of the line at hand */
    size_t imported; /* users added so far */
    size_t refused;  /* lines that cannot be taken */
    bool has_progress;
};

/* Hash schemes that are often met and never taken, with words of their own. */
static const struct {
    const char *prefix;
    const char *why;
} refused_schemes[] = {
    {"$apr1$", "MD5 of Apache is too weak; make it anew with htpasswd -B"},
    {"$1$", "MD5 is too weak; make it anew with htpasswd -B"},
    {"{SHA}", "SHA-1 without salt is too weak; make it anew with htpasswd -B"},
};

static void refuse(struct import *import, const char *why)
{
    import->refused++;
    (void)fprintf(stderr, "%s:%zu: %s\n", import->path, import->line, why);
}

static bool hash_is_usable(struct import *import, struct text hash)
{
    const char *why = NULL;
    for (size_t i = 0; i < sizeof refused_schemes / sizeof refused_schemes[0]; i++) {
        if (text_has_prefix(hash, text_of(refused_schemes[i].prefix))) {
            refuse(import, refused_schemes[i].why);
            return false;
        }
    }
    if (memchr(hash.data, ':', hash.len) != NULL) {
        refuse(import, "there is a second colon: lines are name:hash");
        return false;
    }
    if (hash.len >= PASSWORD_HASH_MAX || !password_hash_is_acceptable(hash.data, &why)) {
        refuse(import, why != NULL ? why : "the hash is too long");
        return false;
    }
    return true;
}

/* Adds the user of a line. ERR_STORE and all else but what is wrong with the line itself. */
static enum status take_line(struct import *import, char *line)
{
    struct user user = {.created_s = import->now_s};
    struct text hash = text_of(line);
    struct text name = text_cut(&hash, ':');
    if (hash.data == NULL) {
        refuse(import, "there is no colon: lines are name:hash");
        return OK;
    }
    if (!user_name_is_valid(name)) {
        refuse(import, "that is no user name: 1 to 64 ASCII letters, digits and . _ - @ +");
        return OK;
    }
    if (!hash_is_usable(import, hash)) {
        return OK;
    }
    memcpy(user.name, name.data, name.len);
    memcpy(user.hash, hash.data, hash.len + 1);
    enum status status = users_add(import->store, &user);
    if (status == ERR_EXISTS) {
        refuse(import, "there is a user of that name already, here or in a line before");
        status = OK;
    } else if (status == OK) {
        import->imported++;
    }
    secret_wipe(&user, sizeof user);
    return status;
}

/* Takes the line end off; false, and told, when the line holds what no line may. */
static bool clean_line(struct import *import, char *line, size_t len)
{
    if (memchr(line, '\0', len) != NULL) {
        refuse(import, "there is a NUL byte: this is no text file");
        return false;
    }
    if (len > 0 && line[len - 1] == '\n') {
        line[--len] = '\0';
    }
    if (len > 0 && line[len - 1] == '\r') {
        line[--len] = '\0';
    }
    if (len >= LINE_ROOM) {
        refuse(import, "the line is too long for a name and a hash");
        return false;
    }
    return len > 0 && line[0] != '#';
}

static enum status take_lines(struct import *import)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    enum status status = OK;
    while (status == OK && (len = getline(&line, &room, import->file)) >= 0) {
        import->line++;
        if (clean_line(import, line, (size_t)len)) {
            status = take_line(import, line);
        }
        if (import->has_progress && import->line % PROGRESS_EVERY == 0) {
            (void)fprintf(stderr, "\r%zu lines ", import->line);
        }
    }
    if (status == OK && ferror(import->file) != 0) {
        (void)command_fail("%s cannot be read: %s", import->path, strerror(errno));
        status = ERR_SYSTEM;
    }
    if (import->has_progress && import->line >= PROGRESS_EVERY) {
        (void)fputc('\n', stderr);
    }
    secret_wipe(line, room);
    free(line);
    return status;
}

/* Commits when every line was taken, else leaves the database as it was. */
static int import_all(struct import *import)
{
    enum status status = clock_get(&import->now_s);
    if (status == OK) {
        status = store_begin(import->store);
    }
    if (status != OK) {
        return command_finish(status);
    }
    status = take_lines(import);
    if (status != OK || import->refused > 0) {
        store_rollback(import->store);
        return import->refused == 0
                   ? command_finish(status)
                   : command_fail("%zu line%s of %s cannot be taken; nobody was imported",
                                  import->refused, import->refused == 1 ? "" : "s", import->path);
    }
    status = store_commit(import->store);
    if (status == OK) {
        (void)printf("%zu user%s imported.\n", import->imported, import->imported == 1 ? "" : "s");
    }
    return command_finish(status);
}

int user_import_run(struct invocation *invocation)
{
    const char *path = invocation->options.operands[0];
    bool from_stdin = strcmp(path, "-") == 0;
    struct import import = {
        .store = invocation->store,
        .path = from_stdin ? "standard input" : path,
        .file = from_stdin ? stdin : fopen(path, "re"),
        .has_progress = isatty(STDERR_FILENO) != 0,
    };
    if (import.file == NULL) {
        return command_fail("%s cannot be opened: %s", path, strerror(errno));
    }
    int result = import_all(&import);
    if (!from_stdin) {
        (void)fclose(import.file);
    }
    return result;
}
