/* What the signed-in user may know of the own account and session. */
#include "web/account.h"

#include "base/clock.h"
#include "base/json.h"
#include "web/return_target.h"

#define GROUPS_SHOWN_MAX 64

static size_t split_groups(const struct session_row *session, struct value out[GROUPS_SHOWN_MAX])
{
    struct text rest = text_of(session->groups);
    size_t count = 0;
    while (rest.len > 0 && count < GROUPS_SHOWN_MAX) {
        out[count++] = value_text(text_cut(&rest, ','));
    }
    return count;
}

bool account_enter(struct visit *visit)
{
    const struct visitor *visitor = &visit->visitor;
    bool is_page = visit->request->method != METHOD_POST;
    /* A form that is at hand is answered first; the page after it renews the token. */
    if (visitor->signed_in &&
        !(is_page && session_is_due(&visit->site->auth.sessions, &visitor->token, &visitor->session,
                                    visit->now_s))) {
        return true;
    }
    return_target_ask(visit->request, visit->site->config, 303, visit->response);
    return false;
}

void account_stale(struct visit *visit)
{
    page_error(visit->site, 403, visit->response);
}

void account_get(struct visit *visit)
{
    struct session_row *session = &visit->visitor.session;
    struct value groups[GROUPS_SHOWN_MAX];
    char since[CLOCK_TEXT_MAX];
    char until[CLOCK_TEXT_MAX];
    if (!account_enter(visit)) {
        return;
    }
    if (session_describe(&visit->site->auth.sessions, session) != OK) {
        page_fail(visit);
        return;
    }
    size_t count = split_groups(session, groups);
    clock_print(session->created_s, since);
    clock_print(session_end_s(session), until);
    const struct member members[] = {
        {"title", value_string("Your account")},
        {"at_account", value_bool(true)},
        {"display", value_string(session_display(session))},
        {"user", value_string(session->user)},
        {"email", value_string(session->email)},
        {"has_groups", value_bool(count > 0)},
        {"groups", value_list(groups, count)},
        {"since", value_string(since)},
        {"until", value_string(until)},
        {"address", value_string(session->address)},
        {"remember", value_bool(session->remember)},
    };
    page_show(visit, 200, "account", members, sizeof members / sizeof members[0]);
}

static void print_json(const struct session_row *session, struct buffer *out)
{
    struct json json = json_open(out);
    json_add_text(&json, "user", text_of(session->user));
    json_add_text(&json, "name", text_of(session_display(session)));
    json_add_words(&json, "groups", text_of(session->groups));
    json_add_number(&json, "expires", session_end_s(session));
    json_close(&json);
    buffer_add_string(out, "\n");
}

void account_session(struct visit *visit)
{
    struct response *response = visit->response;
    response_add_header(response, "Content-Type", TEXT("application/json"));
    if (visit->visitor.signed_in) {
        print_json(&visit->visitor.session, &response->body);
        response->status = 200;
    } else {
        buffer_add_string(&response->body, "{\"user\":null}\n");
        response->status = 401;
    }
}
