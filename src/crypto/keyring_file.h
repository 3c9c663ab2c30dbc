/* The file of the keyring: reading and writing the raw secrets. For keyring.c only; everybody else
 * gets derived keys from crypto/keyring.h. */
#ifndef LATCHKEY_CRYPTO_KEYRING_FILE_H
#define LATCHKEY_CRYPTO_KEYRING_FILE_H

#include <sys/stat.h>

#include "base/text.h"
#include "crypto/keyring.h"

struct keyring_secret {
    uint32_t id;
    uint8_t bytes[KEY_BYTES];
};

/* All secrets of a file, newest first. Whoever has one wipes it. */
struct keyring_content {
    struct keyring_secret secrets[KEYRING_SECRETS_MAX];
    size_t count;
};

/* Reads the file; *identity receives its stat. Failures as keyring_open, logged; *out and *identity
 * are left without anything then. */
enum status keyring_file_read(const char *path, struct keyring_content *out, struct stat *identity)
    MUST_USE;

#endif
