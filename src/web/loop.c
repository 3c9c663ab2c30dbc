/* The count travels in a cookie that is kept over http too, and whatever session.cookie_domain
 * says: it has to come back where the session's cookie does not. Over https it has a name that no
 * neighbouring host can set. */
#include "web/loop.h"

#include <stdio.h>

#include "http/cookie.h"

#define LOOP_MAX    5 /* nobody clicks so often */
#define LOOP_LIFE_S 30

static const char *cookie_name(const struct visit *visit)
{
    return visit->request->https ? "__Host-latchkey-hops" : "latchkey-hops";
}

static unsigned count_hops(const struct visit *visit)
{
    struct text values[AUTH_COOKIES_MAX];
    uint64_t hops = 0;
    if (site_list_cookies(visit->request, cookie_name(visit), values) == 0 ||
        text_parse_number(values[0], LOOP_MAX, &hops) != OK) {
        return 0;
    }
    return (unsigned)hops;
}

/* An empty value takes the cookie away. */
static void set_hops(struct visit *visit, const char *value)
{
    const struct cookie cookie = {
        .name = cookie_name(visit),
        .value = text_of(value),
        .secure = visit->request->https,
        .keep = true,
        .max_age_s = LOOP_LIFE_S,
    };
    cookie_set(visit->response, &cookie);
}

void loop_note(struct visit *visit)
{
    unsigned hops = count_hops(visit);
    const char value[] = {(char)('0' + (hops < LOOP_MAX ? hops + 1 : LOOP_MAX)), '\0'};
    set_hops(visit, value);
}

void loop_forget(struct visit *visit)
{
    if (count_hops(visit) > 0) {
        set_hops(visit, "");
    }
}

bool loop_is_closed(const struct visit *visit)
{
    return count_hops(visit) >= LOOP_MAX;
}

void loop_show(struct visit *visit)
{
    const struct member members[] = {
        {"title", value_string("Sent back and forth")},
        {"message",
         value_string("You are signed in here, but the page that you want does not see it and "
                      "sends you back. Likely causes: it is on another host, or over http, so that "
                      "your browser does not show it the cookie; or its web server does not pass "
                      "the cookie on to the gate. Whoever runs this site can mend that.")},
    };
    page_show(visit, 409, "error", members, sizeof members / sizeof members[0]);
}

/* Browsers keep Secure cookies of these over http too. */
static bool is_local(struct text host)
{
    struct text name = text_cut(&host, ':');
    return text_is(name, "localhost") || text_has_prefix(name, TEXT("127."));
}

static bool is_within(struct text host, const char *domain)
{
    struct text name = text_cut(&host, ':');
    struct text suffix = text_of(domain);
    if (name.len < suffix.len ||
        !text_equal_nocase(text_from(name, name.len - suffix.len), suffix)) {
        return false;
    }
    return name.len == suffix.len || name.data[name.len - suffix.len - 1] == '.';
}

bool loop_explain(const struct visit *visit, bool with_form, char sentence[LOOP_SENTENCE_MAX])
{
    const struct config *config = visit->site->config;
    const struct request *request = visit->request;
    const char *domain = config->session.cookie_domain;
    struct text values[AUTH_COOKIES_MAX];
    bool came = site_list_cookies(request, config_cookie_name(config), values) > 0;
    if (came || (!with_form && count_hops(visit) == 0)) {
        return false;
    }
    if (config->session.secure_cookie && !request->https && !is_local(request->host)) {
        (void)snprintf(sentence, LOOP_SENTENCE_MAX,
                       "Your browser did not keep the cookie that signs you in, because this page "
                       "was opened over http. Please open it with https:// in front.");
    } else if (domain[0] != '\0' && !is_within(request->host, domain)) {
        (void)snprintf(sentence, LOOP_SENTENCE_MAX,
                       "Your browser did not keep the cookie that signs you in: it is for "
                       "%.120s, but this page was opened as %.*s.",
                       domain, request->host.len < 120 ? (int)request->host.len : 120,
                       request->host.data != NULL ? request->host.data : "");
    } else {
        (void)snprintf(sentence, LOOP_SENTENCE_MAX,
                       "Your browser did not send the cookie that signs you in: it seems that "
                       "cookies are switched off for this site. Please allow them and try again.");
    }
    return true;
}
