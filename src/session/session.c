/* Finding sessions, and what all stores have in common: limits in time, salt, revocations.
 *
 * Invariants: both limits are judged here and nowhere else, with the same clock for all stores; a
 * row that a store gives is nothing before its user and its revocation were looked at. Whatever is
 * taken from the worker's memory, or read in a state of a store that an earlier request saw, is so
 * only if memory_refresh said so in this very request.
 *
 * Times of day may step: a session whose beginning or last use lies more than CLOCK_SKEW_S ahead of
 * the clock is not accepted, for its limits could not be trusted. */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/unset.h"
#include "session/backend.h"
#include "session/memory.h"
#include "session/uses.h"

/* Uses are noted this seldom: a twentieth of the idle limit, but no less often than each minute. */
#define TOUCH_PART      20
#define TOUCH_AT_MOST_S 60
#define LATE_PART       4 /* of the idle limit: a use is then noted before others */

static const struct session_backend *const backends[] = {
    [SESSION_STORE_DATABASE] = &session_backend_database,
    [SESSION_STORE_CACHE] = &session_backend_cache,
    [SESSION_STORE_COOKIE] = &session_backend_cookie,
};

#define BACKENDS (sizeof backends / sizeof backends[0])

const struct session_backend *session_backend_find(enum token_kind kind)
{
    for (size_t i = 0; i < BACKENDS; i++) {
        if (backends[i]->kind == kind) {
            return backends[i];
        }
    }
    return NULL;
}

enum status sessions_open(const struct config *config, struct store *store, enum store_role role,
                          bool remembers, struct sessions *out)
{
    *out = (struct sessions){.config = config, .store = store};
    if ((size_t)config->session.store >= BACKENDS) {
        return ERR_INPUT;
    }
    out->backend = backends[config->session.store];
    out->uses = calloc(2, sizeof *out->uses);
    if (out->uses == NULL) {
        log_error("not enough memory to note uses of sessions");
        return ERR_MEMORY;
    }
    enum status status =
        store_open_cache(config_cache_path(config), config->cache.size_bytes, role, &out->cache);
    return status == OK && remembers ? memory_open(&out->memory) : status;
}

void sessions_close(struct sessions *sessions)
{
    store_close(&sessions->cache);
    memory_close(&sessions->memory);
    free(sessions->uses);
    *sessions = (struct sessions){0};
}

void sessions_disconnect(struct sessions *sessions)
{
    store_disconnect(sessions->store);
    store_disconnect(sessions->cache);
}

/* Where the uses of a backend's sessions wait; only for one that has rows. */
static struct uses *find_uses(const struct sessions *sessions,
                              const struct session_backend *backend)
{
    bool is_cache = backend->rows(sessions) == sessions->cache;
    return &sessions->uses[is_cache ? 1 : 0]; /* as session_tend writes them */
}

/* The earlier of two; -1 is never. */
static int earlier(int first_ms, int second_ms)
{
    if (first_ms < 0 || second_ms < 0) {
        return first_ms > second_ms ? first_ms : second_ms;
    }
    return first_ms < second_ms ? first_ms : second_ms;
}

int session_tend(const struct sessions *sessions, enum uses_moment moment)
{
    store_let_go(sessions->store); /* writing to the one may take longer than the other is kept */
    store_let_go(sessions->cache);
    int first_ms = uses_write(&sessions->uses[0], sessions->store, moment);
    int second_ms = uses_write(&sessions->uses[1], sessions->cache, moment);
    return earlier(first_ms, second_ms);
}

int session_rest(const struct sessions *sessions)
{
    return earlier(store_rest(sessions->store), store_rest(sessions->cache));
}

/* One search: what is known of the token's session so far. */
struct search {
    const struct sessions *sessions;
    const struct session_backend *backend;
    const struct token *token;
    int64_t now_s;
    bool remembers;    /* the memory may be used in this request */
    struct user *user; /* id 0: not known yet */
};

