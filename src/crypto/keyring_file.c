/* The file of the keyring: one line for each secret, newest first (format in keyring.h).
 *
 * Reading is strict, because a file that is nearly right was edited, cut or overwritten, and a key
 * made of it would end sessions without a word or, worse, be guessable: the whole file is refused,
 * with the number of the line and never with what stands in it. All-zero secrets are refused for
 * the same reason.
 *
 * Writers lock the folder, read, and replace the file as a whole. Two rotations at once therefore
 * make two secrets. Readers need no lock: they see the old file or the new one. What a writer left
 * that was killed, the next one takes away.
 *
 * What this does not protect: the secrets from root, from whoever may write the folder, and from
 * old copies in backups; after such a loss, revoke. */
#include "crypto/keyring_file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/base64url.h"
#include "crypto/random.h"

enum {
    ID_LEN = 8,
    SECRET_LEN = BASE64URL_LEN(KEY_BYTES),
    LINE_LEN = ID_LEN + 1 + SECRET_LEN,
    FILE_LEN_MAX = 4096, /* more than all lines, so that a line too many is said to be that */
    TRIES_FOR_ID = 16,
};

static bool has_id(const struct keyring_content *content, uint32_t id)
{
    for (size_t i = 0; i < content->count; i++) {
        if (content->secrets[i].id == id) {
            return true;
        }
    }
    return false;
}

static enum status parse_id(struct text text, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t id = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] != '\0' ? strchr(digits, text.data[i]) : NULL;
        if (digit == NULL) {
            return ERR_INPUT;
        }
        id = id << 4 | (uint32_t)(digit - digits);
    }
    *out = id;
    return OK;
}

/* One line, without its line feed; written by print_content. */
static enum status parse_line(struct text line, struct keyring_secret *out)
{
    static const uint8_t zeros[KEY_BYTES];
    if (line.len != LINE_LEN || line.data[ID_LEN] != ' ') {
        return ERR_INPUT;
    }
    struct text id = {line.data, ID_LEN};
    struct text secret = {line.data + ID_LEN + 1, SECRET_LEN};
    if (parse_id(id, &out->id) != OK || base64url_decode(secret, out->bytes, KEY_BYTES) != OK ||
        secret_is_equal(out->bytes, zeros, KEY_BYTES)) {
        return ERR_INPUT;
    }
    return OK;
}

static enum status parse_content(const char *path, struct text text, struct keyring_content *out)
{
    static const char remedy[] = "bring the file back from a backup, or end all sessions and make "
                                 "a new secret with `latchkey secret revoke`";
    if (text.len == 0 || text.data[text.len - 1] != '\n') {
        log_error("%s is empty or cut; %s", path, remedy);
        return ERR_INPUT;
    }
    text.len--;
    for (size_t number = 1; text.data != NULL; number++) {
        struct keyring_secret *next = &out->secrets[out->count];
        struct text line = text_cut(&text, '\n');
        if (out->count == KEYRING_SECRETS_MAX) {
            log_error("%s holds more than %d secrets; remove lines from its end", path,
                      KEYRING_SECRETS_MAX);
            return ERR_INPUT;
        }
        if (parse_line(line, next) != OK || has_id(out, next->id)) {
            log_error("%s:%zu: this is not a secret, or its id stands there twice; %s", path,
                      number, remedy);
            return ERR_INPUT;
        }
        out->count++;
    }
    return OK;
}

/* Logs what file_read_private leaves to its caller. */
static enum status explain(const char *path, enum status status)
{
    if (status == ERR_NOT_FOUND) {
        log_error("the secret file %s is missing; make it with `latchkey init`, or bring it back "
                  "from a backup to keep sessions alive",
                  path);
    } else if (status == ERR_SYSTEM) {
        log_error("cannot read the secret file %s: %s; it must be readable by the user who runs "
                  "this program",
                  path, strerror(errno));
    } else if (status == ERR_TOO_LARGE) {
        log_error("%s is too large for a secret file; bring it back from a backup", path);
        return ERR_INPUT;
    } else if (status == ERR_MEMORY) {
        log_error("not enough memory to read %s", path);
    }
    return status;
}

enum status keyring_file_read(const char *path, struct keyring_content *out, struct stat *identity)
{
    struct buffer buffer;
    struct keyring_content content = {0};
    struct stat found = {0};
    buffer_init(&buffer, FILE_LEN_MAX);
    enum status status = explain(path, file_read_private(path, &buffer, &found));
    if (status == OK) {
        status = parse_content(path, buffer_text(&buffer), &content);
    }
    bool done = status == OK;
    *out = done ? content : (struct keyring_content){0};
    *identity = done ? found : (struct stat){0};
    secret_wipe(&content, sizeof content);
    buffer_clear(&buffer);
    return status;
}

