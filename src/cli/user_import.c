/* latchkey user import: the users of an htpasswd file, all or none.
 *
 * A line is "name:hash"; blank lines and lines that begin with '#' are passed over. Every line that
 * cannot be taken is told with its number, so that a file is mended in one go, and then nothing is
 * imported. No message repeats what a line holds: it might be a password.
 *
 * All rows are added in one transaction, which keeps others from writing; so the whole input is
 * read before it begins, however slowly that comes. The bytes hold hashes: they are wiped. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/secret.h"
#include "cli/audited.h"

#define INPUT_BYTES_MAX ((size_t)256 << 20) /* about two million users */
#define PROGRESS_EVERY  4096
#define DES_LEN         13 /* characters of a hash of the oldest crypt */

struct import {
    struct store *store;
    const char *path;      /* for messages */
    struct buffer content; /* secret */
    int64_t now_s;
    int64_t first_id; /* of the users added; 0 before the first */
    size_t line;      /* number of the line at hand */
    size_t imported;  /* users added so far */
    size_t refused;   /* lines that cannot be taken */
    bool has_progress;
};

/* What is often met and never taken, with words of its own. */
static const struct {
    const char *prefix;
    const char *why;
} refused_schemes[] = {
    {"$apr1$", "Apache's MD5 is too weak"}, {"$1$", "MD5 is too weak"},
    {"{SHA}", "SHA-1 is too weak"},         {"{SSHA}", "SHA-1 is too weak"},
    {"!", "this account is locked there"},  {"*", "this account is locked there"},
};

static void show_progress(const struct import *import, bool at_end)
{
    if (import->has_progress &&
        (at_end ? import->line >= PROGRESS_EVERY : import->line % PROGRESS_EVERY == 0)) {
        (void)fprintf(stderr, "\r%zu lines%s", import->line, at_end ? "\n" : "");
    }
}

static void refuse(struct import *import, const char *why, const char *remedy)
{
    import->refused++;
    (void)fprintf(stderr, "%s%s:%zu: %s; %s\n",
                  import->has_progress && import->line > PROGRESS_EVERY ? "\r" : "", import->path,
                  import->line, why, remedy);
}

/* Why a hash that does not begin with '$' is none that is taken. */
static const char *name_scheme(const char *hash)
{
    static const char alphabet[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (hash[0] == '{') {
        return "its scheme is not one that is supported";
    }
    return strspn(hash, alphabet) == DES_LEN && hash[DES_LEN] == '\0'
               ? "crypt's DES is too weak"
               : "that is no hash, perhaps the password itself";
}

/* Why the hash cannot be taken, or NULL. */
static const char *find_fault(const char *hash)
{
    const char *why = NULL;
    for (size_t i = 0; i < sizeof refused_schemes / sizeof refused_schemes[0]; i++) {
        if (text_has_prefix(text_of(hash), text_of(refused_schemes[i].prefix))) {
            return refused_schemes[i].why;
        }
    }
    if (password_hash_is_acceptable(hash, &why)) {
        return NULL;
    }
    return hash[0] == '$' || hash[0] == '\0' ? why : name_scheme(hash);
}

/* Fills name and hash from a line; false, and told, when it cannot be taken. */
static bool read_line(struct import *import, struct text line, struct user *user)
{
    static const char form[] = "write it as name:hash";
    struct text rest = line;
    struct text name = text_cut(&rest, ':');
    struct text hash = text_cut(&rest, ':');
    if (memchr(line.data, '\0', line.len) != NULL) {
        refuse(import, "there is a NUL byte", "is this a text file?");
    } else if (hash.data == NULL) {
        refuse(import, "there is no colon", form);
    } else if (rest.data != NULL) {
        refuse(import, "there is a second colon", form);
    } else if (!user_name_is_valid(name)) {
        refuse(import, "that is no user name", "use 1 to 64 ASCII letters, digits and . _ - @ +");
    } else if (hash.len >= sizeof user->hash) {
        refuse(import, "the line is too long for a name and a hash", form);
    } else {
        memcpy(user->name, name.data, name.len);
        memcpy(user->hash, hash.data, hash.len);
        const char *why = find_fault(user->hash);
        if (why == NULL) {
            return true;
        }
        refuse(import, why, "make a new one with htpasswd -B, or take the line out");
    }
    return false;
}

/* Tells whose name it is that the line wants. Ids grow, so they say who came with this file. */
static enum status refuse_name(struct import *import, const struct user *wanted)
{
    struct user present = {0};
    enum status status = users_find(import->store, text_of(wanted->name), &present);
    if (status == OK && import->first_id != 0 && present.id >= import->first_id) {
        refuse(import, "a line before has that name, whatever the case of its letters",
               "take one of them out");
    } else if (status == OK) {
        refuse(import, "there is a user of that name already",
               "take the line out, or remove the user first");
    }
    secret_wipe(&present, sizeof present);
    return status;
}

/* Adds the user of a line. Failures are those of the store; what is wrong with the line is told. */
static enum status take_line(struct import *import, struct text line)
{
    struct user user = {.created_s = import->now_s};
    enum status status = OK;
    if (read_line(import, line, &user)) {
        status = users_add(import->store, &user);
        if (status == OK) {
            import->imported++;
            import->first_id = import->first_id == 0 ? user.id : import->first_id;
        } else if (status == ERR_EXISTS) {
            status = refuse_name(import, &user);
        }
    }
    secret_wipe(&user, sizeof user);
    return status;
}

static enum status take_lines(struct import *import)
{
    struct text rest = buffer_text(&import->content);
    enum status status = OK;
    while (status == OK && rest.data != NULL) {
        struct text line = text_cut(&rest, '\n');
        import->line++;
        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }
        if (text_trim(line).len > 0 && line.data[0] != '#') {
            status = take_line(import, line);
        }
        show_progress(import, false);
    }
    show_progress(import, true);
    return status;
}