/* The row of the token's session. One that is over by the memory, or by an older state of the
 * store, may have been used through another worker since: only a new look can say. */
static enum status find_row(struct search *search, struct session_row *row)
{
    struct memory *memory = search->sessions->memory;
    enum token_kind kind = search->backend->kind;
    bool keeps = search->remembers && search->backend->rows != NULL;
    if (keeps && memory_get_session(memory, kind, row->key, row) &&
        search->now_s < session_end_s(row)) {
        return OK;
    }
    enum status status = search->backend->find(search->sessions, search->token, row, search->user);
    if (keeps && status == OK && search->now_s >= session_end_s(row) &&
        store_renew(search->backend->rows(search->sessions))) {
        status = search->backend->find(search->sessions, search->token, row, search->user);
    }
    if (keeps && status == OK) {
        memory_put_session(memory, kind, row);
    } else if (keeps && status == ERR_NOT_FOUND) {
        memory_drop_session(memory, row->key);
    }
    return status;
}

/* Whether the session was revoked or, by its absolute limit, may have been. */
static enum status ask_revoked(const struct search *search, const struct session_row *row,
                               int64_t expires_s, bool *out)
{
    if (search->remembers) {
        *out = memory_is_ended(search->sessions->memory, row->key, expires_s);
        return OK;
    }
    if (search->backend->shares_database) {
        *out = false; /* or the row would not have been there */
        return OK;
    }
    return revocations_has(search->sessions->store, row->key, expires_s, out);
}

/* Whether the stores have the session still. ERR_NOT_FOUND */
static enum status look_for(const struct search *search, const uint8_t key[SESSION_KEY_BYTES])
{
    const struct sessions *sessions = search->sessions;
    const struct session_backend *backend = search->backend;
    struct store *store = backend->rows != NULL ? backend->rows(sessions) : sessions->store;
    struct session_row kept = {0};
    enum status status = sessions_find(store, key, &kept);
    secret_wipe(&kept, sizeof kept);
    return status;
}

/* ERR_NOT_FOUND: it was revoked.
 *
 * When a clock that stood ahead has been set right, revocations are forgotten that would be needed
 * once more. What may be among them is alive if the stores have it still: there a session goes
 * before its end is answered, or else its revocation is kept for good (session_end_beside). */
static enum status check_revoked(const struct search *search, const struct session_row *row)
{
    bool in_doubt = true;
    bool ended = true;
    enum status status = ask_revoked(search, row, row->expires_s, &in_doubt);
    if (status != OK || !in_doubt) {
        return status;
    }
    status = ask_revoked(search, row, REVOKED_BY_KEY, &ended);
    if (status != OK || ended) {
        return status != OK ? status : ERR_NOT_FOUND;
    }
    return look_for(search, row->key);
}

/* Sees to it that the user is known. */
static enum status find_user(struct search *search, int64_t id)
{
    struct memory *memory = search->sessions->memory;
    enum status status = OK;
    if (search->user->id == 0 && search->remembers && memory_get_user(memory, id, search->user)) {
        return OK;
    }
    if (search->user->id == 0) {
        status = users_find_by_id(search->sessions->store, id, search->user);
    }
    if (status == OK && search->remembers) {
        memory_put_user(memory, search->user);
    }
    return status;
}

/* Adds the user to the row. ERR_NOT_FOUND: there is none whose session this could still be. */
static enum status add_user(struct search *search, struct session_row *row)
{
    const struct user *user = search->user;
    enum status status = find_user(search, row->user_id);
    if (status == OK && !session_is_bound(row, user)) {
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        memcpy(row->user, user->name, sizeof row->user);
        memcpy(row->display, user->display, sizeof row->display);
        memcpy(row->email, user->email, sizeof row->email);
        memcpy(row->groups, user->groups, sizeof row->groups);
    }
    return status;
}

