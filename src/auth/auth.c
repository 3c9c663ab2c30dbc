/* What programs open at start, and who sent a request.
 *
 * A cookie is judged in this order: its tag (no store is asked for forged ones), that it is the
 * only one, its time of issue, the session in the store. A browser may send several cookies of one
 * name, of which a neighbouring host may have set some; there is no telling which is the user's, so
 * two different tokens that both verify count as none.
 *
 * Whether a secret, a session or the database itself is another one by now is asked after the
 * request has come, so that what was answered before it began holds: of the files themselves, or,
 * in programs that check many, of the kernel's queue of their changes. */
#include "auth/auth.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

/* The keys that a program of this role uses. All read tokens, sealed ones of a former store too. */
static unsigned list_purposes(enum store_role role)
{
    const unsigned tokens = KEY_OF(KEY_TOKEN) | KEY_OF(KEY_SEAL);
    const unsigned forms = tokens | KEY_OF(KEY_CSRF);
    switch (role) {
    case STORE_ROLE_GATE:
        return tokens;
    case STORE_ROLE_APP:
        return forms;
    case STORE_ROLE_LOGOUT:
        return forms | KEY_OF(KEY_AUDIT);
    case STORE_ROLE_LOGIN:
    case STORE_ROLE_ACCOUNT:
        return forms | KEY_OF(KEY_AUDIT) | KEY_OF(KEY_THROTTLE);
    case STORE_ROLE_ADMIN:
        return KEYS_ALL;
    default:
        return 0;
    }
}

enum status auth_open(const struct config *config, const char *program, enum store_role role,
                      bool remembers, struct auth *out)
{
    *out = (struct auth){.config = config};
    enum status status =
        keyring_open(config_secret_path(config), list_purposes(role), &out->keyring);
    if (status == OK) {
        status = store_open(config_database_path(config), config_generation_path(config), role,
                            &out->store);
    }
    if (status == OK) {
        status = sessions_open(config, out->store, role, remembers, &out->sessions);
    }
    if (status == OK && remembers) {
        const struct watch_file files[] = {
            {config_secret_path(config), WATCH_CONTENT},
            {config_generation_path(config), WATCH_CONTENT},
            {config_database_path(config), WATCH_DATABASE},
            {config_cache_path(config), WATCH_DATABASE},
        };
        status = watch_open(files, sizeof files / sizeof *files, &out->watch);
    }
    out->audit = (struct audit){
        .store = out->store,
        .keyring = out->keyring,
        .program = text_of(program),
        .keep_s = config->log.keep_s,
        .is_on = config->log.audit,
    };
    if (status == OK) {
        status = store_connect(out->store);
        /* Anything but a wrong version may pass by itself, and was logged; requests get 503 until
         * then. */
        if (status != ERR_SCHEMA_OLD && status != ERR_SCHEMA_NEW && status != ERR_PERMISSION) {
            status = OK;
        }
    }
    return status;
}

void auth_disconnect(struct auth *auth)
{
    sessions_disconnect(&auth->sessions);
}

void auth_close(struct auth *auth)
{
    hash_line_close(&auth->line);
    watch_close(&auth->watch);
    sessions_close(&auth->sessions);
    keyring_free(&auth->keyring);
    store_close(&auth->store);
    *auth = (struct auth){0};
}

static bool is_same_text(struct text a, struct text b)
{
    return a.len == b.len && secret_is_equal(a.data, b.data, a.len);
}

/* Reads a token that says who somebody is. One that only tells a known browser (auth/device.h) is
 * none, whichever cookie it came in. */
static bool decode(const struct auth *auth, struct text cookie, struct token *out)
{
    if (token_decode(auth->keyring, cookie, out) != OK) {
        return false;
    }
    if (out->kind == TOKEN_ANONYMOUS || token_is_session(out)) {
        return true;
    }
    token_wipe(out);
    return false;
}

/* Whether the cookie is a token that verifies and has another spelling than the one chosen. */
static bool is_other_token(const struct auth *auth, struct text cookie, struct text chosen)
{
    struct token other = {0};
    if (is_same_text(cookie, chosen) || !decode(auth, cookie, &other)) {
        return false;
    }
    token_wipe(&other);
    return true;
}

