/* The file of users to import.
 *
 * Promised: all of it or nothing. After a good import each line's user is there, under the name and
 * with the hash that the line has, and nobody else; after a bad one nobody is, and every message
 * names the file and a line that there is. No message repeats what a line holds, for that might be
 * a password.
 *
 * The command runs as it is, on a file in memory and a database in the scratch folder. What it
 * would commit is looked at, and then taken back (store_commit is replaced when this target is
 * linked), so that each input finds an empty database. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/command.h"
#include "installation.h"

#define ECHO_BYTES 9 /* of a line, in a message: more than chance */

enum status __wrap_store_commit(struct store *store);

/* What stands ready once and for all, and what is said during one import. */
static struct {
    struct invocation invocation; /* .store is NULL until it is open */
    int descriptor;
    char path[64];
    char *vocabulary; /* what is said of bad lines of all kinds; a string */
} import;

/* Of the import at hand. */
static struct {
    struct text file;
    bool was_committed;
} present;

static bool count_user(void *context, const struct user *user)
{
    size_t *count = context;
    (void)user;
    (*count)++;
    return true;
}

static size_t count_users(struct store *store)
{
    size_t count = 0;
    fuzz_require(users_list(store, count_user, &count) == OK, "users can be listed");
    return count;
}

/* The next line that names a user; false at the end. */
static bool next_line(struct text *rest, struct text *line)
{
    while (rest->data != NULL) {
        *line = text_cut(rest, '\n');
        if (line->len > 0 && line->data[line->len - 1] == '\r') {
            line->len--;
        }
        if (text_trim(*line).len > 0 && line->data[0] != '#') {
            return true;
        }
    }
    return false;
}

static void check_users(struct store *store)
{
    struct text rest = present.file;
    struct text line;
    size_t count = 0;
    while (next_line(&rest, &line)) {
        struct user user = {0};
        const char *why = NULL;
        struct text hash = line;
        struct text name = text_cut(&hash, ':');
        fuzz_require(users_find(store, name, &user) == OK && text_is(name, user.name),
                     "each line's user is there");
        fuzz_require(text_is(hash, user.hash), "with the hash of the line");
        fuzz_require(user.hash[0] == '$' && password_hash_is_acceptable(user.hash, &why),
                     "which is one that can be checked");
        count++;
    }
    fuzz_require(count_users(store) == count, "and nobody else");
}

enum status __wrap_store_commit(struct store *store)
{
    check_users(store);
    present.was_committed = true;
    store_rollback(store);
    return OK;
}

/* Runs the command with its output in memory. */
static int run(struct text file, char **said, size_t *said_len)
{
    FILE *const kept_out = stdout;
    FILE *const kept_err = stderr;
    char *printed = NULL;
    size_t printed_len = 0;
    present.file = file;
    present.was_committed = false;
    fuzz_require(ftruncate(import.descriptor, 0) == 0 &&
                     pwrite(import.descriptor, text_bytes(file), file.len, 0) == (ssize_t)file.len,
                 "a file can be written");
    stdout = open_memstream(&printed, &printed_len);
    stderr = open_memstream(said, said_len);
    int result = user_import_run(&import.invocation);
    (void)fclose(stdout);
    (void)fclose(stderr);
    stdout = kept_out;
    stderr = kept_err;
    free(printed);
    return result;
}

static void set_up(void)
{
    static const char bad[] = "x\nx:y:z\n?:x\nx:\nx:$apr1$\nx:$1$\nx:{SHA}\nx:{SSHA}\nx:!\nx:*\n"
                              "x:{X}\nx:abcdefghijklm\nx:p\nx:$\nx:$x$\nx:$2b$\nx:$2b$99$\n"
                              "x:$argon2id$\nx:$argon2id$v=19$x$x$x\nx:$6$\nx:$6$a$b$c\nx:$y$\n"
                              "x:$y$jzz$a$b\n";
    struct config *config = installation_make();
    size_t len = 0;
    import.descriptor = memfd_create("users", MFD_CLOEXEC);
    (void)snprintf(import.path, sizeof import.path, "/proc/self/fd/%d", import.descriptor);
    import.invocation.config = config;
    import.invocation.options.operands[0] = import.path;
    import.invocation.store = installation_open(config, STORE_ROLE_ADMIN);
    fuzz_require(run(TEXT(bad), &import.vocabulary, &len) == EXIT_FAILED, "bad lines are refused");
}

/* Whether a message holds bytes of the line that messages do not hold anyway. */
static bool repeats(struct text message, struct text line)
{
    for (size_t i = 0; i + ECHO_BYTES <= line.len && i < 64; i++) {
        struct text piece = {line.data + i, ECHO_BYTES};
        if (fuzz_has(message, piece) && !fuzz_has(text_of(import.vocabulary), piece)) {
            return true;
        }
    }
    return false;
}

static struct text line_number(struct text file, uint64_t number)
{
    struct text line = {0};
    for (uint64_t i = 0; i < number; i++) {
        line = text_cut(&file, '\n');
    }
    return line;
}

/* Every message but the last is about a line; the first of them is looked at closely. */
static void check_messages(const char *said, struct text file)
{
    char message[512];
    size_t lines = fuzz_count_lines(file);
    struct text rest = text_of(said);
    for (size_t i = 0; i < 8 && !text_has_prefix(rest, TEXT("latchkey: ")); i++) {
        struct text line = text_cut(&rest, '\n');
        fuzz_require(rest.data != NULL && line.len < sizeof message, "messages are lines");
        (void)snprintf(message, sizeof message, "%.*s", (int)line.len, line.data);
        fuzz_check_place(message, import.path, lines);
        uint64_t number = 0;
        (void)text_cut_prefix(&line, text_of(import.path));
        (void)text_cut_prefix(&line, TEXT(":"));
        fuzz_require(text_parse_number(text_cut(&line, ':'), lines, &number) == OK, "a number");
        fuzz_require(!repeats(line, line_number(file, number)),
                     "no message repeats what a line holds");
    }
}

bool fuzz_one(struct text input)
{
    char *said = NULL;
    size_t said_len = 0;
    if (import.invocation.store == NULL) {
        set_up();
    }
    int result = run(input, &said, &said_len);
    fuzz_require(result == (present.was_committed ? EXIT_DONE : EXIT_FAILED),
                 "the status says whether users were imported");
    if (present.was_committed) {
        fuzz_require(said_len == 0, "a good import says nothing of faults");
    } else {
        fuzz_require(said_len > 0, "a bad one says why");
        check_messages(said, input);
    }
    fuzz_require(count_users(import.invocation.store) == 0, "what is not committed is gone");
    free(said);
    return present.was_committed;
}