static bool is_in_time(const struct session_row *row, int64_t now_s)
{
    if (row->created_s > now_s + CLOCK_SKEW_S || row->seen_s > now_s + CLOCK_SKEW_S) {
        log_warning(
            "a session of user %s was last used in the future: refused; is the clock right?",
            row->user);
        return false;
    }
    return now_s < session_end_s(row);
}

/* Not when the clock was set back: a use that is earlier than the last would end the session before
 * its time. A use for which there is no place is offered again by the next request. */
static void note_use(const struct search *search, struct session_row *row)
{
    int64_t now_s = search->now_s;
    int64_t pause_s = row->idle_s / TOUCH_PART;
    if (pause_s > TOUCH_AT_MOST_S) {
        pause_s = TOUCH_AT_MOST_S;
    }
    if (search->backend->rows == NULL || now_s - row->seen_s < pause_s || now_s <= row->seen_s) {
        return;
    }
    bool late = now_s - row->seen_s >= row->idle_s / LATE_PART;
    if (uses_add(find_uses(search->sessions, search->backend), row->key, now_s, late)) {
        row->seen_s = now_s;
        if (search->remembers) {
            memory_put_session(search->sessions->memory, search->backend->kind, row);
        }
    }
}

static void watch_stores(const struct sessions *sessions, uint64_t changes)
{
    store_watch(sessions->store, changes);
    store_watch(sessions->cache, changes);
}

enum status session_find(const struct sessions *sessions, const struct token *token, int64_t now_s,
                         struct session_row *out)
{
    UNSET struct user user;
    struct search search = {
        .sessions = sessions,
        .backend = session_backend_find(token->kind),
        .token = token,
        .now_s = now_s,
        .user = &user,
    };
    user.id = 0; /* the rest, 2 KB, is set when somebody is found */
    *out = (struct session_row){0};
    if (search.backend == NULL) {
        return ERR_NOT_FOUND;
    }
    token_digest(token, out->key);
    watch_stores(sessions, sessions->changes);
    search.remembers = sessions->memory != NULL &&
                       memory_refresh(sessions->memory, sessions->store, sessions->changes);
    if (search.remembers) {
        store_reuse(sessions->store);
        store_reuse(sessions->cache);
    }
    enum status status = find_row(&search, out);
    if (status == OK) {
        status = check_revoked(&search, out);
    }
    if (status == OK) {
        status = add_user(&search, out);
    }
    if (status == OK && !is_in_time(out, now_s)) {
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        note_use(&search, out);
    } else {
        secret_wipe(out, sizeof *out);
    }
    watch_stores(sessions, 0);
    secret_wipe(&user, sizeof user);
    return status;
}

/* What session_find gives may lack them, for not all that it asks has them; the record of the
 * sign-in has. A session whose record is lost lives on without them. */
enum status session_describe(const struct sessions *sessions, struct session_row *row)
{
    struct session_row record = {0};
    enum status status = OK;
    if (row->address[0] == '\0') {
        status = sessions_find(sessions->store, row->key, &record);
    }
    if (status == OK && row->address[0] == '\0') {
        memcpy(row->address, record.address, sizeof row->address);
        memcpy(row->agent, record.agent, sizeof row->agent);
    }
    secret_wipe(&record, sizeof record);
    return status == ERR_NOT_FOUND ? OK : status;
}

bool session_is_bound(const struct session_row *session, const struct user *user)
{
    return !user->locked && secret_is_equal(user->salt, session->salt, sizeof user->salt);
}

/* The difference is compared, for the sum might overflow: a token may say any idle_s. */
int64_t session_end_s(const struct session_row *session)
{
    int64_t rest_s = session->expires_s - session->seen_s;
    return session->idle_s < rest_s ? session->seen_s + session->idle_s : session->expires_s;
}

const char *session_display(const struct session_row *session)
{
    return session->display[0] != '\0' ? session->display : session->user;
}
