/* What every page does, done once.
 *
 * The order is fixed: headers that protect, the page by its path, the method, the visitor, the
 * form. A POST reaches a page's `post` only with the csrf value of the very token that came with it
 * and from our own origin, so that no other site can send our forms (OWASP: synchronizer pattern,
 * with the origin as second check). A fault anywhere is a 503 or 500 page, never a sign-in. */
#include "web/page.h"

#include <string.h>

#include "auth/device.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/client.h"
#include "http/cookie.h"
#include "http/url.h"
#include "web/loop.h"

static void add_protection(const struct site *site, struct response *response)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-Frame-Options", "DENY"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        response_add_header(response, fixed[i].name, text_of(fixed[i].value));
    }
    response_add_header(response, "Content-Security-Policy", buffer_text(&site->policy));
}

static const struct page *find_page(const struct site *site, struct text path)
{
    if (!text_cut_prefix(&path, text_of(site->config->site.path))) {
        return NULL;
    }
    for (const struct page *page = site->pages; page->path != NULL; page++) {
        if (text_is(path, page->path)) {
            return page;
        }
    }
    return NULL;
}

static page_handler *find_handler(const struct page *page, enum method method)
{
    switch (method) {
    case METHOD_GET:
    case METHOD_HEAD:
        return page->get;
    case METHOD_POST:
        return page->post;
    case METHOD_OTHER:
    default:
        return NULL;
    }
}

/* Whether the form was sent by a page of ours that was shown to the bearer of the same token. An
 * Origin must be ours; without one, Sec-Fetch-Site must not say that another site sent it. With
 * neither (old browsers, other programs) the csrf value decides alone. */
static bool is_own_form(const struct visit *visit)
{
    const struct request *request = visit->request;
    struct text origin = fields_get(request->params, "HTTP_ORIGIN");
    struct text site = fields_get(request->params, "HTTP_SEC_FETCH_SITE");
    if (origin.data != NULL && !url_is_origin(origin, request->https, request->host)) {
        log_warning("a form was refused: its Origin is not this host; does the web server pass the "
                    "Host header on?");
        return false;
    }
    if (origin.data == NULL && site.data != NULL && !text_is(site, "same-origin") &&
        !text_is(site, "none")) {
        return false;
    }
    return visit->visitor.has_token &&
           token_csrf_check(visit->site->auth.keyring, &visit->visitor.token,
                            fields_get(request->form, "csrf")) == ALLOW;
}

static void answer(struct visit *visit, const struct page *page, page_handler *handler)
{
    enum status status = clock_get(&visit->now_s);
    if (status == OK) {
        status = site_identify(visit->site, visit->request, visit->now_s, &visit->visitor);
    }
    if (status != OK) {
        page_fail(visit);
        return;
    }
    if (visit->request->method == METHOD_POST && !is_own_form(visit)) {
        handler = page->stale;
    }
    handler(visit);
}

void page_handle(void *context, const struct request *request, struct response *response)
{
    struct site *site = context;
    struct visit visit = {.site = site, .request = request, .response = response};
    const struct page *page = find_page(site, request->path);
    if (page == NULL) {
        page_error(site, 404, response); /* which adds the protection itself */
        return;
    }
    page_handler *handler = find_handler(page, request->method);
    if (handler == NULL) {
        page_error(site, 405, response);
        response_add_header(response, "Allow",
                            text_of(page->post != NULL ? "GET, HEAD, POST" : "GET, HEAD"));
        return;
    }
    add_protection(site, response);
    answer(&visit, page, handler);
    secret_wipe(&visit, sizeof visit);
}

void page_refuse(void *context, const struct request *request, int status,
                 struct response *response)
{
    (void)request;
    page_error(context, status, response);
}

struct origin page_origin(struct visit *visit)
{
    const struct request *request = visit->request;
    const struct config *config = visit->site->config;
    struct text agent = fields_get(request->params, "HTTP_USER_AGENT");
    agent_describe(agent, visit->browser);
    return (struct origin){
        .address = client_address(request, &config->site.trusted_proxies),
        .agent = agent,
        .browser = text_of(visit->browser),
        .devices = visit->devices,
        .device_count =
            site_list_cookies(request, config_device_cookie_name(config), visit->devices),
    };
}

/* Renders the page into the response, or leaves its initial 500. */
static bool render(const struct site *site, const char *name, const struct member *members,
                   size_t count, struct response *response)
{
    const struct member about[] = {
        {"name", value_string(site->config->site.name)},
        {"path", value_string(site->config->site.path)},
    };
    struct member all[PAGE_MEMBERS_MAX + 3] = {
        {"site", value_map(about, sizeof about / sizeof about[0])},
        {"style", value_text(pages_get_asset(site->templates, "style.css"))},
        {"script", value_text(pages_get_asset(site->templates, "script.js"))},
    };
    if (count > PAGE_MEMBERS_MAX) {
        return false;
    }
    memcpy(all + 3, members, count * sizeof *members);
    struct value model = value_map(all, count + 3);
    if (pages_render(site->templates, name, &model, &response->body) != OK) {
        response_reset(response);
        return false;
    }
    response_add_header(response, "Content-Type", TEXT("text/html; charset=utf-8"));
    return true;
}

