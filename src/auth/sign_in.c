/* Signing in, once the password was found to be right.
 *
 * Nobody is in before the audit log says so: the session, the row there and the end of what was
 * counted are one transaction, which is also one wait for the disk instead of three. Sessions of
 * the cache lie in another file; they begin before that transaction, and end again if it fails. */
#include "auth/attempt.h"
#include "auth/auth.h"
#include "auth/device.h"
#include "auth/hashing.h"

#include "base/log.h"
#include "base/secret.h"

/* Brings a hash of other cost or scheme up to date. That this fails must not keep the user out. */
static void renew_hash(struct auth *auth, const struct credentials *credentials,
                       const struct user *user)
{
    char hash[PASSWORD_HASH_MAX];
    /* Whoever waits for the answer has waited for one hash already. */
    if (hashing_try(auth->config, auth->line, credentials->password, hash) != OK ||
        users_rehash(auth->store, user->id, user->hash, hash) != OK) {
        log_warning(
            "the password hash of user %s could not be brought up to date; the next sign-in "
            "tries again",
            user->name);
    }
    secret_wipe(hash, sizeof hash);
}

/* For a session that nobody is given the token of. */
static void end_unissued(struct auth *auth, const struct token *token)
{
    if (token->kind != TOKEN_NONE && session_take_back(&auth->sessions, token) != OK) {
        log_warning("a session that nobody was given a token for stays until it is idle");
    }
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

static enum status note(struct auth *auth, const struct credentials *credentials,
                        const struct user *user, enum audit_outcome outcome, struct text detail)
{
    const struct audit_event event = {
        .act = AUDIT_SIGN_IN,
        .outcome = outcome,
        .user_id = user->id,
        .user = text_of(user->name),
        .address = credentials->origin.address,
        .detail = detail,
    };
    return audit_note(&auth->audit, credentials->now_s, &event);
}

/* In a transaction: what is written beside the session. */
static enum status note_done(struct auth *auth, const struct credentials *credentials,
                             const struct attempt_result *attempt)
{
    enum status status =
        note(auth, credentials, &attempt->user, AUDIT_DONE, credentials->origin.browser);
    return status == OK ? throttling_clear(auth->store, &attempt->plan) : status;
}

/* Begins the session with all that belongs to it. *token may be set after a failure too. The
 * session comes last in the transaction, for what it purges may give that up. */
static enum status begin(struct auth *auth, const struct credentials *credentials,
                         const struct attempt_result *attempt, struct token *token)
{
    const struct session_start start = start_of(credentials);
    bool apart = auth->config->session.store == SESSION_STORE_CACHE;
    enum status status = OK;
    if (apart) {
        status = session_begin(&auth->sessions, &attempt->user, &start, token);
    }
    if (status == OK) {
        status = store_begin(auth->store);
    }
    if (status != OK) {
        return status;
    }
    status = note_done(auth, credentials, attempt);
    if (status == OK && !apart) {
        status = session_begin(&auth->sessions, &attempt->user, &start, token);
    }
    return store_end(auth->store, status);
}

static enum status let_in(struct auth *auth, const struct credentials *credentials,
                          const struct visitor *visitor, const struct attempt_result *attempt,
                          struct sign_in *out)
{
    struct token token = {0};
    struct token device = {0};
    if (attempt->stale) {
        renew_hash(auth, credentials, &attempt->user);
    }
    enum status status = device_new(&attempt->user, credentials->now_s, &device);
    if (status == OK) {
        status = begin(auth, credentials, attempt, &token);
    }
    if (status == OK) {
        status = auth_end_former(auth, visitor);
    }
    if (status == OK) {
        token_copy(&out->token, &token);
        token_copy(&out->device, &device);
        out->trial = TRIAL_RIGHT;
        log_info("signed in: %s", attempt->user.name);
    } else {
        end_unissued(auth, &token);
    }
    if (status == ERR_NOT_FOUND) {
        /* Locked, removed or given another password while the hash was computed: that wins. */
        status = note(auth, credentials, &attempt->user, AUDIT_REFUSED,
                      TEXT("the account was changed meanwhile"));
    }
    token_wipe(&device);
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
    enum status status = attempt_try(auth, &attempt, &result);
    if (status == OK && result.trial == TRIAL_RIGHT) {
        status = let_in(auth, credentials, visitor, &result, out);
    } else if (status == OK) {
        out->trial = result.trial;
        out->wait_s = result.wait_s;
    }
    secret_wipe(&result, sizeof result);
    return status;
}
