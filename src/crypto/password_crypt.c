/* Checking imported hashes with crypt(3) of libxcrypt.
 *
 * crypt reads the password up to a NUL and refuses 512 bytes or more; bcrypt reads 72 bytes of it
 * and leaves the rest. Whoever asks finds out first with password_crypt_can_take, so that here the
 * whole password counts.
 *
 * The work space is 32 KiB, too much for a stack that other code shares; libxcrypt wipes its own
 * part of it, and all of it is wiped here, with the computed hash and the copy of the password.
 * When crypt fails it gives "*0" or "*1" instead of a hash; nothing that begins so is compared. */
#include "crypto/password_crypt.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

#define BCRYPT_BYTES_MAX 72

bool password_crypt_can_take(struct text password, enum password_scheme scheme)
{
    size_t max =
        scheme == PASSWORD_SCHEME_BCRYPT ? BCRYPT_BYTES_MAX : CRYPT_MAX_PASSPHRASE_SIZE - 1;
    return password.len <= max && !text_has_byte(password, '\0');
}

/* Compares up to the NUL of the stored one, whose length its scheme gives: where the other ends is
 * part of what is compared. */
static bool is_same_hash(const char made[CRYPT_OUTPUT_SIZE], const char *stored)
{
    size_t size = text_of(stored).len + 1;
    return size <= CRYPT_OUTPUT_SIZE && secret_is_equal(made, stored, size);
}

enum status password_crypt_check(struct text password, const char *hash, enum verdict *verdict)
{
    enum status status = OK;
    struct crypt_data *work = calloc(1, sizeof *work);
    *verdict = DENY;
    if (work == NULL || password.len >= sizeof work->input) {
        log_error("not enough memory to check a password");
        free(work);
        return ERR_MEMORY;
    }
    if (password.len > 0) {
        memcpy(work->input, password.data, password.len);
    }
    errno = 0;
    const char *made = crypt_r(work->input, hash, work);
    if (made == NULL || made[0] == '*') {
        log_error("crypt(3) does not work on a hash of a supported form: %s", strerror(errno));
        status = errno == EINVAL ? OK : ERR_CRYPTO; /* the hash is to blame, which never matches */
    } else if (is_same_hash(made, hash)) {
        *verdict = ALLOW;
    }
    secret_wipe(work, sizeof *work);
    free(work);
    return status;
}