/* Reads all there is. ERR_SYSTEM, ERR_TOO_LARGE, ERR_MEMORY: told. */
static enum status read_all(struct import *import, int descriptor)
{
    char chunk[4096];
    ssize_t got = 0;
    enum status status = OK;
    buffer_init(&import->content, INPUT_BYTES_MAX);
    do {
        got = read(descriptor, chunk, sizeof chunk);
        if (got > 0) {
            buffer_add(&import->content, chunk, (size_t)got);
        }
    } while ((got > 0 && !import->content.failed) || (got < 0 && errno == EINTR));
    if (got < 0) {
        (void)command_fail("%s cannot be read: %s", import->path, strerror(errno));
        status = ERR_SYSTEM;
    } else if (import->content.failed) {
        (void)command_fail("%s is larger than %zu bytes, or than the memory; split it",
                           import->path, INPUT_BYTES_MAX);
        status = ERR_TOO_LARGE;
    }
    secret_wipe(chunk, sizeof chunk);
    return status;
}

static void note_import(const struct invocation *invocation, size_t count)
{
    char detail[40];
    (void)snprintf(detail, sizeof detail, "%zu user%s", count, count == 1 ? "" : "s");
    const struct audit_event event = {
        .act = AUDIT_IMPORT,
        .outcome = AUDIT_DONE,
        .detail = text_of(detail),
    };
    audited_note(invocation, &event);
}

/* Commits when every line was taken, else leaves the database as it was. */
static int import_all(const struct invocation *invocation, struct import *import)
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
    }
    if (import->refused > 0) {
        return command_fail("%zu line%s of %s cannot be taken; nobody was imported",
                            import->refused, import->refused == 1 ? "" : "s", import->path);
    }
    if (status == OK) {
        note_import(invocation, import->imported);
        status = store_commit(import->store);
    }
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
        .has_progress = isatty(STDERR_FILENO) != 0,
    };
    int descriptor = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
        return command_fail("%s cannot be opened: %s", path, strerror(errno));
    }
    int result = command_finish(read_all(&import, descriptor));
    if (result == EXIT_DONE) {
        result = import_all(invocation, &import);
    }
    buffer_clear(&import.content);
    if (!from_stdin) {
        (void)close(descriptor);
    }
    return result;
}
