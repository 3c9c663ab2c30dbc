/* latchkey session: who is signed in, and ending it. */
#include <stdio.h>

#include "base/clock.h"
#include "base/secret.h"
#include "cli/audited.h"
#include "cli/listing.h"
#include "session/administer.h"

#define OBJECT_MAX 4096 /* six times all that is shown of a session, for escapes */

static const struct listing_column columns[] = {
    {"ID", -16},      {"USER", -20}, {"SINCE", -23}, {"ENDS", -23},
    {"ADDRESS", -15}, {"AGENT", 0},  {NULL, 0},
};

static bool print_json(struct listing *listing, const struct session_row *row, const char *id)
{
    struct buffer object;
    buffer_init(&object, OBJECT_MAX);
    struct json json = json_open(&object);
    json_add_text(&json, "id", text_of(id));
    json_add_text(&json, "user", text_of(row->user));
    json_add_number(&json, "created", row->created_s);
    json_add_number(&json, "seen", row->seen_s);
    json_add_number(&json, "expires", session_end_s(row));
    json_add_text(&json, "address", text_of(row->address));
    json_add_text(&json, "agent", text_of(row->agent));
    json_add_bool(&json, "remember", row->remember);
    json_close(&json);
    return listing_add_json(listing, &object);
}

static bool print_session(void *context, const struct session_row *row)
{
    struct listing *listing = context;
    char id[SESSION_ID_LEN + 1];
    char since[CLOCK_TEXT_MAX];
    char until[CLOCK_TEXT_MAX];
    session_print_id(row->key, id);
    if (listing->json) {
        return print_json(listing, row, id);
    }
    clock_print(row->created_s, since);
    clock_print(session_end_s(row), until);
    const char *const cells[] = {id, row->user, since, until, row->address, row->agent};
    listing_add_row(listing, columns, cells);
    return true;
}

/* The stores of sessions beside the database that the command has open. */
static enum status open_sessions(const struct invocation *invocation, struct sessions *out)
{
    return sessions_open(invocation->config, invocation->store, STORE_ROLE_ADMIN, false, out);
}

int session_list_run(struct invocation *invocation)
{
    struct sessions sessions = {0};
    struct user user = {0};
    int64_t now_s = 0;
    if (invocation->options.operand_count > 0) {
        int result = command_find_user(invocation, &user);
        if (result != EXIT_DONE) {
            return result;
        }
    }
    struct listing listing = listing_init(&invocation->options);
    enum status status = clock_get(&now_s);
    if (status == OK) {
        status = open_sessions(invocation, &sessions);
    }
    if (status == OK) {
        status = administer_list(&sessions, user.id, now_s, print_session, &listing);
    }
    sessions_close(&sessions);
    secret_wipe(&user, sizeof user);
    return command_finish(listing_close(&listing, status, "Nobody is signed in."));
}

static void note_end(const struct invocation *invocation, const struct session_row *row)
{
    char id[SESSION_ID_LEN + 1];
    char detail[SESSION_ID_LEN + 10];
    session_print_id(row->key, id);
    (void)snprintf(detail, sizeof detail, "session %s", id);
    const struct audit_event event = {
        .act = AUDIT_REVOKE,
        .outcome = AUDIT_DONE,
        .user_id = row->user_id,
        .user = text_of(row->user),
        .detail = text_of(detail),
    };
    audited_note(invocation, &event);
}

int session_revoke_run(struct invocation *invocation)
{
    struct text id = text_of(invocation->options.operands[0]);
    struct sessions sessions = {0};
    struct session_row ended = {0};
    enum status status = open_sessions(invocation, &sessions);
    if (status == OK) {
        status = administer_end(&sessions, 0, id, &ended);
    }
    sessions_close(&sessions);
    if (status == OK) {
        note_end(invocation, &ended);
    }
    secret_wipe(&ended, sizeof ended);
    if (status == ERR_INPUT) {
        return command_fail("that is no session id: %d hex digits, as `latchkey session list` "
                            "shows them",
                            SESSION_ID_LEN);
    }
    if (status == ERR_NOT_FOUND) {
        return command_fail("there is no session of that id; see `latchkey session list`");
    }
    if (status == OK) {
        (void)puts("The session has ended.");
    }
    return command_finish(status);
}

static int end_all(const struct invocation *invocation, const struct user *user)
{
    struct sessions sessions = {0};
    int64_t ended = 0;
    enum status status = open_sessions(invocation, &sessions);
    if (status == OK) {
        status = administer_end_all(&sessions, user->id, &ended);
    }
    sessions_close(&sessions);
    if (status == OK) {
        audited_note_user(invocation, AUDIT_REVOKE, user, "all sessions");
        (void)printf("%lld session%s ended.\n", (long long)ended, ended == 1 ? "" : "s");
    }
    return command_finish(status);
}

int session_revoke_user_run(struct invocation *invocation)
{
    struct user user = {0};
    int result = command_find_user(invocation, &user);
    if (result == EXIT_DONE) {
        result = end_all(invocation, &user);
    }
    secret_wipe(&user, sizeof user);
    return result;
}

int session_revoke_all_run(struct invocation *invocation)
{
    const struct user everybody = {0};
    return end_all(invocation, &everybody);
}

int session_purge_run(struct invocation *invocation)
{
    struct sessions sessions = {0};
    int64_t now_s = 0;
    int64_t removed = 0;
    enum status status = clock_get(&now_s);
    if (status == OK) {
        status = open_sessions(invocation, &sessions);
    }
    if (status == OK) {
        status = administer_purge(&sessions, now_s, &removed);
    }
    sessions_close(&sessions);
    if (status == OK) {
        (void)printf("%lld session%s that had ended %s removed.\n", (long long)removed,
                     removed == 1 ? "" : "s", removed == 1 ? "was" : "were");
    }
    return command_finish(status);
}
