/* Where a browser is sent after signing in: `next` of a query.
 *
 * Promised: a `next` that is accepted leads, in a browser (browser.c), to the host of the request
 * or to one that is listed, over http or https, without a user name, on that host's own port, and
 * to the very path that stands there: there is nothing in it to repair. It is accepted or not alike
 * wherever it comes from: by itself, in the query of a request, as the request that the gate sends
 * to the login page. A Location that is made of it is that, and nothing else.
 *
 * Input: a byte of flags, the Host header (a byte of length before it), then `next`; or, by a flag,
 * a whole query. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "browser.h"
#include "http/response.h"
#include "http/url.h"
#include "web/return_target.h"

#define ARENA_MAX_BYTES ((size_t)1024 * 1024)

enum { FLAG_HTTPS = 1, FLAG_OWN_HOST = 2, FLAG_QUERY = 4 };

static char name[] = "app.example";
static char below[] = "*.example.org";
static char port[] = "with.example:8443";
static char mount[] = "/auth";
static const struct config_list listed = {{name, below, port}, 3};

struct setting {
    bool https;
    struct text host;
};

/* The host and port of a text that url_is_host let through, as a browser has them. */
static bool is_place(const struct browser_place *place, struct text host)
{
    struct browser_place own;
    browser_resolve(TEXT("/"), place->is_https, host, &own);
    return own.is_url && strcmp(own.host, place->host) == 0 && own.port == place->port;
}

static bool is_known(const struct browser_place *place, struct text host)
{
    static const char parent[] = ".example.org";
    size_t len = strlen(place->host);
    size_t parent_len = sizeof parent - 1;
    bool is_default = place->port == (place->is_https ? 443 : 80);
    bool is_below =
        is_default && len > parent_len && strcmp(place->host + len - parent_len, parent) == 0;
    return is_below || is_place(place, host) || is_place(place, text_of(name)) ||
           is_place(place, text_of(port));
}

/* What stands in the target from the path on. */
static struct text path_of(struct text target)
{
    size_t at = 0;
    if (text_has_prefix(target, TEXT("http"))) {
        at = text_has_prefix(target, TEXT("https")) ? 8 : 7;
        while (at < target.len && target.data[at] != '/') {
            at++;
        }
    }
    return at < target.len ? text_from(target, at) : TEXT("/");
}

static void check_accepted(struct text target, const struct setting *setting)
{
    static struct browser_place place;
    browser_resolve(target, setting->https, setting->host, &place);
    fuzz_require(target.len <= URL_TARGET_MAX, "a target is not longer than told");
    fuzz_require(place.is_url && place.is_web, "a target is http or https");
    fuzz_require(!place.has_credentials && !place.is_odd, "a target has a plain host");
    fuzz_require(is_known(&place, setting->host), "a target stays on hosts that are known");
    fuzz_require(!place.was_repaired, "there is nothing to repair in a target");
    fuzz_require(text_equal(path_of(target), text_of(place.path)),
                 "a target's path is the one that stands there");
    fuzz_require(strstr(place.path, "//") == NULL || strchr(place.path, '?') != NULL,
                 "a path is no host in disguise");
}

static void check_location(struct text target)
{
    struct response response;
    struct buffer answer;
    response_init(&response);
    buffer_init(&answer, ARENA_MAX_BYTES);
    response_redirect(&response, 303, target);
    fuzz_require(!response.failed && response_print(&response, false, &answer) == OK,
                 "a target can be sent");
    struct text rest = buffer_text(&answer);
    fuzz_require(text_cut_prefix(&rest, TEXT("Status: 303 See Other\r\nLocation: ")) &&
                     text_cut_prefix(&rest, target) && text_is(rest, "\r\n\r\n"),
                 "a Location is the target and nothing else");
    buffer_clear(&answer);
    response_clear(&response);
}

/* A GET of the URI. */
static int get(struct text uri, const struct setting *setting, struct arena *arena,
               struct request *out)
{
    const char *reason = NULL;
    const struct field items[] = {
        {TEXT("REQUEST_METHOD"), TEXT("GET")},
        {TEXT("REQUEST_URI"), uri},
        {TEXT("REMOTE_ADDR"), TEXT("192.0.2.1")},
        {TEXT("SERVER_PROTOCOL"), TEXT("HTTP/1.1")},
        {TEXT("HTTPS"), setting->https ? TEXT("on") : TEXT("off")},
        {TEXT("HTTP_HOST"), setting->host},
    };
    const struct request_source source = {
        .params = params_judge((struct fields){items, sizeof items / sizeof items[0]}),
        .reads_body = true,
    };
    return request_parse(&source, arena, out, &reason);
}

