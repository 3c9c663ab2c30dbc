/* What a session remembers, as other people's programs read, change and save it.
 *
 * A refused save takes back the changes, so that what a program shows next is what is saved. What
 * is said to visitors is composed here: they cannot look into a log. */
#include <inttypes.h>
#include <stdio.h>

#include "api/handle.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/cookie.h"
#include "session/data_code.h"

#define AGAIN " Please try again in a moment."

const char *lk_session_get(const struct lk_session *session, const char *name, size_t *len)
{
    struct text value = session_data_get(session->data, text_of(name));
    if (len != NULL) {
        *len = value.len;
    }
    return value.data;
}

const char *lk_session_next(const struct lk_session *session, const char *after)
{
    return session_data_next(session->data, text_of(after)).data;
}

static void explain_excess(struct lk_session *session, uint64_t excess)
{
    (void)snprintf(session->error, sizeof session->error,
                   "Nothing was saved: this would be %" PRIu64
                   " %s more than there is room for; remove or shorten something first.",
                   excess, excess == 1 ? "byte" : "bytes");
}

/* Tells the visitor, and the caller in his words. */
static enum lk_status explain(struct lk_session *session, enum lk_status status)
{
    const char *sentence = "";
    switch (status) {
    case LK_NOBODY:
        sentence = "Nothing was saved: you are not signed in any more; sign in again.";
        break;
    case LK_NOT_FOUND:
        sentence = "There is nothing of that name any more.";
        break;
    case LK_INVALID:
        sentence = "Nothing was changed: a name is 1 to 64 letters, digits, dots, hyphens and "
                   "underscores.";
        break;
    case LK_UNAVAILABLE:
        sentence = "Nothing was saved: that is not possible right now." AGAIN;
        break;
    case LK_MEMORY:
        sentence = "Nothing was saved: the server is short of memory." AGAIN;
        break;
    case LK_OK:
    case LK_TOO_LARGE: /* explain_excess said it */
    default:
        return status;
    }
    (void)snprintf(session->error, sizeof session->error, "%s", sentence);
    return status;
}

/* The cookie around a sealed token, as the login page sets it too. */
static struct cookie cookie_of(const struct lk_session *session, struct text value)
{
    const struct config *config = session->site->config;
    return (struct cookie){
        .name = config_cookie_name(config),
        .value = value,
        .domain = config->session.cookie_domain,
        .secure = config->session.secure_cookie,
        .keep = session->visitor.session.remember,
        .max_age_s = config->session.remember_s,
    };
}

static bool is_sealed(const struct lk_session *session)
{
    return session->visitor.token.kind == TOKEN_SEALED;
}

/* What the data may come to, counted as size_with does. */
static uint64_t limit_of(const struct lk_session *session)
{
    if (!is_sealed(session)) {
        return session->site->config->session.data_limit_bytes;
    }
    struct cookie cookie = cookie_of(session, (struct text){0});
    return remember_room(cookie_room(&cookie));
}

/* What the data would come to with a value of `len` bytes under the name. */
static uint64_t size_with(const struct lk_session *session, struct text name, size_t len)
{
    struct text former = session_data_get(session->data, name);
    size_t frame = is_sealed(session) ? SESSION_DATA_FRAME_BYTES : 0;
    size_t size =
        session_data_bytes(session->data) + frame * session_data_count(session->data) - former.len;
    return size + len + (former.data != NULL ? 0 : name.len + frame);
}

enum lk_status lk_session_put(struct lk_session *session, const char *name, const void *value,
                              size_t len)
{
    struct text key = text_of(name);
    enum status status = session_data_put(session->data, key, (struct text){value, len});
    if (status == ERR_TOO_LARGE) {
        /* Never below 0: the room that was exceeded is larger than any limit (opening.c). */
        explain_excess(session, size_with(session, key, len) - limit_of(session));
    }
    return explain(session, handle_status(status));
}

enum lk_status lk_session_delete(struct lk_session *session, const char *name)
{
    return explain(session, handle_status(session_data_drop(session->data, text_of(name))));
}

/* Prints the line that hands a sealed token out. */
static enum status print_line(const struct lk_session *session, const struct token *token,
                              struct buffer *out)
{
    char text[TOKEN_TEXT_MAX + 1];
    const char *fault = NULL;
    enum status status = token_encode(session->site->auth.keyring, token, text);
    if (status != OK) {
        return status;
    }
    struct cookie cookie = cookie_of(session, text_of(text));
    buffer_add_string(out, "Set-Cookie: ");
    if (!cookie_print(&cookie, out, &fault)) {
        log_error("a cookie cannot be set: %s", fault);
        status = ERR_SYSTEM;
    }
    secret_wipe(text, sizeof text);
    return status;
}

/* What cannot be handed out is not saved, so all is tried on a copy of the token. Its id and time
 * of issue stay: a session that was revoked meanwhile is dead in this token as well, and saving is
 * no renewal, which the login page alone gives and records. */
static enum status save_sealed(struct lk_session *session, uint64_t *excess)
{
    struct visitor *visitor = &session->visitor;
    struct token token;
    struct buffer line;
    token_copy(&token, &visitor->token);
    buffer_init(&line, COOKIE_MAX_BYTES + sizeof "Set-Cookie: ");
    enum status status =
        remember_seal(&visitor->session, session->data, (size_t)limit_of(session), &token, excess);
    if (status == OK) {
        status = print_line(session, &token, &line);
    }
    if (status == OK) {
        token_copy(&visitor->token, &token);
        session_data_keep(session->data);
        buffer_clear(&session->cookie);
        session->cookie = line;
    } else {
        buffer_clear(&line);
    }
    secret_wipe(&token, sizeof token); /* its body may have been longer */
    return status;
}

enum lk_status lk_session_save(struct lk_session *session)
{
    uint64_t excess = 0;
    if (!session_data_is_changed(session->data)) {
        return LK_OK;
    }
    enum status status = is_sealed(session)
                             ? save_sealed(session, &excess)
                             : remember_save(&session->site->auth.sessions, &session->visitor.token,
                                             &session->visitor.session, session->data, &excess);
    if (status == OK) {
        return LK_OK;
    }
    session_data_revert(session->data);
    if (status == ERR_TOO_LARGE) {
        explain_excess(session, excess);
    }
    /* What is not found here is the session itself: it ended while the program ran. */
    return explain(session, status == ERR_NOT_FOUND ? LK_NOBODY : handle_status(status));
}

const char *lk_session_cookie(const struct lk_session *session)
{
    return session->cookie.data;
}

const char *lk_session_error(const struct lk_session *session)
{
    return session->error;
}
