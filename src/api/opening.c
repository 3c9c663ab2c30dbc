/* Finding the visitor of a request in a list of parameters, and what is known of him.
 *
 * Of the parameters HTTP_COOKIE alone is read; a list may have several. They are judged where all
 * programs of Latchkey have them judged, in auth. */
#include <stdlib.h>

#include "api/handle.h"
#include "base/clock.h"
#include "base/secret.h"
#include "http/cookie.h"

/* What a cookie list of the size that web servers pass on takes when it is taken apart. */
#define ARENA_BYTES ((size_t)4 * PARAMS_MAX_BYTES)

/* More than may be saved, so that saving can say by how much it is too much. */
#define ROOM_BEYOND_LIMIT_BYTES 1048576

struct cookies {
    struct text values[AUTH_COOKIES_MAX];
    size_t count;
};

static enum status add_cookies(struct text header, const char *name, struct arena *arena,
                               struct cookies *out)
{
    struct fields fields = {0};
    enum status status = cookie_parse(header, arena, &fields);
    for (size_t i = 0; status == OK && i < fields.count && out->count < AUTH_COOKIES_MAX; i++) {
        if (text_is(fields.items[i].name, name)) {
            out->values[out->count++] = fields.items[i].value;
        }
    }
    return status;
}

static enum status find_cookies(char *const *environment, const char *name, struct arena *arena,
                                struct cookies *out)
{
    enum status status = OK;
    for (char *const *entry = environment; status == OK && *entry != NULL; entry++) {
        struct text header = text_of(*entry);
        if (text_cut_prefix(&header, TEXT("HTTP_COOKIE="))) {
            status = add_cookies(header, name, arena, out);
        }
    }
    return status;
}

static enum status identify(struct lk_site *site, char *const *environment, struct visitor *out)
{
    struct cookies cookies = {0};
    struct arena *arena = NULL;
    int64_t now_s = 0;
    enum status status = clock_get(&now_s);
    if (status == OK) {
        status = arena_new(ARENA_BYTES, &arena);
    }
    if (status == OK) {
        status = find_cookies(environment, config_cookie_name(site->config), arena, &cookies);
    }
    if (status == OK) {
        status = auth_identify(&site->auth, cookies.values, cookies.count, now_s, out);
    }
    arena_free(&arena);
    return status;
}

static enum status read_session(struct lk_session *session)
{
    struct lk_site *site = session->site;
    enum status status = session_data_new(
        (size_t)site->config->session.data_limit_bytes + ROOM_BEYOND_LIMIT_BYTES, &session->data);
    if (status == OK) {
        status = remember_read(&site->auth.sessions, &session->visitor.token,
                               &session->visitor.session, session->data);
    }
    if (status == OK) {
        status = token_csrf_encode(site->auth.keyring, &session->visitor.token, session->csrf);
    }
    return status;
}

enum lk_status lk_session_open(struct lk_site *site, char *const *environment,
                               struct lk_session **session)
{
    *session = NULL;
    struct lk_session *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return LK_MEMORY;
    }
    opened->site = site;
    buffer_init(&opened->cookie, COOKIE_MAX_BYTES + sizeof "Set-Cookie: ");
    enum status status = identify(site, environment, &opened->visitor);
    bool signed_in = opened->visitor.signed_in;
    if (status == OK && signed_in) {
        status = read_session(opened);
    }
    if (status == OK && signed_in) {
        *session = opened;
        return LK_OK;
    }
    lk_session_close(opened);
    if (status == OK) {
        return LK_NOBODY;
    }
    return status == ERR_MEMORY ? LK_MEMORY : LK_UNAVAILABLE;
}

void lk_session_close(struct lk_session *session)
{
    if (session != NULL) {
        /* There may be no other request for long, so what was noted is written now. */
        (void)session_tend(&session->site->auth.sessions, USES_NOW);
        session_data_free(&session->data);
        buffer_clear(&session->cookie);
        secret_wipe(session, sizeof *session);
        free(session);
    }
}

const char *lk_session_user(const struct lk_session *session)
{
    return session->visitor.session.user;
}

const char *lk_session_name(const struct lk_session *session)
{
    return session_display(&session->visitor.session);
}

const char *lk_session_email(const struct lk_session *session)
{
    return session->visitor.session.email;
}

const char *lk_session_groups(const struct lk_session *session)
{
    return session->visitor.session.groups;
}

const char *lk_session_csrf(const struct lk_session *session)
{
    return session->csrf;
}

int lk_session_csrf_check(const struct lk_session *session, const char *value)
{
    return value != NULL && token_csrf_check(session->site->auth.keyring, &session->visitor.token,
                                             text_of(value)) == ALLOW;
}
