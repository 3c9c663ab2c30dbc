/* argon2id with libsodium's plain function, which tells failing from another password; its function
 * that reads the text of a hash (1.0.18) calls a lack of memory a wrong password, and the one that
 * writes it ends the program when there are no random bytes. So salt and text are made here:
 *
 *     $argon2id$v=19$m=<KiB>,t=<passes>,p=1$<salt>$<hash>
 *
 * with both in base64 without padding. libsodium still wants random bytes when it starts, and ends
 * the program without them. */
#include "crypto/password_argon2id.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/random.h"

#define KIB        1024
#define HASH_BYTES 32

/* Characters of salt and hash. */
enum { SALT_LEN = 22, HASH_LEN = 43 };

static const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

/* libsodium keeps its own state and does this once, however often it is asked. */
static bool is_sodium_ready(void)
{
    if (sodium_init() < 0) {
        log_error("libsodium does not start; are /dev/urandom and getrandom(2) allowed here?");
        return false;
    }
    return true;
}

static enum status compute(struct text password, const struct password_format *format,
                           const uint8_t salt[crypto_pwhash_SALTBYTES], uint8_t out[HASH_BYTES])
{
    if (crypto_pwhash(out, HASH_BYTES, text_bytes(password), password.len, salt, format->passes,
                      (size_t)format->memory_kib * KIB, crypto_pwhash_ALG_ARGON2ID13) == 0) {
        return OK;
    }
    log_error("argon2id failed: is there memory for %" PRIu64 " KiB more? The setting "
              "`password.memory` says how much it takes",
              format->memory_kib);
    return ERR_CRYPTO;
}

struct password_format password_argon2id_format(const struct password_cost *cost)
{
    return (struct password_format){
        .scheme = PASSWORD_SCHEME_ARGON2ID,
        .memory_kib = cost->memory_bytes / KIB,
        .passes = cost->passes,
        .salt_len = SALT_LEN,
        .hash_len = HASH_LEN,
    };
}

bool password_argon2id_is_own(const struct password_format *format)
{
    return format->salt_len == SALT_LEN && format->hash_len == HASH_LEN;
}

enum status password_argon2id_make(struct text password, const struct password_cost *cost,
                                   char out[PASSWORD_HASH_MAX])
{
    const struct password_format format = password_argon2id_format(cost);
    uint8_t salt[crypto_pwhash_SALTBYTES];
    uint8_t hash[HASH_BYTES];
    char hash_text[HASH_LEN + 1];
    if (!is_sodium_ready()) {
        return ERR_CRYPTO;
    }
    enum status status = random_fill(salt, sizeof salt);
    if (status == OK) {
        status = compute(password, &format, salt, hash);
    }
    if (status == OK) {
        char salt_text[SALT_LEN + 1];
        (void)sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt, variant);
        (void)sodium_bin2base64(hash_text, sizeof hash_text, hash, sizeof hash, variant);
        memset(out, 0, PASSWORD_HASH_MAX);
        (void)snprintf(out, PASSWORD_HASH_MAX,
                       "$argon2id$v=19$m=%" PRIu64 ",t=%" PRIu64 ",p=1$%s$%s", format.memory_kib,
                       format.passes, salt_text, hash_text);
    }
    secret_wipe(hash_text, sizeof hash_text);
    secret_wipe(hash, sizeof hash);
    return status;
}

/* Whether `stored` characters of base64 are exactly `len` bytes, which are put into `out`. */
static bool decode(const char *stored, size_t stored_len, uint8_t *out, size_t len)
{
    size_t made = 0;
    return sodium_base642bin(out, len, stored, stored_len, NULL, &made, NULL, variant) == 0 &&
           made == len;
}

static enum status compare(struct text password, const char *hash,
                           const struct password_format *format, enum verdict *verdict)
{
    uint8_t salt[crypto_pwhash_SALTBYTES] = {0};
    uint8_t wanted[HASH_BYTES] = {0};
    uint8_t made[HASH_BYTES];
    const char *last = hash + text_of(hash).len - HASH_LEN;
    const char *first = last - 1 - SALT_LEN; /* a '$' stands between them */
    bool is_sound = decode(first, SALT_LEN, salt, sizeof salt);
    is_sound = decode(last, HASH_LEN, wanted, sizeof wanted) && is_sound;
    *verdict = DENY;
    /* Also for one that nothing can match: it is to take as long as any other. */
    enum status status = compute(password, format, salt, made);
    if (status == OK && is_sound && secret_is_equal(made, wanted, sizeof made)) {
        *verdict = ALLOW;
    }
    secret_wipe(made, sizeof made);
    secret_wipe(wanted, sizeof wanted);
    return status;
}

/* For the other lengths, which some programs make: a lack of memory denies. */
static enum verdict verify(struct text password, const char *hash)
{
    char padded[crypto_pwhash_STRBYTES] = {0};
    struct text stored = text_of(hash);
    if (stored.len >= sizeof padded) {
        return DENY;
    }
    memcpy(padded, stored.data, stored.len);
    bool same = crypto_pwhash_str_verify(padded, text_bytes(password), password.len) == 0;
    secret_wipe(padded, sizeof padded);
    return same ? ALLOW : DENY;
}

enum status password_argon2id_check(struct text password, const char *hash,
                                    const struct password_format *format, enum verdict *verdict)
{
    if (!is_sodium_ready()) {
        return ERR_CRYPTO;
    }
    if (password_argon2id_is_own(format)) {
        return compare(password, hash, format, verdict);
    }
    *verdict = verify(password, hash);
    return OK;
}