/* The file's text; read by parse_content. */
static void print_content(const struct keyring_content *content, struct buffer *out)
{
    char id[ID_LEN + 1];
    char secret[SECRET_LEN + 1];
    for (size_t i = 0; i < content->count; i++) {
        (void)snprintf(id, sizeof id, "%08lx", (unsigned long)content->secrets[i].id);
        base64url_encode(content->secrets[i].bytes, KEY_BYTES, secret);
        buffer_add_string(out, id);
        buffer_add_string(out, " ");
        buffer_add_string(out, secret);
        buffer_add_string(out, "\n");
    }
    secret_wipe(secret, sizeof secret);
}

static enum status write_content(const char *path, const struct keyring_content *content,
                                 bool fresh)
{
    struct buffer buffer;
    buffer_init(&buffer, FILE_LEN_MAX);
    print_content(content, &buffer);
    enum status status = ERR_MEMORY;
    if (buffer.failed) {
        log_error("not enough memory to write %s", path);
    } else {
        status = file_write_private(path, buffer_text(&buffer), fresh);
    }
    buffer_clear(&buffer);
    return status;
}

/* Puts a fresh secret in front, with an id that the file does not have; the oldest goes when there
 * are too many. */
static enum status add_secret(struct keyring_content *content)
{
    struct keyring_secret fresh = {0};
    enum status status = random_fill(fresh.bytes, sizeof fresh.bytes);
    if (status == OK) {
        status = random_fill(&fresh.id, sizeof fresh.id);
    }
    for (int i = 0; status == OK && has_id(content, fresh.id) && i < TRIES_FOR_ID; i++) {
        status = random_fill(&fresh.id, sizeof fresh.id);
    }
    if (status == OK && has_id(content, fresh.id)) {
        log_error("the kernel's random numbers repeat; no secret was made");
        status = ERR_CRYPTO;
    }
    if (status == OK) {
        if (content->count < KEYRING_SECRETS_MAX) {
            content->count++;
        }
        memmove(&content->secrets[1], &content->secrets[0],
                (content->count - 1) * sizeof content->secrets[0]);
        content->secrets[0] = fresh;
    }
    secret_wipe(&fresh, sizeof fresh);
    return status;
}

/* Whether there is a regular file to replace. Its content and mode do not matter here: revoking is
 * what one does when they are wrong. */
static enum status find_file(const char *path)
{
    struct stat found;
    if (lstat(path, &found) != 0) {
        return explain(path, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM);
    }
    if (!S_ISREG(found.st_mode)) {
        log_error("%s must be a regular file; remove it and run `latchkey init`", path);
        return ERR_PERMISSION;
    }
    return OK;
}

/* Whether it is what file_write_private makes beside the file of that name. */
static bool is_left_over(struct text name, struct text file)
{
    const size_t more = sizeof FILE_BESIDE - 1 + 6;
    return name.len == file.len + more && text_has_prefix(name, file) &&
           text_has_prefix(text_from(name, file.len), text_of(FILE_BESIDE));
}

/* Writers that were killed leave copies of secrets behind, which a revocation must not outlive.
 * Only for whoever has the lock: then nobody else is writing. */
static void remove_left_over(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct text file = text_of(slash != NULL ? slash + 1 : path);
    DIR *entries = file_print_folder(path, folder) ? opendir(folder) : NULL;
    while (entries != NULL) {
        /* cppcheck-suppress readdirCalled ; no program here has threads */
        const struct dirent *entry = readdir(entries);
        if (entry == NULL) {
            break;
        }
        if (is_left_over(text_of(entry->d_name), file) &&
            unlinkat(dirfd(entries), entry->d_name, 0) != 0) {
            log_warning("%s/%s holds secrets and cannot be removed: %s; remove it", folder,
                        entry->d_name, strerror(errno));
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
}

/* A fresh secret before the present ones, or instead of them. */
static enum status renew(const char *path, bool keep)
{
    struct keyring_content content = {0};
    struct stat identity;
    int lock = -1;
    enum status status = lock_folder(path, -1, &lock);
    if (status == OK) {
        status = keep ? keyring_file_read(path, &content, &identity) : find_file(path);
    }
    if (status == OK) {
        remove_left_over(path);
        status = add_secret(&content);
    }
    if (status == OK) {
        status = write_content(path, &content, false);
    }
    if (lock >= 0) {
        (void)close(lock);
    }
    secret_wipe(&content, sizeof content);
    return status;
}

enum status keyring_create(const char *path)
{
    struct keyring_content content = {0};
    enum status status = add_secret(&content);
    if (status == OK) {
        status = write_content(path, &content, true);
    }
    secret_wipe(&content, sizeof content);
    return status;
}

enum status keyring_rotate(const char *path)
{
    return renew(path, true);
}

enum status keyring_revoke(const char *path)
{
    return renew(path, false);
}