/* The target that a request for "/auth/login?QUERY" has; none when it is refused. */
static struct text target_of(struct text query, const struct setting *setting,
                             const struct config *config, struct arena *arena)
{
    struct request request;
    struct buffer uri;
    buffer_init(&uri, ARENA_MAX_BYTES);
    buffer_add_string(&uri, "/auth/login?");
    buffer_add_text(&uri, query);
    const char *kept = arena_copy(arena, buffer_text(&uri));
    buffer_clear(&uri);
    fuzz_require(kept != NULL, "there is memory");
    return get(text_of(kept), setting, arena, &request) == 0 ? return_target_get(&request, config)
                                                             : (struct text){0};
}

/* What a web server makes of the escapes of a path, as far as there is room. */
static struct text unescape(struct text path, char *out, size_t room)
{
    size_t len = 0;
    for (size_t i = 0; i < path.len && len < room; i++) {
        bool is_escape = path.data[i] == '%' && i + 2 < path.len;
        int high = is_escape ? text_hex_value(path.data[i + 1]) : -1;
        int low = is_escape ? text_hex_value(path.data[i + 2]) : -1;
        bool is_byte = high >= 0 && low >= 0;
        out[len++] = is_byte ? (char)(high * 16 + low) : path.data[i];
        i += is_byte ? 2 : 0;
    }
    return (struct text){out, len};
}

/* The pages to sign in and out, however their path is escaped. */
static bool is_entrance(struct text target)
{
    char room[32];
    struct text path = unescape(target, room, sizeof room);
    return text_has_prefix(path, TEXT("/auth/login")) ||
           text_has_prefix(path, TEXT("/auth/logout"));
}

/* `next` by itself and in a query must fare alike. */
static bool check_next(struct text next, const struct setting *setting, const struct config *config,
                       struct arena *arena)
{
    struct buffer query;
    bool accepted = url_is_allowed_target(next, setting->host, &listed);
    buffer_init(&query, ARENA_MAX_BYTES);
    buffer_add_string(&query, "a=1&next=");
    buffer_add_percent(&query, next);
    struct text found = target_of(buffer_text(&query), setting, config, arena);
    bool may_be_unreadable = text_has_byte(next, '%'); /* as what is no UTF-8 is; it may go */
    if (accepted && next.len > 0 && !is_entrance(next)) {
        fuzz_require(text_equal(found, next) || (may_be_unreadable && found.len == 0),
                     "next is the same in a query");
    } else {
        fuzz_require(found.len == 0, "next is refused in a query, too");
    }
    buffer_clear(&query);
    return accepted;
}

/* The gate's answer to a request for the target leads back to it. */
static void check_way_back(struct text target, const struct setting *setting,
                           const struct config *config, struct arena *arena)
{
    struct request request;
    struct response response;
    if (target.data[0] != '/' || get(target, setting, arena, &request) != 0) {
        return;
    }
    response_init(&response);
    return_target_ask(&request, config, 303, &response);
    struct text location = buffer_text(&response.headers);
    fuzz_require(!response.failed &&
                     text_cut_prefix(&location, TEXT("Location: /auth/login?next=")) &&
                     location.len > 2,
                 "the gate sends to the login page");
    location.len -= 2;
    struct buffer query;
    buffer_init(&query, ARENA_MAX_BYTES);
    buffer_add_string(&query, "next=");
    buffer_add_text(&query, location);
    struct text found = target_of(buffer_text(&query), setting, config, arena);
    fuzz_require(is_entrance(target) ? found.len == 0 : text_equal(found, target),
                 "the login page leads back");
    buffer_clear(&query);
    response_clear(&response);
}

bool fuzz_one(struct text input)
{
    struct arena *arena = NULL;
    struct config config = {.site = {.path = mount, .return_hosts = listed}};
    uint8_t flags = fuzz_take_byte(&input);
    struct setting setting = {
        .https = (flags & FLAG_HTTPS) != 0,
        .host = (flags & FLAG_OWN_HOST) != 0 ? fuzz_take_piece(&input) : TEXT("auth.example"),
    };
    if (!url_is_host(setting.host)) {
        setting.host = TEXT("auth.example:444");
    }
    fuzz_require(arena_new(ARENA_MAX_BYTES, &arena) == OK, "there is memory");
    struct text target = {0};
    if ((flags & FLAG_QUERY) != 0) {
        target = target_of(input, &setting, &config, arena);
    } else if (check_next(input, &setting, &config, arena)) {
        target = input;
    }
    if (target.len > 0) {
        check_accepted(target, &setting);
        check_location(target);
        check_way_back(target, &setting, &config, arena);
    }
    arena_free(&arena);
    return target.len > 0;
}
