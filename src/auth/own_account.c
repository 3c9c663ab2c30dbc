/* The own account.
 *
 * Whoever sits at an unlocked screen, or has a copied cookie, is signed in too. So a new password
 * wants the present one, and that is an attempt like any other: throttled, and written down when it
 * is wrong. The session in which it was changed is not kept: it gets a new id and its user's new
 * salt, so that a copy of its former cookie is as dead as those of all other devices.
 *
 * A hash takes long, and whatever is answered to somebody else meanwhile (another password, a lock,
 * the end of this session or of all) wins: see users_begin_change.
 *
 * Sessions that were ended are answered as ended even if the audit log could not be written; that
 * is logged. The other way round a disk that is full would keep people from signing out. */
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

/* All that a new password brings with it, in one transaction: either the password is set, written
 * down, and somebody signed in with it, or nothing has changed. The session comes last, for what it
 * purges may give the transaction up. */
static enum status finish(struct auth *auth, struct user_change *change,
                          const struct session_start *start, struct audit_event event,
                          struct sign_in *out)
{
    event.act = AUDIT_PASSWORD;
    event.user_id = change->user.id;
    event.user = text_of(change->user.name);
    event.address = start->address;
    enum status status = audit_note(&auth->audit, start->now_s, &event);
    if (status == OK) {
        status = device_new(&change->user, start->now_s, &out->device);
    }
    if (status == OK) {
        status = session_begin(&auth->sessions, &change->user, start, &out->token);
    }
    status = users_end_change(auth->store, change, status);
    if (status == OK) {
        out->trial = TRIAL_RIGHT;
        log_info("password set: %s", change->user.name);
    } else {
        secret_wipe(out, sizeof *out);
    }
    return status;
}

/* Sets the password if all is still as it was when the present one was found to be right. */
static enum status replace(struct auth *auth, const struct visitor *visitor,
                           const struct password_change *change,
                           const struct credential_change *wish, struct sign_in *out)
{
    struct session_data *data = NULL;
    struct user_change under_way = {0};
    enum status status = read_data(auth, visitor, &data);
    if (status == OK) {
        status = users_begin_change(auth->store, wish, &under_way);
    }
    if (status == OK) {
        const struct session_start start = {
            .now_s = change->now_s,
            .remember = visitor->session.remember,
            .address = change->origin.address,
            .agent = change->origin.agent,
            .kind = visitor->token.kind,
            .data = data,
        };
        status =
            finish(auth, &under_way, &start, (struct audit_event){.detail = TEXT("changed")}, out);
    }
    session_data_free(&data);
    secret_wipe(&under_way, sizeof under_way);
    return status;
}

static enum status hash_and_replace(struct auth *auth, const struct visitor *visitor,
                                    const struct password_change *change, const char *former,
                                    struct sign_in *out)
{
    char hash[PASSWORD_HASH_MAX] = "";
    const struct credential_change wish = {
        .user_id = visitor->session.user_id,
        .former = former,
        .hash = hash,
        .salt = visitor->session.salt,
        .session_key = visitor->session.key,
        .now_s = change->now_s,
    };
    enum status status = hashing_make(auth->config, auth->line, change->wanted, hash);
    if (status == OK) {
        status = replace(auth, visitor, change, &wish, out);
    } else if (status == ERR_BUSY) {
        out->trial = TRIAL_BUSY;
        status = OK;
    }
    secret_wipe(hash, sizeof hash);
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
    secret_wipe(out, sizeof *out);
    enum status status = attempt_run(auth, &attempt, &result);
    if (status == OK && result.trial == TRIAL_RIGHT) {
        status = hash_and_replace(auth, visitor, change, result.user.hash, out);
    } else if (status == OK) {
        out->trial = result.trial;
        out->wait_s = result.wait_s;
    }
    secret_wipe(&result, sizeof result);
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

/* The link is used up by now, so there is no trying again: who has used it is let in, whatever
 * becomes of the session that the browser had before, whose cookie is replaced in any case. */
static void end_former(struct auth *auth, const struct visitor *visitor)
{
    if (auth_end_former(auth, visitor) != OK) {
        log_warning("the session that a browser had before it used a link stays until it is idle");
    }
}

enum status account_use_link(struct auth *auth, const struct visitor *visitor,
                             const struct link_use *use, struct sign_in *out)
{
    const struct session_start start = {
        .now_s = use->now_s,
        .address = use->origin.address,
        .agent = use->origin.agent,
    };
    struct user_change change = {0};
    char hash[PASSWORD_HASH_MAX] = "";
    secret_wipe(out, sizeof *out);
    enum status status = links_find(auth->store, use->code, use->now_s, &change.user);
    if (status == OK) { /* nobody hashes for a link that is none */
        status = hashing_make(auth->config, auth->line, use->wanted, hash);
    }
    if (status == OK) {
        status = links_begin_use(auth->store, use->code, hash, use->now_s, &change);
    }
    if (status == OK) {
        const struct audit_event event = {.detail = TEXT("set on a link")};
        status = finish(auth, &change, &start, event, out);
    } else if (status == ERR_BUSY) {
        out->trial = TRIAL_BUSY;
        status = OK;
    }
    if (status == OK && out->trial == TRIAL_RIGHT) {
        end_former(auth, visitor);
    }
    secret_wipe(&change, sizeof change);
    secret_wipe(hash, sizeof hash);
    return status;
}
