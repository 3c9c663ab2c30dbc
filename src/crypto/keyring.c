/* The keys of this installation, as the programs have them in memory.
 *
 * The secrets of the file are used for one thing only: each gives one key per purpose, derived by
 * HKDF with an info text of its own, so that a value made for one purpose says nothing about, and
 * is never taken for, one of another. The raw secrets are wiped as soon as the keys are made, and a
 * program has the keys of its own purposes only: what stands in the memory of one that answers
 * everybody makes no rows of the audit log.
 *
 * Programs live long, and `latchkey secret revoke` must reach them all: for each request, unless
 * they watch the file, they ask for its stat, and another device, inode, size or time means to read
 * it again. Modification
 * time alone can be set by hand, so the time of change of the inode counts as well, which covers
 * mode and owner too. A file that cannot be read leaves no key: a program that went on with the old
 * ones would let a revoked cookie in.
 *
 * What this does not protect: the keys from whoever can read the memory of the process. */
#include "crypto/keyring.h"

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

/* Lies in memory of secret_new. */
struct keyring {
    size_t size;          /* of all of this, bytes */
    unsigned purposes;    /* whose keys are made, KEY_OF joined */
    struct stat identity; /* zeros when nothing was read, which no file equals */
    size_t count;
    struct key_set sets[KEYRING_SECRETS_MAX]; /* newest first */
    char path[];
};

/* Changing one of these ends whatever was made with its keys. */
static const char *const infos[KEY_PURPOSES] = {
    [KEY_TOKEN] = "latchkey 1 token",       [KEY_CSRF] = "latchkey 1 csrf",
    [KEY_SEAL] = "latchkey 1 seal",         [KEY_AUDIT] = "latchkey 1 audit",
    [KEY_THROTTLE] = "latchkey 1 throttle",
};

static enum status derive_set(const struct keyring_secret *secret, unsigned wanted,
                              struct key_set *out)
{
    struct mac_source source = {.secret = {(const char *)secret->bytes, sizeof secret->bytes}};
    enum status status = OK;
    out->id = secret->id;
    for (size_t i = 0; i < KEY_PURPOSES && status == OK; i++) {
        source.info = text_of(infos[i]);
        if ((wanted & KEY_OF(i)) != 0) {
            status = mac_derive(&source, out->keys[i], KEY_BYTES);
        }
    }
    return status;
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
    secret_pin(keyring, keyring->size); /* the page may be this process' own since the line above */
    enum status status = keyring_file_read(keyring->path, &content, &identity);
    for (size_t i = 0; i < content.count && status == OK; i++) {
        status = derive_set(&content.secrets[i], keyring->purposes, &keyring->sets[i]);
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

enum status keyring_open(const char *path, unsigned purposes, struct keyring **out)
{
    size_t len = text_of(path).len;
    size_t size = sizeof(struct keyring) + len + 1;
    struct keyring *keyring = secret_new(size);
    if (keyring == NULL) {
        log_error("not enough memory for the keyring");
        return ERR_MEMORY;
    }
    keyring->size = size;
    keyring->purposes = purposes;
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
        secret_free(*keyring, (*keyring)->size);
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
    if ((unsigned)purpose >= KEY_PURPOSES || (keyring->purposes & KEY_OF(purpose)) == 0) {
        return NULL;
    }
    for (size_t i = 0; i < keyring->count; i++) {
        if (keyring->sets[i].id == id) {
            return keyring->sets[i].keys[purpose];
        }
    }
    return NULL;
}
