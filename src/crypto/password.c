/* Password hashes.
 *
 * New ones are argon2id. Stored ones of another cost, or of a scheme that crypt(3) knows, are
 * checked and reported as stale, so that the caller replaces them while it has the password.
 *
 * Who does not exist costs what one who does: password_check_nobody checks against a stand-in hash
 * of the configured cost through the very code that checks a real one. Users whose imported hash
 * has another cost answer in another time until their hash was replaced; that is the one thing
 * which time still tells.
 *
 * What this does not protect: passwords that are easy to guess, from whoever has the database. */
#include "crypto/password.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/password_crypt.h"
#include "crypto/password_format.h"

#define KIB 1024

/* Characters of salt and hash in what libsodium writes: 16 and 32 bytes. */
enum { OWN_SALT_LEN = 22, OWN_HASH_LEN = 43 };

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_MAX, "an own hash can be stored");

/* libsodium keeps its own state and does this once, however often it is asked. */
static bool is_sodium_ready(void)
{
    if (sodium_init() < 0) {
        log_error("libsodium does not start; are /dev/urandom and getrandom(2) allowed here?");
        return false;
    }
    return true;
}

/* Whether this could be anybody's password at all; depends on nothing but the password. */
static bool is_hashable(struct text password)
{
    return password.len <= PASSWORD_BYTES_MAX && !text_has_byte(password, '\0');
}

static bool is_cost_in_bounds(const struct password_cost *cost)
{
    uint64_t kib = cost->memory_bytes / KIB;
    return kib >= PASSWORD_MEMORY_KIB_MIN && kib <= PASSWORD_MEMORY_KIB_MAX && cost->passes >= 1 &&
           cost->passes <= PASSWORD_PASSES_MAX;
}

enum status password_hash(struct text password, const struct password_cost *cost,
                          char out[PASSWORD_HASH_MAX])
{
    char made[crypto_pwhash_STRBYTES];
    if (!is_hashable(password) || !is_cost_in_bounds(cost)) {
        return ERR_INPUT;
    }
    if (!is_sodium_ready()) {
        return ERR_CRYPTO;
    }
    if (crypto_pwhash_str_alg(made, text_bytes(password), password.len, cost->passes,
                              (size_t)cost->memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        log_error("argon2id failed: is there memory for %" PRIu64 " KiB more? The setting "
                  "`password.memory` says how much it takes",
                  cost->memory_bytes / KIB);
        secret_wipe(made, sizeof made);
        return ERR_CRYPTO;
    }
    memset(out, 0, PASSWORD_HASH_MAX);
    memcpy(out, made, sizeof made);
    secret_wipe(made, sizeof made);
    return OK;
}

static enum verdict check_argon2id(struct text password, const char *hash)
{
    char padded[crypto_pwhash_STRBYTES] = {0};
    struct text stored = text_of(hash);
    if (stored.len >= sizeof padded || !is_sodium_ready()) {
        return DENY;
    }
    memcpy(padded, stored.data, stored.len);
    errno = 0;
    bool same = crypto_pwhash_str_verify(padded, text_bytes(password), password.len) == 0;
    if (!same && errno != EINVAL) { /* which is how libsodium says that it was another one */
        log_error("argon2id could not check a password: %s", strerror(errno));
    }
    secret_wipe(padded, sizeof padded);
    return same ? ALLOW : DENY;
}

static bool is_stale(const struct password_format *format, const struct password_cost *cost)
{
    return format->scheme != PASSWORD_SCHEME_ARGON2ID ||
           format->memory_kib != cost->memory_bytes / KIB || format->passes != cost->passes ||
           format->salt_len != OWN_SALT_LEN || format->hash_len != OWN_HASH_LEN;
}

enum verdict password_check(struct text password, const char *hash,
                            const struct password_cost *cost, bool *stale)
{
    struct password_format format = {0};
    const char *why = NULL;
    enum verdict verdict = DENY;
    if (stale != NULL) {
        *stale = false;
    }
    if (password_format_parse(hash, &format, &why) != OK) {
        log_warning("a stored password hash cannot be used: %s", why);
        return DENY;
    }
    if (!is_hashable(password)) {
        return DENY;
    }
    if (format.scheme == PASSWORD_SCHEME_ARGON2ID) {
        verdict = check_argon2id(password, hash);
    } else if (password_crypt_can_take(password, format.scheme)) {
        verdict = password_crypt_check(password, hash);
    } else {
        password_check_nobody(password, cost);
    }
    if (stale != NULL && verdict == ALLOW) {
        *stale = is_stale(&format, cost);
    }
    return verdict;
}

void password_check_nobody(struct text password, const struct password_cost *cost)
{
    char stand_in[crypto_pwhash_STRBYTES];
    int len = snprintf(stand_in, sizeof stand_in,
                       "$argon2id$v=19$m=%" PRIu64 ",t=%" PRIu64 ",p=1$nobodynobodynobodynobA$"
                       "nobodynobodynobodynobodynobodynobodynobodyA",
                       cost->memory_bytes / KIB, cost->passes);
    if (len < 0 || (size_t)len >= sizeof stand_in || !is_cost_in_bounds(cost)) {
        log_error("the cost of passwords is out of bounds; mend the section `password` of the "
                  "configuration");
        return;
    }
    if (is_hashable(password)) {
        /* Whatever comes of it: there is nobody to let in. */
        (void)check_argon2id(password, stand_in);
    }
}

bool password_hash_is_acceptable(const char *hash, const char **why)
{
    struct password_format format = {0};
    return password_format_parse(hash, &format, why) == OK;
}
