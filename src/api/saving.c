/* What a session remembers, as other people's programs read, change and save it.
 *
 * A refused save takes back the changes, so that what a program shows next is what is saved. What
 * is said to visitors is composed here: they cannot look into a log. */
#include <inttypes.h>
#include <stdio.h>

#include "api/handle.h"

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

static void explain_excess(struct lk_session *session, uint64_t excess, uint64_t limit)
{
    (void)snprintf(session->error, sizeof session->error,
                   "Nothing was saved: this would be %" PRIu64 " %s more than the %" PRIu64
                   " bytes that there is room for; remove or shorten something first.",
                   excess, excess == 1 ? "byte" : "bytes", limit);
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

enum lk_status lk_session_put(struct lk_session *session, const char *name, const void *value,
                              size_t len)
{
    uint64_t limit = session->site->config->session.data_limit_bytes;
    struct text key = text_of(name);
    enum status status = session_data_put(session->data, key, (struct text){value, len});
    if (status == ERR_TOO_LARGE) {
        uint64_t rest =
            session_data_bytes(session->data) - session_data_get(session->data, key).len;
        explain_excess(session, rest + len - limit, limit);
    }
    return explain(session, handle_status(status));
}

enum lk_status lk_session_delete(struct lk_session *session, const char *name)
{
    return explain(session, handle_status(session_data_drop(session->data, text_of(name))));
}

enum lk_status lk_session_save(struct lk_session *session)
{
    uint64_t limit = session->site->config->session.data_limit_bytes;
    uint64_t excess = 0;
    if (!session_data_is_changed(session->data)) {
        return LK_OK;
    }
    enum status status = session_data_save(session->data, session->site->auth.store,
                                           session->visitor.session.key, limit, &excess);
    if (status == OK) {
        return LK_OK;
    }
    session_data_revert(session->data);
    if (status == ERR_TOO_LARGE) {
        explain_excess(session, excess, limit);
    }
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
