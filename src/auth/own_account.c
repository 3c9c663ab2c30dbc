/* The own account.
 *
 * Whoever sits at an unlocked screen, or has a copied cookie, is signed in too. So a new password
 * wants the present one, and that is an attempt like any other: throttled, and written down when it
 * is wrong. The session in which it was changed is not kept: it gets a new id and its user's new
 * salt, so that a copy of its former cookie is as dead as those of all other devices.
 *
 * An act that was done is answered as done even if the audit log could not be written; that is
 * logged. The other way round a disk that is full would keep people from signing out. */
#include "auth/own_account.h"

#include <string.h>

#include "auth/device.h"
#include "auth/hashing.h"
#include "base/log.h"
#include "base/secret.h"
#include "session/administer.h"
#include "session/remember.h"
#include "store/links.h"

/* `event` says what was done and from where. */
static void note(struct auth *auth, const struct session_row *session, int64_t now_s,
                 struct audit_event event)
{
    event.outcome = AUDIT_DONE;
    event.user_id = session->user_id;
    event.user = text_of(session->user);
    if (audit_note(&auth->audit, now_s, &event) != OK) {
        log_warning("the audit log does not tell what user %s did just now", session->user);
    }
}

/* Reads what the visitor's session remembers, before it ends. */
static enum status read_data(struct auth *auth, const struct visitor *visitor,
                             struct session_data **data)
{
    enum status status = session_data_new(SIZE_MAX, data);
    if (status == OK) {
        status = remember_read(&auth->sessions, &visitor->token, &visitor->session, *data);
    }
    return status;
}

/* Begins the session that takes the place of the visitor's, which has ended with the salt. */
static enum status begin_anew(struct auth *auth, const struct visitor *visitor,
                              const struct session_start *start, struct token *out)
{
    struct user user = {0};
    enum status status = users_find_by_id(auth->store, visitor->session.user_id, &user);
    if (status == OK) {
        status = session_begin(&auth->sessions, &user, start, out);
    }
    secret_wipe(&user, sizeof user);
    return status;
}

/* Sets the password, of which all is known to be right, and renews the session. */
static enum status replace(struct auth *auth, const struct visitor *visitor,
                           const struct password_change *change, const char *hash,
                           struct token *out)
{
    struct session_data *data = NULL;
    struct session_start start = {
        .now_s = change->now_s,
        .remember = visitor->session.remember,
        .address = change->origin.address,
        .agent = change->origin.agent,
    };
    enum status status = read_data(auth, visitor, &data);
    if (status == OK) {
        status = users_set_password(auth->store, visitor->session.user_id, hash, change->now_s);
    }
    if (status == OK) {
        log_info("password changed: %s", visitor->session.user);
        note(auth, &visitor->session, change->now_s,
             (struct audit_event){.act = AUDIT_PASSWORD,
                                  .address = change->origin.address,
                                  .detail = TEXT("changed")});
        start.data = data;
        status = begin_anew(auth, visitor, &start, out);
    }
    session_data_free(&data);
    return status;
}

enum status account_set_password(struct auth *auth, const struct visitor *visitor,
                                 const struct password_change *change, struct sign_in *out)
{
    const struct attempt attempt = {
        .name = text_of(visitor->session.user),
        .password = change->current,
        .origin = &change->origin,
        .now_s = change->now_s,
        .act = AUDIT_PASSWORD,
    };
    struct attempt_result result;
    char hash[PASSWORD_HASH_MAX] = "";
    secret_wipe(out, sizeof *out);
    enum status status = attempt_run(auth, &attempt, &result);
    enum trial trial = status == OK ? result.trial : TRIAL_WRONG;
    int64_t wait_s = status == OK ? result.wait_s : 0;
    /* The name may be another's by now. */
    if (trial == TRIAL_RIGHT && result.user.id != visitor->session.user_id) {
        trial = TRIAL_WRONG;
    }
    secret_wipe(&result, sizeof result);
    if (trial == TRIAL_RIGHT) {
        status = hashing_make(auth->config, auth->line, change->wanted, hash);
        if (status == ERR_BUSY) {
            trial = TRIAL_BUSY;
            status = OK;
        } else if (status == OK) {
            status = replace(auth, visitor, change, hash, &out->token);
        }
    }
    if (status == OK) {
        out->trial = trial;
        out->wait_s = wait_s;
    }
    secret_wipe(hash, sizeof hash);
    return status;
}

enum status account_end_session(struct auth *auth, const struct visitor *visitor,
                                const struct session_choice *choice, bool *own)
{
    const struct session_row *session = &visitor->session;
    struct session_row ended = {0};
    enum status status = administer_end(&auth->sessions, session->user_id, choice->id, &ended);
    if (status == OK) {
        *own = secret_is_equal(ended.key, session->key, sizeof ended.key);
        log_info("a session was ended by its user: %s", session->user);
        note(auth, session, choice->now_s,
             (struct audit_event){.act = AUDIT_REVOKE,
                                  .address = choice->origin.address,
                                  .detail = text_of(*own ? "this session" : "one session")});
    }
    secret_wipe(&ended, sizeof ended);
    return status;
}

enum status account_end_all(struct auth *auth, const struct visitor *visitor,
                            const struct origin *origin, int64_t now_s)
{
    const struct session_row *session = &visitor->session;
    int64_t ended = 0;
    enum status status = administer_end_all(&auth->sessions, session->user_id, &ended);
    if (status == OK) {
        log_info("all sessions were ended by their user: %s", session->user);
        note(auth, session, now_s,
             (struct audit_event){
                 .act = AUDIT_REVOKE, .address = origin->address, .detail = TEXT("all sessions")});
    }
    return status;
}

enum status account_use_link(struct auth *auth, const struct visitor *visitor,
                             const struct link_use *use, struct sign_in *out)
{
    const struct session_start start = {
        .now_s = use->now_s,
        .address = use->origin.address,
        .agent = use->origin.agent,
    };
    struct user user = {0};
    char hash[PASSWORD_HASH_MAX] = "";
    secret_wipe(out, sizeof *out);
    enum status status = links_find(auth->store, use->code, use->now_s, &user); /* before a hash */
    if (status == OK) {
        status = hashing_make(auth->config, auth->line, use->wanted, hash);
    }
    if (status == ERR_BUSY) {
        out->trial = TRIAL_BUSY;
        return OK;
    }
    if (status == OK) {
        status = links_use(auth->store, use->code, hash, use->now_s, &user);
    }
    if (status == OK) {
        struct session_row session = {.user_id = user.id};
        memcpy(session.user, user.name, sizeof session.user);
        log_info("password set on a link: %s", user.name);
        note(auth, &session, use->now_s,
             (struct audit_event){.act = AUDIT_PASSWORD,
                                  .address = use->origin.address,
                                  .detail = TEXT("set on a link")});
        status = session_begin(&auth->sessions, &user, &start, &out->token);
    }
    if (status == OK) {
        status = device_new(user.id, use->now_s, &out->device);
    }
    if (status == OK) {
        status = auth_end_former(auth, visitor);
    }
    if (status == OK) {
        out->trial = TRIAL_RIGHT;
    } else {
        secret_wipe(out, sizeof *out);
    }
    secret_wipe(&user, sizeof user);
    secret_wipe(hash, sizeof hash);
    return status;
}
