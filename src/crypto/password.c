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

#include "base/log.h"
#include "crypto/password_argon2id.h"
#include "crypto/password_crypt.h"
#include "crypto/password_format.h"

#define KIB 1024

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
    if (!is_hashable(password) || !is_cost_in_bounds(cost)) {
        return ERR_INPUT;
    }
    return password_argon2id_make(password, cost, out);
}

static bool is_stale(const struct password_format *format, const struct password_cost *cost)
{
    return format->scheme != PASSWORD_SCHEME_ARGON2ID ||
           format->memory_kib != cost->memory_bytes / KIB || format->passes != cost->passes ||
           !password_argon2id_is_own(format);
}

enum status password_check(struct text password, const char *hash, const struct password_cost *cost,
                           bool *stale, enum verdict *verdict)
{
    struct password_format format = {0};
    const char *why = NULL;
    enum status status = OK;
    *verdict = DENY;
    if (stale != NULL) {
        *stale = false;
    }
    if (password_format_parse(hash, &format, &why) != OK) {
        log_warning("a stored password hash cannot be used: %s", why);
        return OK;
    }
    if (!is_hashable(password)) {
        return OK;
    }
    if (format.scheme == PASSWORD_SCHEME_ARGON2ID) {
        status = password_argon2id_check(password, hash, &format, verdict);
    } else if (password_crypt_can_take(password, format.scheme)) {
        status = password_crypt_check(password, hash, verdict);
    } else {
        status = password_check_nobody(password, cost);
    }
    if (stale != NULL && *verdict == ALLOW) {
        *stale = is_stale(&format, cost);
    }
    return status;
}

enum status password_check_nobody(struct text password, const struct password_cost *cost)
{
    static const char stand_in[] = "$nobodynobodynobodynobA$"
                                   "nobodynobodynobodynobodynobodynobodynobodyA";
    const struct password_format format = password_argon2id_format(cost);
    enum verdict ignored = DENY; /* whatever comes of it: there is nobody to let in */
    /* tests/timing/stand_in.c knows it by its salt */
    if (!is_cost_in_bounds(cost)) {
        log_error("the cost of passwords is out of bounds; mend the section `password` of the "
                  "configuration");
        return OK;
    }
    return is_hashable(password) ? password_argon2id_check(password, stand_in, &format, &ignored)
                                 : OK;
}

bool password_hash_is_acceptable(const char *hash, const char **why)
{
    struct password_format format = {0};
    return password_format_parse(hash, &format, why) == OK;
}
