/* The secrets of this installation, newest first, in one private file.
 *
 * A line is "<8 lowercase hex digits of key id> <43 base64url characters of 32 random bytes>" and
 * ends with a line feed; nothing else may stand in the file. */
#ifndef LATCHKEY_CRYPTO_KEYRING_H
#define LATCHKEY_CRYPTO_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define KEYRING_SECRETS_MAX 8
#define KEY_BYTES           32

struct keyring;

/* What a derived key is for. A key of one purpose never serves another. */
enum key_purpose { KEY_TOKEN, KEY_CSRF, KEY_SEAL, KEY_AUDIT, KEY_THROTTLE, KEY_PURPOSES };

/* Purposes, to be joined with |. A program asks for the keys that it uses: who gets to see its
 * memory then has no others. */
#define KEY_OF(purpose) (1U << (purpose))
#define KEYS_ALL        (KEY_OF(KEY_PURPOSES) - 1)

/* Reads the file and makes the keys for these purposes; 0 finds out only whether it is sound.
 * ERR_PERMISSION, ERR_INPUT, ERR_NOT_FOUND, ERR_SYSTEM, ERR_MEMORY, ERR_CRYPTO
 * (each logged with the remedy). Free with keyring_free, which wipes. */
enum status keyring_open(const char *path, unsigned purposes, struct keyring **out) MUST_USE;
void keyring_free(struct keyring **keyring);

/* Reads the file again if it is another file than at the last reading (device, inode, size, time of
 * change). When it cannot be read, the keyring is left without any key, so that nothing verifies,
 * the status says why, and the next call tries again. One system call when nothing changed. */
enum status keyring_refresh(struct keyring *keyring) MUST_USE;

/* The id of the newest secret, which new tokens use. ERR_NOT_FOUND when there is no key. */
enum status keyring_get_current(const struct keyring *keyring, uint32_t *id) MUST_USE;

/* The ids of all secrets, newest first; their number is returned, 0 when there is no key. */
size_t keyring_list(const struct keyring *keyring, uint32_t ids[KEYRING_SECRETS_MAX]);

/* The key for a purpose, derived by HKDF-SHA-256 (RFC 5869) when the file was read; borrowed until
 * the next refresh. NULL when there is no secret of that id, or the keyring was not opened for the
 * purpose. */
const uint8_t *keyring_get_key(const struct keyring *keyring, uint32_t id,
                               enum key_purpose purpose);

/* Makes the file with one fresh secret. ERR_EXISTS when there is one, which is left alone. */
enum status keyring_create(const char *path) MUST_USE;

/* rotate: puts a fresh secret first and keeps the others (at most KEYRING_SECRETS_MAX, oldest go).
 * revoke: one fresh secret replaces all, whatever the file holds and whoever may read it.
 * Both atomic and durable, and one after the other when several programs do it at once.
 * ERR_NOT_FOUND when there is no file; otherwise as keyring_open, all logged. */
enum status keyring_rotate(const char *path) MUST_USE;
enum status keyring_revoke(const char *path) MUST_USE;

#endif
