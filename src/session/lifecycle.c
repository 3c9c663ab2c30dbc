/* How sessions begin, go on and end.
 *
 * Invariants: a session's token id is random and new at each sign-in, so that no one can fix it
 * before; the stores see the id's digest only. A session keeps its id for life, whatever kind of
 * token it travels in, so that one revocation ends every copy of every token of it. */
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "session/backend.h"
#include "session/remember.h"
#include "session/session.h"
#include "session/uses.h"
#include "store/revocations.h"

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

static void set_origin(struct session_row *row, const struct session_start *start)
{
    copy_printable(row->address, sizeof row->address, start->address);
    copy_printable(row->agent, sizeof row->agent, start->agent);
}

/* Each sign-in looks at a few old things, so that nothing has to do it by the clock. */
static void purge(const struct sessions *sessions, int64_t now_s)
{
    if (sessions->backend->purge(sessions, now_s) != OK ||
        revocations_purge(sessions->store, now_s) != OK) {
        log_warning(
            "sessions that are over could not be removed now; the next sign-in tries again");
    }
}

enum status session_begin(const struct sessions *sessions, const struct user *user,
                          const struct session_start *start, struct token *out)
{
    const struct config *config = sessions->config;
    const struct session_backend *former = session_backend_find(start->kind);
    const struct session_backend *backend = former != NULL ? former : sessions->backend;
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
    set_origin(&row, start);
    enum status status = token_new(backend->kind, now_s, &token);
    token_digest(&token, row.key);
    if (status == OK && backend->fill != NULL) {
        status = backend->fill(sessions, &row, &token);
    }
    if (status == OK) {
        status = backend->add(sessions, &row);
    }
    if (status == OK && start->data != NULL) {
        status = remember_hand_on(sessions, start->data, &row, &token);
    }
    if (status == OK) {
        token_copy(out, &token);
        purge(sessions, now_s);
    }
    secret_wipe(&token, sizeof token); /* its body may have been another */
    secret_wipe(&row, sizeof row);
    return status;
}

bool session_is_due(const struct sessions *sessions, const struct token *token,
                    const struct session_row *row, int64_t now_s)
{
    if (now_s < token->issued_s + (row->idle_s + 1) / 2) { /* never at once */
        return false;
    }
    return token->kind != sessions->backend->kind ||
           (token->kind == TOKEN_SEALED && row->seen_s + row->idle_s < row->expires_s);
}

/* Makes sure that the store of new sessions has this one, and knows that it is used. A session that
 * stays in its cookie goes on without that, for its row is a record only. */
static enum status keep(const struct sessions *sessions, const struct token *token,
                        const struct session_row *row)
{
    const struct session_backend *backend = sessions->backend;
    struct session_use use = {.seen_s = row->seen_s};
    bool is_record = backend->rows == NULL && token->kind == backend->kind;
    enum status status = backend->add(sessions, row);
    if (status == ERR_STORE && is_record) {
        log_warning("the renewal of a session could not be recorded");
        return OK;
    }
    if (status != ERR_EXISTS) {
        return status;
    }
    memcpy(use.key, row->key, sizeof use.key);
    struct store *store = backend->rows != NULL ? backend->rows(sessions) : sessions->store;
    if (sessions_touch(store, &use, 1) != OK) {
        log_warning("the renewal of a session could not be recorded");
    }
    return OK;
}

enum status session_renew(const struct sessions *sessions, const struct token *token,
                          const struct session_row *row, const struct session_start *start,
                          struct token *out)
{
    const struct session_backend *backend = sessions->backend;
    struct session_row renewed = *row;
    struct token fresh = {.kind = backend->kind, .issued_s = start->now_s};
    memcpy(fresh.id, token->id, sizeof fresh.id);
    renewed.seen_s = start->now_s;
    set_origin(&renewed, start);
    enum status status = keep(sessions, token, &renewed);
    if (status == OK && backend->fill != NULL) {
        status = backend->fill(sessions, &renewed, &fresh);
    }
    if (status == OK) {
        status = remember_carry(sessions, token, &renewed, &fresh);
    }
    if (status == ERR_TOO_LARGE) {
        /* Only rows can hold that much, and a token of a session in rows has no body. */
        log_info("a session remembers more than a cookie holds: it stays where it is");
        fresh.kind = token->kind;
        fresh.body_len = 0;
        status = OK;
    }
    if (status == OK) {
        token_copy(out, &fresh);
    }
    secret_wipe(&fresh, sizeof fresh); /* its body may have been longer */
    secret_wipe(&renewed, sizeof renewed);
    return status;
}

