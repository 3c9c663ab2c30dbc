/* The keys of this installation, as the programs have them in memory.
 *
 * The secrets of the file are used for one thing only: each gives one key per purpose, derived by
 * HKDF with an info text of its own, so that a value made for one purpose says nothing about, and
 * is never taken for, one of another. The raw secrets are wiped as soon as the keys are made.
 *
 * Programs live long, and `latchkey secret revoke` must reach them all: for each request, unless
 * they watch the file, they ask for its stat, and another device, inode, size or time means to read
 * it again. Modification
 * time alone can be set by hand, so the time of change of the inode counts as well, which covers
 * mode and owner too. A file that cannot be read leaves no key: a program that went on with the old
 * ones would let a revoked cookie in.
 *
 * What this does not protect: the keys from whoever can read the memory of the process, and from
 * being paged out. */
#include "crypto/keyring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/keyring_file.h"
#include "crypto/mac.h"

struct key_set {
    uint32_t id;
    uint8_t keys[KEY_PURPOSES][KEY_BYTES];
};

struct keyring {
    struct stat identity; /* zeros when nothing was read, which no file equals */
    size_t count;
    struct key_set sets[KEYRING_SECRETS_MAX]; /* newest first */
    char path[];
};

/* Changing one of these ends whatever was made with its keys. */
static const char *const purposes[KEY_PURPOSES] = {
    [KEY_TOKEN] = "latchkey 1 token",       [KEY_CSRF] = "latchkey 1 csrf",
    [KEY_SEAL] = "latchkey 1 seal",         [KEY_AUDIT] = "latchkey 1 audit",
    [KEY_THROTTLE] = "latchkey 1 throttle",
};

static enum status derive_set(const struct keyring_secret *secret, struct key_set *out)
{
    struct mac_source source = {.secret = {(const char *)secret->bytes, sizeof secret->bytes}};
    out->id = secret->id;
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        source.info = text_of(purposes[i]);
        enum status status = mac_derive(&source, out->keys[i], KEY_BYTES);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static void forget(struct keyring *keyring)
{
    secret_wipe(keyring->sets, sizeof keyring->sets);
    keyring->count = 0;
    keyring->identity = (struct stat){0};
}

static enum status load(struct keyring *keyring)
{
    struct keyring_content content = {0};
    struct stat identity;
    forget(keyring);
    enum status status = keyring_file_read(keyring->path, &content, &identity);
    for (size_t i = 0; i < content.count && status == OK; i++) {
        status = derive_set(&content.secrets[i], &keyring->sets[i]);
    }
    if (status == OK) {
        keyring->count = content.count;
        keyring->identity = identity;
    } else {
        forget(keyring);
    }
    secret_wipe(&content, sizeof content);
    return status;
}

enum status keyring_open(const char *path, struct keyring **out)
{
    size_t len = text_of(path).len;
    struct keyring *keyring = calloc(1, sizeof *keyring + len + 1);
    if (keyring == NULL) {
        log_error("not enough memory for the keyring");
        return ERR_MEMORY;
    }
    memcpy(keyring->path, path, len);
    enum status status = load(keyring);
    if (status != OK) {
        keyring_free(&keyring);
        return status;
    }
    *out = keyring;
    return OK;
}

void keyring_free(struct keyring **keyring)
{
    if (*keyring != NULL) {
        forget(*keyring);
        free(*keyring);
        *keyring = NULL;
    }
}

enum status keyring_refresh(struct keyring *keyring)
{
    struct stat now;
    /* lstat: a link put in the file's place must be seen as what it is, to be refused. */
    if (keyring->count > 0 && lstat(keyring->path, &now) == 0 &&
        file_is_untouched(&now, &keyring->identity)) {
        return OK;
    }
    return load(keyring);
}

enum status keyring_get_current(const struct keyring *keyring, uint32_t *id)
{
    if (keyring->count == 0) {
        return ERR_NOT_FOUND;
    }
    *id = keyring->sets[0].id;
    return OK;
}

size_t keyring_list(const struct keyring *keyring, uint32_t ids[KEYRING_SECRETS_MAX])
{
    for (size_t i = 0; i < keyring->count; i++) {
        ids[i] = keyring->sets[i].id;
    }
    return keyring->count;
}

const uint8_t *keyring_get_key(const struct keyring *keyring, uint32_t id, enum key_purpose purpose)
{
    if ((unsigned)purpose >= KEY_PURPOSES) {
        return NULL;
    }
    for (size_t i = 0; i < keyring->count; i++) {
        if (keyring->sets[i].id == id) {
            return keyring->sets[i].keys[purpose];
        }
    }
    return NULL;
}
