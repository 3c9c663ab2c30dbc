/* Signing in.
 *
 * One rule shapes this file: whoever asks must not learn, by answer or by time, whether a name is
 * known, locked or has a password at all. So each attempt does the work of one hash, then decides.
 * What this does not hide: the time of a hash that was imported with another scheme or cost, until
 * its owner signs in for the first time and it is replaced.
 *
 * Kept apart from auth.c so that the gate, which never needs it, links no password hashing. */
#include "auth/auth.h"

#include "base/log.h"
#include "base/secret.h"

static struct password_cost cost_of(const struct config *config)
{
    return (struct password_cost){config->password.memory_bytes, config->password.passes};
}

/* ERR_STORE when the user cannot be read now. */
static enum status check_password(struct auth *auth, const struct credentials *credentials,
                                  struct user *user, enum verdict *verdict, bool *stale)
{
    struct password_cost cost = cost_of(auth->config);
    const char *why = NULL;
    *verdict = DENY;
    enum status status = users_find(auth->store, credentials->name, user);
    if (status != OK && status != ERR_NOT_FOUND) {
        return status;
    }
    if (status == ERR_NOT_FOUND || !password_hash_is_acceptable(user->hash, &why)) {
        if (status == OK) {
            log_warning("the stored hash of user %s is not usable (%s): set a new password with "
                        "`latchkey user passwd`",
                        user->name, why);
        }
        password_check_nobody(credentials->password, &cost);
        return OK;
    }
    enum verdict matches = password_check(credentials->password, user->hash, &cost, stale);
    if (matches == ALLOW && !user->locked) {
        *verdict = ALLOW;
    }
    return OK;
}

/* Brings a hash of other cost or scheme up to date. That this fails must not keep the user out. */
static void renew_hash(struct auth *auth, const struct credentials *credentials,
                       const struct user *user)
{
    struct password_cost cost = cost_of(auth->config);
    char hash[PASSWORD_HASH_MAX];
    if (password_hash(credentials->password, &cost, hash) != OK ||
        users_rehash(auth->store, user->id, user->hash, hash) != OK) {
        log_warning(
            "the password hash of user %s could not be brought up to date; the next sign-in "
            "tries again",
            user->name);
    }
    secret_wipe(hash, sizeof hash);
}

/* Ends the session that the browser came with, so that nothing of it outlives a change of person.
 * It ends after the new one began: whoever could not sign in still has it. When it cannot be ended,
 * the new one is not given out. */
static enum status end_former(struct auth *auth, const struct visitor *visitor,
                              const struct token *token)
{
    if (!visitor->has_token) {
        return OK;
    }
    enum status status = session_end(&auth->sessions, &visitor->token);
    if (status != OK && session_end(&auth->sessions, token) != OK) {
        log_warning("a session that nobody was given a token for stays until it is idle");
    }
    return status;
}

enum status auth_sign_in(struct auth *auth, const struct credentials *credentials,
                         const struct visitor *visitor, enum verdict *verdict, struct token *out)
{
    struct user user = {0};
    struct token token = {0};
    enum verdict checked = DENY;
    bool stale = false;
    *verdict = DENY;
    enum status status = check_password(auth, credentials, &user, &checked, &stale);
    if (status == OK && checked == ALLOW) {
        if (stale) {
            renew_hash(auth, credentials, &user);
        }
        status = session_begin(&auth->sessions, &user, &credentials->start, &token);
        if (status == OK) {
            status = end_former(auth, visitor, &token);
        }
        if (status == OK) {
            token_copy(out, &token);
            *verdict = ALLOW;
            log_info("signed in: %s", user.name);
        } else if (status == ERR_NOT_FOUND) {
            /* Locked, removed or given another password while the hash was computed: that wins. */
            status = OK;
        }
    } else if (status == OK) {
        /* A name that is nobody's may be a password typed into the wrong field: it is not logged.
         */
        log_info("sign-in refused: %s", user.name[0] != '\0' ? user.name : "unknown user");
    }
    token_wipe(&token);
    secret_wipe(&user, sizeof user);
    return status;
}