void session_tell_left_over(enum status status)
{
    if (status != OK) {
        log_warning("sessions that have ended could not be taken out of the cache; they count for "
                    "nothing there");
    }
}

static enum status remove_beside(const struct sessions *sessions,
                                 const uint8_t key[SESSION_KEY_BYTES])
{
    bool has_cache = false;
    enum status status = store_exists(sessions->cache, &has_cache);
    return status == OK && has_cache ? sessions_remove(sessions->cache, key) : status;
}

/* A cache that turned out to be damaged is gone, and must not be made anew for the asking. */
static enum status find_beside(const struct sessions *sessions,
                               const uint8_t key[SESSION_KEY_BYTES])
{
    struct session_row row = {0};
    bool has_cache = false;
    enum status status = store_exists(sessions->cache, &has_cache);
    if (status == OK) {
        status = has_cache ? sessions_find(sessions->cache, key, &row) : ERR_NOT_FOUND;
    }
    secret_wipe(&row, sizeof row);
    return status;
}

/* What lies beside the database is not part of its transaction: it goes after the revocation, and
 * what is written there at the same time finds that one. A session may have a row there whatever
 * kind of token was sent.
 *
 * A row that stays is alive again for whoever has forgotten the revocation, by a clock that went
 * ahead and back, so the revocation must not be forgotten then. */
enum status session_end_beside(const struct sessions *sessions,
                               const uint8_t key[SESSION_KEY_BYTES])
{
    if (remove_beside(sessions, key) == OK) {
        return OK;
    }
    if (find_beside(sessions, key) == ERR_NOT_FOUND) {
        log_warning("the cache of sessions could not be written; the session that ended is not in "
                    "it");
        return OK;
    }
    if (revocations_keep_session(sessions->store, key) == OK) {
        log_warning("a session that has ended could not be taken out of the cache; it counts for "
                    "nothing there, and its revocation stays in the database for good");
        return OK;
    }
    log_error("a session that has ended could not be taken out of the cache, nor its revocation "
              "kept for good: it must be ended again");
    return ERR_STORE;
}

/* Makes *end_s no less than the latest end that a session of this token can have: by the
 * configuration, or by what the database knows of it, for it may have begun with another
 * configuration and live on in a cookie. */
static enum status put_off_end(const struct sessions *sessions, const struct token *token,
                               const uint8_t key[SESSION_KEY_BYTES], int64_t *end_s)
{
    int64_t lifetime_s = sessions->config->session.lifetime_s;
    int64_t remember_s = sessions->config->session.remember_s;
    int64_t latest_s = token->issued_s + (lifetime_s > remember_s ? lifetime_s : remember_s);
    struct session_row record = {0};
    enum status status = sessions_find(sessions->store, key, &record);
    if (status == OK && record.expires_s > latest_s) {
        latest_s = record.expires_s;
    }
    if (latest_s > *end_s) {
        *end_s = latest_s;
    }
    secret_wipe(&record, sizeof record);
    return status == ERR_NOT_FOUND ? OK : status;
}

/* A row that is gone (it had to make room in the cache, or its uses could not be noted) does not
 * mean that the session is: a worker may remember it, and tokens of another kind have their own. */
enum status session_end(const struct sessions *sessions, const struct token *token)
{
    const struct session_backend *backend = session_backend_find(token->kind);
    struct session_row row = {0};
    struct user user = {0};
    if (backend == NULL) {
        return OK;
    }
    token_digest(token, row.key);
    enum status status = backend->find(sessions, token, &row, &user);
    if (status == ERR_NOT_FOUND) {
        status = put_off_end(sessions, token, row.key, &row.expires_s);
    }
    if (status == OK) {
        status = sessions_end(sessions->store, row.key, row.expires_s);
    }
    if (status == OK) {
        status = session_end_beside(sessions, row.key);
    }
    secret_wipe(&user, sizeof user);
    secret_wipe(&row, sizeof row);
    return status;
}

enum status session_take_back(const struct sessions *sessions, const struct token *token)
{
    struct session_row row = {0};
    enum status status = session_end(sessions, token);
    if (status != OK && token->kind == TOKEN_CACHED) {
        token_digest(token, row.key);
        status = remove_beside(sessions, row.key);
    }
    secret_wipe(&row, sizeof row);
    return status;
}
