/* Changing the own password.
 *
 * What is wrong with the new one is told before the present one is looked at: that says nothing
 * about the account, and costs nobody an attempt. All but the sentence is left as it was; nothing
 * that was typed comes back in the page. */
#include "web/change_password.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/own_account.h"
#include "base/secret.h"
#include "web/account.h"
#include "web/trial.h"

#define WRONG "That is not your present password. Nothing was changed."

#define NOTICE_S 60

/* Whether the password was changed a moment ago, as the query says: this session began with that.
 */
static bool has_changed(const struct visit *visit)
{
    return fields_has(visit->request->fields, "changed") &&
           visit->now_s - visit->visitor.session.created_s < NOTICE_S;
}

/* `typed` is the new password that was sent; NULL: none. How strong it is is told in the answer to
 * the form only: an address would be kept in logs. */
static void show(struct visit *visit, int status, const char *problem,
                 const struct new_password *typed)
{
    char least[24];
    (void)snprintf(least, sizeof least, "%" PRIu64, visit->site->config->password.min_length);
    const struct member members[] = {
        {"title", value_string("Change password")},
        {"at_password", value_bool(true)},
        {"user", value_string(visit->visitor.session.user)},
        {"least", value_string(least)},
        {"problem", value_string(problem)},
        {"changed", value_bool(problem == NULL && has_changed(visit))},
        {"strength", value_string(typed != NULL ? password_strength_word(typed->strength) : NULL)},
    };
    page_show(visit, status, "password", members, sizeof members / sizeof members[0]);
}

void password_get(struct visit *visit)
{
    if (account_enter(visit)) {
        show(visit, 200, NULL, NULL);
    }
}

bool password_read_new(const struct visit *visit, const struct user *user, struct new_password *out)
{
    struct text first = fields_get(visit->request->form, "new");
    struct text second = fields_get(visit->request->form, "again");
    *out = (struct new_password){.wanted = first};
    if (first.len != second.len || !secret_is_equal(first.data, second.data, first.len)) {
        (void)snprintf(out->problem, sizeof out->problem,
                       "The two new passwords are not the same. Please type them again.");
        return false;
    }
    return password_rules_check(visit->site->config, first, user, &out->strength, out->problem) ==
           ALLOW;
}

static void answer(struct visit *visit, enum status status, const struct sign_in *sign_in,
                   const struct new_password *typed)
{
    char sentence[TRIAL_SENTENCE_MAX];
    if (status == ERR_NOT_FOUND) { /* the session was ended meanwhile */
        page_sign_off(visit);
    } else if (status != OK) {
        page_fail(visit);
    } else if (sign_in->trial != TRIAL_RIGHT) {
        int shown = trial_tell(sign_in->trial, sign_in->wait_s, WRONG, sentence);
        show(visit, shown, sentence, typed);
        trial_add_wait(visit, sign_in->trial, sign_in->wait_s);
    } else if (page_set_token(visit, &sign_in->token, visit->visitor.session.remember) &&
               page_set_device(visit, &sign_in->device)) {
        page_redirect_below(visit, "/account/password?changed");
    }
}

void password_post(struct visit *visit)
{
    const struct session_row *session = &visit->visitor.session;
    struct new_password password;
    struct user user = {0}; /* the names alone */
    struct password_change change = {
        .current = fields_get(visit->request->form, "current"),
        .origin = page_origin(visit),
        .now_s = visit->now_s,
    };
    struct sign_in sign_in;
    if (!account_enter(visit)) {
        return;
    }
    memcpy(user.name, session->user, sizeof user.name);
    memcpy(user.display, session->display, sizeof user.display);
    bool is_good = password_read_new(visit, &user, &password);
    secret_wipe(&user, sizeof user);
    if (!is_good) {
        show(visit, 403, password.problem, &password);
        return;
    }
    change.wanted = password.wanted;
    enum status status =
        account_set_password(&visit->site->auth, &visit->visitor, &change, &sign_in);
    answer(visit, status, &sign_in, &password);
    secret_wipe(&sign_in, sizeof sign_in);
}