/* Whether exactly one token among the cookies verifies; *out, which must be zeroed, receives it. A
 * copy of the first, with the same spelling, is no second one. */
static bool choose_token(const struct auth *auth, const struct text *cookies, size_t count,
                         struct token *out)
{
    const struct text *chosen = NULL;
    for (size_t i = 0; i < count && i < AUTH_COOKIES_MAX; i++) {
        if (chosen == NULL) {
            chosen = decode(auth, cookies[i], out) ? &cookies[i] : NULL;
        } else if (is_other_token(auth, cookies[i], *chosen)) {
            log_debug("two different tokens in one request: neither counts");
            token_wipe(out);
            return false;
        }
    }
    return chosen != NULL;
}

static bool is_in_time(const struct token *token, int64_t now_s)
{
    if (token->issued_s > now_s + CLOCK_SKEW_S) {
        log_warning("a token was issued in the future: refused; is the clock right?");
        return false;
    }
    return token->kind != TOKEN_ANONYMOUS || now_s - token->issued_s < AUTH_ANONYMOUS_LIFE_S;
}

/* Asks whether any file changed, once for all who would look at one. What a look did not settle is
 * looked at again, for then the number of changes is not kept. */
static enum status refresh(struct auth *auth)
{
    uint64_t changes = auth->watch != NULL ? watch_count_changes(auth->watch) : 0;
    auth->sessions.changes = changes;
    if (changes != 0 && changes == auth->keys_changes) {
        return OK;
    }
    enum status status = keyring_refresh(auth->keyring);
    auth->keys_changes = status == OK ? changes : 0;
    return status;
}

void visitor_wipe(struct visitor *visitor)
{
    visitor->has_token = false;
    visitor->signed_in = false;
    token_wipe(&visitor->token);
    secret_wipe(&visitor->session, sizeof visitor->session);
}

enum status auth_identify(struct auth *auth, const struct text *cookies, size_t count,
                          int64_t now_s, struct visitor *out)
{
    secret_wipe(out, sizeof *out);
    enum status status = refresh(auth);
    if (status != OK || !choose_token(auth, cookies, count, &out->token)) {
        return status;
    }
    out->has_token = is_in_time(&out->token, now_s);
    if (out->has_token) {
        status = session_find(&auth->sessions, &out->token, now_s, &out->session);
        out->signed_in = status == OK;
    }
    if (status == ERR_NOT_FOUND) {
        status = OK;
    }
    if (status != OK || !out->has_token) {
        visitor_wipe(out);
    }
    return status;
}

enum status auth_renew(struct auth *auth, struct visitor *visitor,
                       const struct session_start *start, bool *renewed, struct token *out)
{
    *renewed = false;
    enum status status =
        session_renew(&auth->sessions, &visitor->token, &visitor->session, start, out);
    if (status == ERR_NOT_FOUND) {
        visitor_wipe(visitor);
        return OK;
    }
    *renewed = status == OK;
    return status;
}

enum status auth_end_former(struct auth *auth, const struct visitor *visitor)
{
    return visitor->has_token ? session_end(&auth->sessions, &visitor->token) : OK;
}

/* The session has ended by then, so that this fails keeps nobody from being told so. */
static void note_sign_out(struct auth *auth, const struct session_row *session,
                          const struct origin *origin, int64_t now_s)
{
    const struct audit_event event = {
        .act = AUDIT_SIGN_OUT,
        .outcome = AUDIT_DONE,
        .user_id = session->user_id,
        .user = text_of(session->user),
        .address = origin->address,
    };
    log_info("signed out: %s", session->user);
    if (audit_note(&auth->audit, now_s, &event) != OK) {
        log_warning("the audit log does not tell of the sign-out of %s", session->user);
    }
}

enum status auth_sign_out(struct auth *auth, const struct visitor *visitor,
                          const struct origin *origin, int64_t now_s)
{
    if (!visitor->has_token) {
        return OK;
    }
    enum status status = session_end(&auth->sessions, &visitor->token);
    if (status == OK && visitor->signed_in) {
        note_sign_out(auth, &visitor->session, origin, now_s);
    }
    return status;
}
