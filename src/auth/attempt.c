/* One rule shapes this file: whoever asks must not learn, by answer or by time, whether a name is
 * known, locked or has a password at all. So each attempt does the work of one hash, then decides.
 * What this does not hide: the time of a hash that was imported with another scheme or cost, until
 * its owner signs in for the first time and it is replaced.
 *
 * The order is fixed: the user, whether one has to wait, the count, a place in the line of those
 * who hash, the hash, the verdict, the audit log. It is counted before it is hashed, so that many
 * at once are as many failures; and refused before, so that a flood costs no hashes and writes
 * nothing.
 *
 * Kept apart from auth.c so that the gate, which never needs it, links no password hashing. */
#include "auth/attempt.h"

#include <stdio.h>

#include "base/log.h"
#include "base/secret.h"

/* One that is under way. */
struct trying {
    struct auth *auth;
    const struct attempt *attempt;
    struct attempt_result *result;
    struct throttle_admission admission;
    const char *why; /* with a wrong one, for whoever reads the audit log */
};

static enum status admit(struct trying *trying)
{
    struct attempt_result *result = trying->result;
    struct auth *auth = trying->auth;
    const struct throttled who = {
        .name = trying->attempt->name,
        .user = &result->user,
        .origin = trying->attempt->origin,
        .now_s = trying->attempt->now_s,
    };
    enum status status = throttling_plan(auth->config, auth->keyring, &who, &result->plan);
    if (status == OK) {
        status = throttle_admit(auth->store, result->plan.counts, result->plan.count, who.now_s,
                                &trying->admission);
    }
    if (status == OK && trying->admission.wait_s > 0) {
        result->trial = TRIAL_THROTTLED;
        result->wait_s = trying->admission.wait_s;
    }
    return status;
}

/* Whether there is a hash to compare with. */
static bool has_hash(const struct user *user)
{
    const char *why = NULL;
    if (user->id == 0 || text_is(text_of(user->hash), PASSWORD_HASH_NONE)) {
        return false;
    }
    if (password_hash_is_acceptable(user->hash, &why)) {
        return true;
    }
    log_warning("the stored hash of user %s is not usable (%s): set a new password with "
                "`latchkey user passwd`",
                user->name, why);
    return false;
}

static enum status check_password(struct trying *trying)
{
    struct attempt_result *result = trying->result;
    const struct config *config = trying->auth->config;
    const struct user *user = &result->user;
    const struct password_cost cost = {config->password.memory_bytes, config->password.passes};
    struct text password = trying->attempt->password;
    enum verdict matches = DENY;
    if (!has_hash(user)) {
        trying->why = user->id == 0 ? "unknown user" : "no password is set";
        return password_check_nobody(password, &cost);
    }
    enum status status = password_check(password, user->hash, &cost, &result->stale, &matches);
    if (matches == ALLOW && !user->locked) {
        result->trial = TRIAL_RIGHT;
    }
    trying->why = matches == ALLOW ? "the account is locked" : "wrong password";
    return status;
}

/* What was counted for an attempt that is not made. */
static enum status take_back(struct trying *trying)
{
    struct store *store = trying->auth->store;
    enum status status = store_begin(store);
    if (status != OK) {
        return status;
    }
    return store_end(store, throttling_release(store, &trying->result->plan));
}

static enum status check_in_line(struct trying *trying)
{
    struct hash_line *line = trying->auth->line;
    enum status status = line != NULL ? hash_line_enter(line) : OK;
    if (status == OK) {
        status = check_password(trying);
        if (line != NULL) {
            hash_line_leave(line);
        }
    }
    if (status == OK) {
        return OK;
    }
    enum status taken = take_back(trying);
    if (status == ERR_BUSY) {
        trying->result->trial = TRIAL_BUSY;
        status = taken;
    }
    return status;
}

/* In words: "network: next attempt in 30 s". */
static enum status note_delay(const struct trying *trying, const struct audit_event *wrong)
{
    char detail[AUDIT_DETAIL_MAX + 1];
    struct audit_event event = *wrong;
    (void)snprintf(detail, sizeof detail, "%s: next attempt in %lld s",
                   throttle_kind_word(trying->admission.began->kind),
                   (long long)trying->admission.delay_s);
    event.act = AUDIT_THROTTLE;
    event.detail = text_of(detail);
    return audit_note(&trying->auth->audit, trying->attempt->now_s, &event);
}

/* A name that is nobody's may be a password typed into the wrong field: it is noted nowhere. */
static enum status note_wrong(const struct trying *trying)
{
    struct store *store = trying->auth->store;
    const struct user *user = &trying->result->user;
    const struct audit_event event = {
        .act = trying->attempt->act,
        .outcome = AUDIT_REFUSED,
        .user_id = user->id,
        .user = text_of(user->name),
        .address = trying->attempt->origin->address,
        .detail = text_of(trying->why),
    };
    log_authentication_failure(event.user, event.address);
    if (!trying->auth->audit.is_on) {
        return OK;
    }
    enum status status = store_begin(store);
    if (status != OK) {
        return status;
    }
    status = audit_note(&trying->auth->audit, trying->attempt->now_s, &event);
    if (status == OK && trying->admission.began != NULL) {
        status = note_delay(trying, &event);
    }
    return store_end(store, status);
}

static enum status run(struct trying *trying)
{
    struct attempt_result *result = trying->result;
    enum status status = users_find(trying->auth->store, trying->attempt->name, &result->user);
    if (status == OK || status == ERR_NOT_FOUND) {
        status = admit(trying);
    }
    if (status != OK || result->trial == TRIAL_THROTTLED) {
        return status;
    }
    status = check_in_line(trying);
    if (status == OK && result->trial == TRIAL_WRONG) {
        status = note_wrong(trying);
    }
    return status;
}

enum status attempt_try(struct auth *auth, const struct attempt *attempt,
                        struct attempt_result *out)
{
    struct trying trying = {.auth = auth, .attempt = attempt, .result = out};
    *out = (struct attempt_result){0};
    enum status status = run(&trying);
    if (status != OK || out->trial != TRIAL_RIGHT) {
        enum trial trial = status == OK ? out->trial : TRIAL_WRONG;
        int64_t wait_s = status == OK ? out->wait_s : 0;
        secret_wipe(out, sizeof *out);
        out->trial = trial;
        out->wait_s = wait_s;
    }
    return status;
}

enum status attempt_run(struct auth *auth, const struct attempt *attempt,
                        struct attempt_result *out)
{
    enum status status = attempt_try(auth, attempt, out);
    if (status != OK || out->trial != TRIAL_RIGHT) {
        return status;
    }
    status = store_begin(auth->store);
    if (status == OK) {
        status = store_end(auth->store, throttling_clear(auth->store, &out->plan));
    }
    if (status != OK) {
        secret_wipe(out, sizeof *out);
    }
    return status;
}
