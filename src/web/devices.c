/* Where the user is signed in.
 *
 * A session is called by the first half of a digest of its token's id: nothing that could be sent
 * in a cookie. Whether it is the visitor's own is asked again when it is to be ended; somebody
 * else's answers like one that is not there.
 *
 * To end sessions takes a sign-in of the last minutes, or the password once more: who finds a
 * screen unlocked shall not shut its owner out everywhere. */
#include "web/devices.h"

#include <stdio.h>

#include "auth/attempt.h"
#include "auth/own_account.h"
#include "base/clock.h"
#include "base/secret.h"
#include "session/administer.h"
#include "web/account.h"
#include "web/trial.h"

#define DEVICES_SHOWN_MAX 50 /* what fits into a page, and more than anybody looks through */
#define DEVICE_MEMBERS    8

#define ASK   "Your sign-in was a while ago. To be sure that it is you, please give your password."
#define WRONG "That is not your password. Nothing was changed."

/* One line of the list. */
struct device {
    char id[SESSION_ID_LEN + 1];
    char browser[AGENT_WORDS_MAX];
    char address[SESSION_ADDRESS_MAX + 1];
    char since[CLOCK_TEXT_MAX], since_ago[CLOCK_TEXT_MAX];
    char seen_ago[CLOCK_TEXT_MAX];
    struct member members[DEVICE_MEMBERS];
};

struct list {
    const struct visit *visit;
    struct device *devices; /* in the request's arena */
    size_t count;
    bool has_more; /* than fit */
};

static bool add_device(void *context, const struct session_row *row)
{
    struct list *list = context;
    const struct visit *visit = list->visit;
    bool is_own = secret_is_equal(row->key, visit->visitor.session.key, sizeof row->key);
    if (list->count == DEVICES_SHOWN_MAX) {
        list->has_more = true;
        return false;
    }
    struct device *device = &list->devices[list->count++];
    session_print_id(row->key, device->id);
    agent_describe(text_of(row->agent), device->browser);
    (void)snprintf(device->address, sizeof device->address, "%s", row->address);
    clock_print(row->created_s, device->since);
    clock_print_ago(row->created_s, visit->now_s, device->since_ago);
    clock_print_ago(is_own ? visit->now_s : row->seen_s, visit->now_s, device->seen_ago);
    const struct member members[DEVICE_MEMBERS] = {
        {"id", value_string(device->id)},
        {"browser", value_string(device->browser)},
        {"address", value_string(device->address)},
        {"since", value_string(device->since)},
        {"since_ago", value_string(device->since_ago)},
        {"seen_ago", value_string(device->seen_ago)},
        {"own", value_bool(is_own)},
        {"other", value_bool(!is_own)},
    };
    memcpy(device->members, members, sizeof members);
    return true;
}

static void show(struct visit *visit, int status, const char *problem)
{
    struct arena *arena = visit->request->arena;
    struct list list = {
        .visit = visit,
        .devices = arena_get_array(arena, DEVICES_SHOWN_MAX, sizeof *list.devices),
    };
    struct value *items = arena_get_array(arena, DEVICES_SHOWN_MAX, sizeof *items);
    if (list.devices == NULL || items == NULL ||
        administer_list(&visit->site->auth.sessions, visit->visitor.session.user_id, visit->now_s,
                        add_device, &list) != OK) {
        page_fail(visit);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        items[i] = value_map(list.devices[i].members, DEVICE_MEMBERS);
    }
    bool has_ended = problem == NULL && fields_has(visit->request->fields, "ended");
    const struct member members[] = {
        {"title", value_string("Devices")},         {"at_devices", value_bool(true)},
        {"devices", value_list(items, list.count)}, {"more", value_bool(list.has_more)},
        {"ended", value_bool(has_ended)},           {"problem", value_string(problem)},
    };
    page_show(visit, status, "devices", members, sizeof members / sizeof members[0]);
}

void devices_get(struct visit *visit)
{
    if (account_enter(visit)) {
        show(visit, 200, NULL);
    }
}

/* What the form wants: one session, or all. */
struct wish {
    struct text id;
    bool all;
};

static void show_question(struct visit *visit, int status, const struct wish *wish,
                          const char *problem)
{
    const struct member members[] = {
        {"title", value_string("Is it you?")},
        {"user", value_string(visit->visitor.session.user)},
        {"id", value_text(wish->id)},
        {"all", value_bool(wish->all)},
        {"question", value_string(problem == NULL ? ASK : NULL)},
        {"problem", value_string(problem)},
    };
    page_show(visit, status, "confirm", members, sizeof members / sizeof members[0]);
}

/* Whether the sign-in is of the last minutes, or the password was given and is right. False: the
 * answer is made. */
static bool is_sure(struct visit *visit, const struct origin *origin, const struct wish *wish)
{
    const struct session_row *session = &visit->visitor.session;
    const struct attempt attempt = {
        .name = text_of(session->user),
        .password = fields_get(visit->request->form, "current"),
        .origin = origin,
        .now_s = visit->now_s,
        .act = AUDIT_REVOKE,
    };
    struct attempt_result result;
    char sentence[TRIAL_SENTENCE_MAX];
    if (visit->now_s - session->created_s < AUTH_FRESH_S) {
        return true;
    }
    if (attempt.password.data == NULL) {
        show_question(visit, 403, wish, NULL);
        return false;
    }
    enum status status = attempt_run(&visit->site->auth, &attempt, &result);
    const enum trial trial = result.trial;
    const int64_t wait_s = result.wait_s;
    bool right = status == OK && result.trial == TRIAL_RIGHT && result.user.id == session->user_id;
    secret_wipe(&result, sizeof result);
    if (status != OK) {
        page_fail(visit);
    } else if (!right) {
        int shown = trial_tell(trial, wait_s, WRONG, sentence);
        show_question(visit, shown, wish, sentence);
        trial_add_wait(visit, trial, wait_s);
    }
    return right;
}

static void end_one(struct visit *visit, const struct origin *origin, struct text id)
{
    const struct session_choice choice = {.id = id, .origin = *origin, .now_s = visit->now_s};
    bool own = false;
    enum status status = account_end_session(&visit->site->auth, &visit->visitor, &choice, &own);
    if (status == ERR_NOT_FOUND || status == ERR_INPUT) {
        show(visit, 404, "You are not signed in there any more.");
    } else if (status != OK) {
        page_fail(visit);
    } else if (own) {
        page_sign_off(visit);
    } else {
        page_redirect_below(visit, "/account/sessions?ended");
    }
}

void devices_post(struct visit *visit)
{
    const struct fields form = visit->request->form;
    const struct wish wish = {.id = fields_get(form, "id"), .all = fields_has(form, "all")};
    if (!account_enter(visit)) {
        return;
    }
    if (wish.all == (wish.id.data != NULL)) {
        page_error(visit->site, 400, visit->response);
        return;
    }
    const struct origin origin = page_origin(visit);
    if (!is_sure(visit, &origin, &wish)) {
        return;
    }
    if (!wish.all) {
        end_one(visit, &origin, wish.id);
    } else if (account_end_all(&visit->site->auth, &visit->visitor, &origin, visit->now_s) == OK) {
        page_sign_off(visit);
    } else {
        page_fail(visit);
    }
}
