/* Signing in, once the password was found to be right. */
#include "auth/attempt.h"
#include "auth/auth.h"

#include "base/log.h"
#include "base/secret.h"

/* Brings a hash of other cost or scheme up to date. That this fails must not keep the user out. */
static void renew_hash(struct auth *auth, const struct credentials *credentials,
                       const struct user *user)
{
    const struct password_cost cost = {auth->config->password.memory_bytes,
                                       auth->config->password.passes};
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

static struct session_start start_of(const struct credentials *credentials)
{
    return (struct session_start){
        .now_s = credentials->now_s,
        .remember = credentials->remember,
        .address = credentials->origin.address,
        .agent = credentials->origin.agent,
    };
}

static enum status let_in(struct auth *auth, const struct credentials *credentials,
                          const struct visitor *visitor, const struct attempt_result *attempt,
                          struct sign_in *out)
{
    const struct session_start start = start_of(credentials);
    struct token token = {0};
    if (attempt->stale) {
        renew_hash(auth, credentials, &attempt->user);
    }
    enum status status = session_begin(&auth->sessions, &attempt->user, &start, &token);
    if (status == OK) {
        status = end_former(auth, visitor, &token);
    }
    if (status == OK) {
        token_copy(&out->token, &token);
        out->trial = TRIAL_RIGHT;
        log_info("signed in: %s", attempt->user.name);
    } else if (status == ERR_NOT_FOUND) {
        /* Locked, removed or given another password while the hash was computed: that wins. */
        status = OK;
    }
    token_wipe(&token);
    return status;
}

enum status auth_sign_in(struct auth *auth, const struct credentials *credentials,
                         const struct visitor *visitor, struct sign_in *out)
{
    const struct attempt attempt = {
        .name = credentials->name,
        .password = credentials->password,
        .origin = &credentials->origin,
        .now_s = credentials->now_s,
        .act = AUDIT_SIGN_IN,
    };
    struct attempt_result result;
    secret_wipe(out, sizeof *out);
    enum status status = attempt_run(auth, &attempt, &result);
    if (status == OK && result.trial == TRIAL_RIGHT) {
        status = let_in(auth, credentials, visitor, &result, out);
    } else if (status == OK) {
        out->trial = (int)result.trial;
        out->wait_s = result.wait_s;
    }
    secret_wipe(&result, sizeof result);
    return status;
}
