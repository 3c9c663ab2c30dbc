/* One rule shapes this file: whoever asks must not learn, by answer or by time, whether a name is
 * known, locked or has a password at all. So each attempt does the work of one hash, then decides.
 * What this does not hide: the time of a hash that was imported with another scheme or cost, until
 * its owner signs in for the first time and it is replaced.
 *
 * Kept apart from auth.c so that the gate, which never needs it, links no password hashing. */
#include "auth/attempt.h"

#include "base/log.h"
#include "base/secret.h"

/* ERR_STORE when the user cannot be read now. */
static enum status check_password(struct auth *auth, const struct attempt *attempt,
                                  struct user *user, struct attempt_result *result)
{
    const struct password_cost cost = {auth->config->password.memory_bytes,
                                       auth->config->password.passes};
    const char *why = NULL;
    enum status status = users_find(auth->store, attempt->name, user);
    if (status != OK && status != ERR_NOT_FOUND) {
        return status;
    }
    if (status == ERR_NOT_FOUND || !password_hash_is_acceptable(user->hash, &why)) {
        if (status == OK) {
            log_warning("the stored hash of user %s is not usable (%s): set a new password with "
                        "`latchkey user passwd`",
                        user->name, why);
        }
        password_check_nobody(attempt->password, &cost);
        return OK;
    }
    enum verdict matches = password_check(attempt->password, user->hash, &cost, &result->stale);
    if (matches == ALLOW && !user->locked) {
        result->trial = TRIAL_RIGHT;
    }
    return OK;
}

enum status attempt_run(struct auth *auth, const struct attempt *attempt,
                        struct attempt_result *out)
{
    struct user user = {0};
    *out = (struct attempt_result){0};
    enum status status = check_password(auth, attempt, &user, out);
    if (status == OK && out->trial == TRIAL_RIGHT) {
        out->user = user;
    } else if (status == OK) {
        /* A name that is nobody's may be a password typed into the wrong field: it is not logged.
         */
        log_info("sign-in refused: %s", user.name[0] != '\0' ? user.name : "unknown user");
    }
    secret_wipe(&user, sizeof user);
    return status;
}