static void add_patience(int status, struct response *response)
{
    if (status == 503) {
        response_add_header(response, "Retry-After", TEXT(SITE_RETRY_AFTER));
    }
}

/* A token that forms can be tied to: that of the session, or an anonymous one with half of its life
 * before it, for it must last until the form is sent. */
static bool ensure_token(struct visit *visit)
{
    struct visitor *visitor = &visit->visitor;
    bool usable =
        visitor->signed_in || (visitor->has_token && visitor->token.kind == TOKEN_ANONYMOUS &&
                               visit->now_s - visitor->token.issued_s < AUTH_ANONYMOUS_LIFE_S / 2);
    if (usable) {
        return true;
    }
    visitor->has_token = token_new(TOKEN_ANONYMOUS, visit->now_s, &visitor->token) == OK;
    return visitor->has_token && page_set_token(visit, &visitor->token, false);
}

void page_show(struct visit *visit, int status, const char *name, const struct member *members,
               size_t count)
{
    struct member all[PAGE_MEMBERS_MAX];
    char csrf[CSRF_TEXT_LEN + 1];
    if (count >= PAGE_MEMBERS_MAX /* csrf comes last */ || !ensure_token(visit) ||
        token_csrf_encode(visit->site->auth.keyring, &visit->visitor.token, csrf) != OK) {
        page_fail(visit);
        return;
    }
    memcpy(all, members, count * sizeof *members);
    all[count] = (struct member){"csrf", value_string(csrf)};
    if (render(visit->site, name, all, count + 1, visit->response)) {
        visit->response->status = status;
        add_patience(status, visit->response);
    }
    secret_wipe(csrf, sizeof csrf);
}

/* What the error pages say; the last entry stands for all other statuses. */
struct explanation {
    int status;
    const char *title, *message;
};

static const struct explanation explanations[] = {
    {400, "That did not work", "The request was malformed. Go back and try again."},
    {403, "Nothing was done",
     "The form was too old or came from another site. Go back, reload the page and try again."},
    {404, "Page not found", "There is no such page here."},
    {405, "That did not work", "This page cannot be used that way."},
    {413, "That was too much", "More was sent than this page takes."},
    {415, "That did not work", "This page takes forms only."},
    {429, "Too many attempts", "Please wait a while, then try again."},
    {503, "Not possible right now", "This does not work at the moment. Please try again soon."},
    {500, "Something went wrong", "The fault is on this side. Please try again in a moment."},
};

static const struct explanation *explain(int status)
{
    size_t last = sizeof explanations / sizeof explanations[0] - 1;
    size_t i = 0;
    while (i < last && explanations[i].status != status) {
        i++;
    }
    return &explanations[i];
}

void page_error(struct site *site, int status, struct response *response)
{
    const struct explanation *explanation = explain(status);
    const struct member members[] = {
        {"title", value_string(explanation->title)},
        {"message", value_string(explanation->message)},
    };
    response_reset(response);
    add_protection(site, response);
    if (render(site, "error", members, sizeof members / sizeof members[0], response)) {
        response->status = status;
    }
    add_patience(status, response);
}

void page_fail(struct visit *visit)
{
    page_error(visit->site, 503, visit->response);
}

void page_redirect_below(struct visit *visit, const char *path)
{
    struct buffer location;
    buffer_init(&location, URL_TARGET_MAX);
    buffer_print(&location, "%s%s", visit->site->config->site.path, path);
    if (location.failed) {
        page_fail(visit);
    } else {
        response_redirect(visit->response, 303, buffer_text(&location));
    }
    buffer_clear(&location);
}

bool page_set_token(struct visit *visit, const struct token *token, bool keep)
{
    const struct config *config = visit->site->config;
    char text[TOKEN_TEXT_MAX + 1] = "";
    if (token != NULL && token_encode(visit->site->auth.keyring, token, text) != OK) {
        page_fail(visit);
        return false;
    }
    struct cookie cookie = {
        .name = config_cookie_name(config),
        .value = text_of(text),
        .domain = config->session.cookie_domain,
        .secure = config->session.secure_cookie,
        .keep = keep,
        .max_age_s = config->session.remember_s,
    };
    cookie_set(visit->response, &cookie);
    secret_wipe(text, sizeof text);
    return true;
}

bool page_set_device(struct visit *visit, const struct token *token)
{
    const struct config *config = visit->site->config;
    char text[TOKEN_TEXT_MAX + 1];
    if (token_encode(visit->site->auth.keyring, token, text) != OK) {
        page_fail(visit);
        return false;
    }
    const struct cookie cookie = {
        .name = config_device_cookie_name(config),
        .value = text_of(text),
        .secure = config->session.secure_cookie,
        .keep = true,
        .max_age_s = DEVICE_LIFE_S,
    };
    cookie_set(visit->response, &cookie);
    secret_wipe(text, sizeof text);
    return true;
}

void page_sign_off(struct visit *visit)
{
    if (page_set_token(visit, NULL, false)) {
        loop_forget(visit);
        /* What the browser kept of protected pages goes too (ASVS 5.0 §14.3.1). Its storage is
         * left alone: other programs of the site keep things there that are not ours to delete. */
        response_add_header(visit->response, "Clear-Site-Data", TEXT("\"cache\""));
        page_redirect_below(visit, "/login?signed-out");
    }
}
