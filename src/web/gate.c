/* The gate answers the web server in one of two roles.
 *
 *                 responder (nginx auth_request, CGI)    authorizer (lighttpd, Apache)
 *   pass          204, Remote-User …                     200, Variable-REMOTE_USER …
 *   not signed in 401, Location of the login page        303 to it for a page, else 401
 *   to be renewed as not signed in, for pages (GET); else it passes
 *   wrong group   403                                    403
 *   cannot tell   503                                    503
 *
 * In nginx's eyes 2xx passes and 401 and 403 deny; for an authorizer 200 alone passes. The decision
 * is made from the session and from LATCHKEY_GROUPS, which only the web server's configuration can
 * set (clients can only make parameters that begin with HTTP_). The path is never decided upon: the
 * web server chose to ask, and another reading of the path here could only disagree with it.
 *
 * Kept out of here: templates, forms, password hashing. */
#include "web/gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "web/return_target.h"

/* The page for those who are signed in and not welcome. It is no template, for the gate renders
 * none. The policy names the style by its SHA-256: who changes the one must change the other, and
 * browsers say on their console what it should be. site.path has no character to escape. */
#define FORBIDDEN_STYLE                                                                            \
    "html{font:100%/1.5 Arial,sans-serif;color-scheme:light dark}"                                 \
    "body{max-width:36rem;margin:10vh auto;padding:0 1rem}"                                        \
    "a{display:inline-block;padding:.25rem 0;color:inherit}"
#define FORBIDDEN_POLICY                                                                           \
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src "                      \
    "'sha256-4jwUijCV9Hdpvhg+Gi6InPIVPYKTxzezZBv/2d/qCMk='"
#define FORBIDDEN_HEAD                                                                             \
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"                              \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<title>Not open to you</title>\n<style>" FORBIDDEN_STYLE "</style>\n"
#define FORBIDDEN_BODY                                                                             \
    "<main>\n<h1>Not open to you</h1>\n"                                                           \
    "<p>You are signed in, but your account may not see this page.</p>\n"                          \
    "<p><a href=\"%s/account\">Your account</a></p>\n</main>\n"

/* What each identity is called in each role. */
static const char *const header_names[][4] = {
    [ROLE_RESPONDER] = {"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"},
    [ROLE_AUTHORIZER] = {"Variable-REMOTE_USER", "Variable-REMOTE_NAME", "Variable-REMOTE_EMAIL",
                         "Variable-REMOTE_GROUPS"},
};

static bool list_has(struct text list, struct text wanted)
{
    while (list.len > 0) {
        if (text_equal_nocase(text_trim(text_cut(&list, ',')), wanted)) {
            return true;
        }
    }
    return false;
}

/* Whether the groups that the web server asks for, if it does, have one in common with the user's.
 * An empty or garbled list lets nobody pass: somebody meant to keep people out. */
static enum verdict check_groups(const struct request *request, const struct session_row *session)
{
    struct text wanted = fields_get(request->params, "LATCHKEY_GROUPS");
    if (wanted.data == NULL) {
        return ALLOW;
    }
    if (text_trim(wanted).len == 0) {
        log_warning("LATCHKEY_GROUPS is empty, so nobody passes: name groups or leave it out");
    }
    while (wanted.len > 0) {
        struct text group = text_trim(text_cut(&wanted, ','));
        if (user_name_is_valid(group) && list_has(text_of(session->groups), group)) {
            return ALLOW;
        }
    }
    return DENY;
}

static void grant(const struct request *request, const struct session_row *session,
                  struct response *response)
{
    const char *const *names = header_names[request->role];
    response_add_header(response, names[0], text_of(session->user));
    response_add_header(response, names[1], text_of(session_display(session)));
    response_add_optional(response, names[2], text_of(session->email));
    response_add_optional(response, names[3], text_of(session->groups));
    response->status = request->role == ROLE_AUTHORIZER ? 200 : 204;
}

/* Whether a browser should pass by the login page for a renewed token. Only what it shows can be
 * sent there and back; all else passes until the session really ends. The gate cannot renew by
 * itself: web servers drop a Set-Cookie of its answer. */
static bool should_renew(const struct site *site, const struct request *request,
                         const struct visitor *visitor, int64_t now_s)
{
    return request->is_page && request->method == METHOD_GET &&
           session_is_due(&site->auth.sessions, &visitor->token, &visitor->session, now_s);
}

static void send_to_login(const struct site *site, const struct request *request,
                          struct response *response)
{
    if (request->role == ROLE_RESPONDER) { /* nginx takes the Location of a 401 */
        return_target_ask(request, site->config, 401, response);
    } else if (request->is_page) {
        return_target_ask(request, site->config, 303, response);
    } else {
        response->status = 401;
    }
}

static void forbid(const struct site *site, const struct request *request,
                   struct response *response)
{
    if (request->role == ROLE_AUTHORIZER) { /* nginx makes its own page */
        response_add_header(response, "Content-Type", TEXT("text/html; charset=utf-8"));
        response_add_header(response, "Content-Security-Policy", TEXT(FORBIDDEN_POLICY));
        response_add_header(response, "X-Content-Type-Options", TEXT("nosniff"));
        buffer_add_string(&response->body, FORBIDDEN_HEAD);
        buffer_print(&response->body, FORBIDDEN_BODY, site->config->site.path);
    }
    response->status = 403;
}

void gate_refuse(void *context, const struct request *request, int status,
                 struct response *response)
{
    (void)context;
    (void)request;
    response_add_header(response, "Cache-Control", TEXT("no-store"));
    if (status == 503) {
        response_add_header(response, "Retry-After", TEXT(SITE_RETRY_AFTER));
    }
    response->status = status;
}

void gate_handle(void *context, const struct request *request, struct response *response)
{
    struct site *site = context;
    struct visitor visitor;
    int64_t now_s = 0;
    if (clock_get(&now_s) != OK || site_identify(site, request, now_s, &visitor) != OK) {
        gate_refuse(site, request, 503, response);
        return;
    }
    response_add_header(response, "Cache-Control", TEXT("no-store"));
    if (!visitor.signed_in || should_renew(site, request, &visitor, now_s)) {
        send_to_login(site, request, response);
    } else if (check_groups(request, &visitor.session) == ALLOW) {
        grant(request, &visitor.session, response);
    } else {
        forbid(site, request, response);
    }
    visitor_wipe(&visitor);
}
