/* Setting a password on a one-time link.
 *
 * To look at the page uses nothing up, for programs that check mail open links too. The code stands
 * in the address, as it must; the page sends it to nobody else (Referrer-Policy, no other host),
 * and the answer to the form leads away from it. Whoever uses the link is signed in then, with a
 * session that did not exist before. */
#include "web/link.h"

#include <inttypes.h>
#include <stdio.h>

#include "auth/own_account.h"
#include "base/secret.h"
#include "store/links.h"
#include "web/change_password.h"
#include "web/loop.h"
#include "web/trial.h"

#define STALE "This form was open for too long. Please try again."

static struct text get_code(const struct request *request)
{
    return fields_get(request->method == METHOD_POST ? request->form : request->fields, "code");
}

static void show(struct visit *visit, int status, const struct user *user, const char *problem,
                 const struct new_password *typed)
{
    char least[24];
    (void)snprintf(least, sizeof least, "%" PRIu64, visit->site->config->password.min_length);
    const struct member members[] = {
        {"title", value_string("Set your password")},
        {"user", value_string(user->name)},
        {"code", value_text(get_code(visit->request))},
        {"least", value_string(least)},
        {"problem", value_string(problem)},
        {"strength", value_string(typed != NULL ? password_strength_word(typed->strength) : NULL)},
    };
    page_show(visit, status, "link", members, sizeof members / sizeof members[0]);
}

/* One answer for links that were used, are too old, or never were. */
static void refuse(struct visit *visit)
{
    const struct member members[] = {
        {"title", value_string("This link is not good any more")},
        {"message", value_string("A link works once, and for a day. Please ask for a new one.")},
    };
    page_show(visit, 404, "error", members, sizeof members / sizeof members[0]);
}

/* The user that the link is for. False: the answer is made. */
static bool find_user(struct visit *visit, struct user *user)
{
    enum status status =
        links_find(visit->site->auth.store, get_code(visit->request), visit->now_s, user);
    if (status == ERR_NOT_FOUND) {
        refuse(visit);
    } else if (status != OK) {
        page_fail(visit);
    }
    return status == OK;
}

static void show_form(struct visit *visit, int status, const char *problem)
{
    struct user user = {0};
    if (find_user(visit, &user)) {
        show(visit, status, &user, problem, NULL);
    }
    secret_wipe(&user, sizeof user);
}

void link_get(struct visit *visit)
{
    show_form(visit, 200, NULL);
}

void link_stale(struct visit *visit)
{
    char cause[LOOP_SENTENCE_MAX];
    bool lost = loop_explain(visit, true, cause);
    show_form(visit, 403, lost ? cause : STALE);
}

static void use_link(struct visit *visit, const struct user *user, const struct new_password *typed)
{
    char sentence[TRIAL_SENTENCE_MAX];
    const struct link_use use = {
        .code = get_code(visit->request),
        .wanted = typed->wanted,
        .origin = page_origin(visit),
        .now_s = visit->now_s,
    };
    struct sign_in sign_in;
    enum status status = account_use_link(&visit->site->auth, &visit->visitor, &use, &sign_in);
    if (status == ERR_NOT_FOUND) {
        refuse(visit);
    } else if (status != OK) {
        page_fail(visit);
    } else if (sign_in.trial != TRIAL_RIGHT) {
        int shown = trial_tell(sign_in.trial, sign_in.wait_s, "", sentence);
        show(visit, shown, user, sentence, typed);
    } else if (page_set_token(visit, &sign_in.token, false) &&
               page_set_device(visit, &sign_in.device)) {
        page_redirect_below(visit, "/account");
    }
    secret_wipe(&sign_in, sizeof sign_in);
}

void link_post(struct visit *visit)
{
    struct user user = {0};
    struct new_password password;
    if (find_user(visit, &user)) {
        if (password_read_new(visit, &user, &password)) {
            use_link(visit, &user, &password);
        } else {
            show(visit, 403, &user, password.problem, &password);
        }
    }
    secret_wipe(&user, sizeof user);
}
