/* Recent activity: the audit log's last rows about the own account, in words. Failures are shown
 * beside what went well, for they tell users that somebody tries their name (ASVS 5.0 §6.3.5). */
#include "web/activity.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/audit.h"
#include "web/account.h"

#define EVENTS_SHOWN_MAX 40
#define EVENT_MEMBERS    6

static const char *const words[AUDIT_ACTS][AUDIT_OUTCOMES] = {
    [AUDIT_SIGN_IN] = {"Signed in", "A sign-in failed"},
    [AUDIT_SIGN_OUT] = {"Signed out", "A sign-out failed"},
    [AUDIT_PASSWORD] = {"Password set", "A change of the password failed"},
    [AUDIT_LINK] = {"A link to set a password was made", "A link to set a password was refused"},
    [AUDIT_USER] = {"Account changed", "A change of the account failed"},
    [AUDIT_LOCK] = {"Account locked or unlocked", "A lock failed"},
    [AUDIT_REVOKE] = {"Session ended", "Ending a session failed"},
    [AUDIT_SECRET] = {"The site's secret was changed", "A change of the site's secret failed"},
    [AUDIT_IMPORT] = {"Account imported", "An import failed"},
    [AUDIT_THROTTLE] = {"Waiting time changed", "Too many attempts: a waiting time began"},
};

/* One line of the list. */
struct event {
    char when[CLOCK_TEXT_MAX], ago[CLOCK_TEXT_MAX];
    struct audit_row row;
    struct member members[EVENT_MEMBERS];
};

struct list {
    const struct visit *visit;
    struct event *events; /* in the request's arena */
    size_t count;
};

/* The words for a row; what it says itself when a newer program wrote it. */
static const char *describe(const struct audit_row *row)
{
    for (size_t act = 0; act < AUDIT_ACTS; act++) {
        for (size_t outcome = 0; outcome < AUDIT_OUTCOMES; outcome++) {
            if (strcmp(row->act, audit_act_word((enum audit_act)act)) == 0 &&
                strcmp(row->outcome, audit_outcome_word((enum audit_outcome)outcome)) == 0) {
                return words[act][outcome];
            }
        }
    }
    return row->act;
}

static bool add_event(void *context, const struct audit_row *row)
{
    struct list *list = context;
    struct event *event = &list->events[list->count++];
    event->row = *row;
    clock_print(row->at_s, event->when);
    clock_print_ago(row->at_s, list->visit->now_s, event->ago);
    bool refused = strcmp(row->outcome, audit_outcome_word(AUDIT_REFUSED)) == 0;
    const struct member members[EVENT_MEMBERS] = {
        {"what", value_string(describe(&event->row))},
        {"detail", value_string(event->row.detail)},
        {"address", value_string(event->row.address)},
        {"when", value_string(event->when)},
        {"ago", value_string(event->ago)},
        {"refused", value_bool(refused)},
    };
    memcpy(event->members, members, sizeof members);
    return list->count < EVENTS_SHOWN_MAX;
}

void activity_get(struct visit *visit)
{
    struct arena *arena = visit->request->arena;
    struct list list = {.visit = visit};
    if (!account_enter(visit)) {
        return;
    }
    list.events = arena_get_array(arena, EVENTS_SHOWN_MAX, sizeof *list.events);
    struct value *items = arena_get_array(arena, EVENTS_SHOWN_MAX, sizeof *items);
    if (list.events == NULL || items == NULL ||
        audit_list_last(visit->site->auth.store, visit->visitor.session.user_id, EVENTS_SHOWN_MAX,
                        add_event, &list) != OK) {
        page_fail(visit);
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        items[i] = value_map(list.events[i].members, EVENT_MEMBERS);
    }
    const struct member members[] = {
        {"title", value_string("Recent activity")},
        {"at_activity", value_bool(true)},
        {"events", value_list(items, list.count)},
        {"is_kept", value_bool(visit->site->config->log.audit)},
    };
    page_show(visit, 200, "activity", members, sizeof members / sizeof members[0]);
}
