/* The login page: a form, and one answer to whatever was wrong with it.
 *
 * A failed try changes nothing: the token that came stays, so an existing session does too. A
 * successful one always gives a new token, never one that the browser came with, so that nobody can
 * plant one before (session fixation). */
#include "web/login.h"

#include "base/secret.h"
#include "web/loop.h"
#include "web/return_target.h"
#include "web/trial.h"

#define WRONG "That user name and password do not go together. Please check both and try again."
#define STALE "This form was open for too long. Please try again."

/* Only who is led back to a page can go round in circles; the account page is our own. */
static void go_on(struct visit *visit)
{
    struct text target = return_target_get(visit->request, visit->site->config);
    if (target.len > 0) {
        loop_note(visit);
        response_redirect(visit->response, 303, target);
    } else {
        page_redirect_below(visit, "/account");
    }
}

/* What was typed may stand in the field again, if it could be a user name at all. */
static struct text typed_name(const struct request *request)
{
    struct text name = fields_get(request->form, "username");
    return user_name_is_valid(name) ? name : (struct text){0};
}

static bool wants_remembering(const struct request *request)
{
    struct text value = fields_get(request->form, "remember");
    return value.len > 0 && !text_is(value, "0");
}

static void show(struct visit *visit, int status, const char *problem)
{
    const struct request *request = visit->request;
    const struct member members[] = {
        {"title", value_string("Sign in")},
        {"next", value_text(return_target_get(request, visit->site->config))},
        {"username", value_text(typed_name(request))},
        {"remember", value_bool(wants_remembering(request))},
        {"problem", value_string(problem)},
        {"signed_out", value_bool(problem == NULL && fields_has(request->fields, "signed-out"))},
    };
    page_show(visit, status, "login", members, sizeof members / sizeof members[0]);
}

/* Renews the token when it is time. False: the answer is made. It is an error then, for to send the
 * browser on with the former token would make the gate send it back here, without end. */
static bool renew(struct visit *visit)
{
    struct visitor *visitor = &visit->visitor;
    struct auth *auth = &visit->site->auth;
    const struct origin origin = page_origin(visit);
    const struct session_start start = {
        .now_s = visit->now_s,
        .address = origin.address,
        .agent = origin.agent,
    };
    struct token token = {0};
    bool renewed = false;
    if (!session_is_due(&auth->sessions, &visitor->token, &visitor->session, visit->now_s)) {
        return true;
    }
    bool keep = visitor->session.remember;
    bool done = auth_renew(auth, visitor, &start, &renewed, &token) == OK;
    if (!done) {
        page_fail(visit);
    } else if (renewed) {
        done = page_set_token(visit, &token, keep);
    }
    token_wipe(&token);
    return done;
}

void login_get(struct visit *visit)
{
    char cause[LOOP_SENTENCE_MAX];
    if (visit->visitor.signed_in && !renew(visit)) {
        return;
    }
    bool has_target = return_target_get(visit->request, visit->site->config).len > 0;
    if (visit->visitor.signed_in && has_target && loop_is_closed(visit)) {
        loop_show(visit);
    } else if (visit->visitor.signed_in) {
        go_on(visit);
    } else {
        bool lost = loop_explain(visit, false, cause);
        show(visit, 200, lost ? cause : NULL);
    }
}

void login_stale(struct visit *visit)
{
    char cause[LOOP_SENTENCE_MAX];
    bool lost = loop_explain(visit, true, cause);
    show(visit, 403, lost ? cause : STALE);
}

static void welcome(struct visit *visit, const struct sign_in *sign_in, bool remember)
{
    if (page_set_token(visit, &sign_in->token, remember) &&
        page_set_device(visit, &sign_in->device)) {
        go_on(visit);
    }
}

static void answer(struct visit *visit, const struct sign_in *sign_in, bool remember)
{
    char sentence[TRIAL_SENTENCE_MAX];
    if (sign_in->trial == TRIAL_RIGHT) {
        welcome(visit, sign_in, remember);
        return;
    }
    int status = trial_tell(sign_in->trial, sign_in->wait_s, WRONG, sentence);
    show(visit, status, sentence);
    trial_add_wait(visit, sign_in->trial, sign_in->wait_s);
}

void login_post(struct visit *visit)
{
    const struct request *request = visit->request;
    const struct credentials credentials = {
        .name = fields_get(request->form, "username"),
        .password = fields_get(request->form, "password"),
        .origin = page_origin(visit),
        .now_s = visit->now_s,
        .remember = wants_remembering(request),
    };
    struct sign_in sign_in;
    enum status status = auth_sign_in(&visit->site->auth, &credentials, &visit->visitor, &sign_in);
    if (status != OK) {
        page_fail(visit);
    } else {
        answer(visit, &sign_in, credentials.remember);
    }
    secret_wipe(&sign_in, sizeof sign_in);
}
