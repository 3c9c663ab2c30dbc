/* What all stores have in common: the limits in time and the token.
 *
 * Invariants: a session's token id is random and new at each sign-in, so that no one can fix it
 * before; the store sees the id's digest only; both limits are judged here and nowhere else, with
 * the same clock for all stores. Times of day may step: a session whose beginning or last use lies
 * more than CLOCK_SKEW_S ahead of the clock is not accepted, for its limits could not be trusted.
 */
#include "session/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "session/backend_database.h"

/* Uses are written this seldom: a twentieth of the idle limit, but no less often than each minute,
 * so that a check stays a read. */
#define TOUCH_PART      20
#define TOUCH_AT_MOST_S 60

static const struct session_backend *const backends[] = {
    [SESSION_STORE_DATABASE] = &session_backend_database,
};

static const char *const store_names[] = {
    [SESSION_STORE_DATABASE] = "database",
    [SESSION_STORE_CACHE] = "cache",
    [SESSION_STORE_COOKIE] = "cookie",
};

enum status sessions_open(const struct config *config, struct store *store, struct sessions *out)
{
    size_t wanted = config->session.store;
    if (wanted < sizeof backends / sizeof backends[0] && backends[wanted] != NULL) {
        *out = (struct sessions){backends[wanted], config, store};
        return OK;
    }
    log_error("%s: session.store = %s is not available in this version; set it to database",
              config->path != NULL ? config->path : "configuration", store_names[wanted]);
    return ERR_INPUT;
}

/* Copies what a client sent into a row: printable ASCII only, cut at the room there is. */
static void copy_printable(char *out, size_t room, struct text text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len + 1 < room; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        out[len++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
    }
    out[len] = '\0';
}

enum status session_begin(const struct sessions *sessions, const struct user *user,
                          const struct session_start *start, struct token *out)
{
    const struct config *config = sessions->config;
    int64_t now_s = start->now_s;
    bool remember = start->remember;
    struct session_row row = {
        .user_id = user->id,
        .created_s = now_s,
        .seen_s = now_s,
        .idle_s = remember ? config->session.remember_s : config->session.idle_s,
        .expires_s = now_s + (remember ? config->session.remember_s : config->session.lifetime_s),
        .remember = remember,
    };
    struct token token = {0};
    memcpy(row.salt, user->salt, sizeof row.salt);
    copy_printable(row.address, sizeof row.address, start->address);
    copy_printable(row.agent, sizeof row.agent, start->agent);

    enum status status = token_new(TOKEN_STORED, now_s, &token);
    if (status == OK) {
        status = token_digest(&token, row.key);
    }
    if (status == OK) {
        status = sessions->backend->add(sessions->store, &row);
    }
    if (status == OK) {
        *out = token;
        if (sessions->backend->purge(sessions->store, now_s) != OK) {
            log_warning(
                "sessions that are over could not be removed now; the next sign-in tries again");
        }
    }
    secret_wipe(&token, sizeof token);
    secret_wipe(&row, sizeof row);
    return status;
}

static bool is_alive(const struct session_row *row, int64_t now_s)
{
    if (row->created_s > now_s + CLOCK_SKEW_S || row->seen_s > now_s + CLOCK_SKEW_S) {
        log_warning(
            "a session of user %s was last used in the future: refused; is the clock right?",
            row->user);
        return false;
    }
    return now_s < session_end_s(row);
}

static void note_use(const struct sessions *sessions, struct session_row *row, int64_t now_s)
{
    int64_t pause_s = row->idle_s / TOUCH_PART;
    if (pause_s > TOUCH_AT_MOST_S) {
        pause_s = TOUCH_AT_MOST_S;
    }
    if (now_s - row->seen_s < pause_s || now_s <= row->seen_s) {
        return;
    }
    if (sessions->backend->touch(sessions->store, row->key, now_s) == OK) {
        row->seen_s = now_s;
    }
}

enum status session_find(const struct sessions *sessions, const struct token *token, int64_t now_s,
                         struct session_row *out)
{
    uint8_t key[SESSION_KEY_BYTES];
    struct session_row row = {0};
    if (token->kind != TOKEN_STORED) {
        return ERR_NOT_FOUND;
    }
    enum status status = token_digest(token, key);
    if (status == OK) {
        status = sessions->backend->find(sessions->store, key, &row);
    }
    if (status == OK && !is_alive(&row, now_s)) {
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        note_use(sessions, &row, now_s);
        *out = row;
    }
    secret_wipe(&row, sizeof row);
    return status;
}

int64_t session_end_s(const struct session_row *session)
{
    int64_t rest_s = session->expires_s - session->seen_s;
    return session->idle_s < rest_s ? session->seen_s + session->idle_s : session->expires_s;
}

const char *session_display(const struct session_row *session)
{
    return session->display[0] != '\0' ? session->display : session->user;
}

enum status session_end(const struct sessions *sessions, const struct token *token)
{
    uint8_t key[SESSION_KEY_BYTES];
    if (token->kind != TOKEN_STORED) {
        return OK;
    }
    enum status status = token_digest(token, key);
    if (status == OK) {
        status = sessions->backend->remove(sessions->store, key);
    }
    return status;
}
