/* One request, read once.
 *
 * A carrier's parameters can be cut short by a client that goes away at the right moment, so what
 * is absent is never given a default: a request without an address, a method or a protocol is
 * refused, not taken for a local GET. Cookies may come in several lines (RFC 9113 §8.2.3 allows it,
 * and nginx passes them on like that).
 *
 * The reading is a row of steps; each fills its part of the request or refuses it, with a reason
 * for the log that holds nothing of the client's. Where the request came from (method and address
 * first) is known before what it wants.
 *
 * Identity is never read here: REMOTE_USER and HTTP_AUTHORIZATION are parameters like any other,
 * and in nginx's stock configuration anybody may make them. */
#include "http/request.h"

#include <string.h>

#include "base/address.h"
#include "http/cookie.h"
#include "http/form.h"
#include "http/url.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

/* What the steps read from and fill. */
struct reading {
    const struct request_source *source;
    struct request *request;
    const char *reason;
};

static int refuse(struct reading *reading, int status, const char *reason)
{
    reading->reason = reason;
    return status;
}

/* The same for a piece that could not be read. */
static int refuse_failure(struct reading *reading, enum status failure, const char *reason)
{
    return failure == ERR_MEMORY ? refuse(reading, 500, "out of memory")
                                 : refuse(reading, 400, reason);
}

static struct text get_param(const struct reading *reading, const char *name)
{
    return fields_get(reading->source->params.fields, name);
}

/* ---- parameters ---- */

static int check_params(struct reading *reading)
{
    const struct params *params = &reading->source->params;
    if (params->verdict == PARAMS_SOUND) {
        return 0;
    }
    return refuse(reading, 400, params->fault != NULL ? params->fault : "nobody judged it");
}

static int read_method(struct reading *reading)
{
    static const struct {
        const char *name;
        enum method method;
    } methods[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_HEAD}, {"POST", METHOD_POST}};

    struct text name = get_param(reading, "REQUEST_METHOD");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (text_is(name, methods[i].name)) {
            reading->request->method = methods[i].method;
        }
    }
    return name.len > 0 ? 0 : refuse(reading, 400, "REQUEST_METHOD is missing");
}

static int read_address(struct reading *reading)
{
    struct text text = get_param(reading, "REMOTE_ADDR");
    struct address address;
    if (address_parse(text, &address) != OK && !text_is(text, "unix:")) {
        return refuse(reading, 400, "REMOTE_ADDR is missing or no IP address");
    }
    reading->request->address = text;
    return 0;
}

/* Who came, by what, and to which name. */
static int read_connection(struct reading *reading)
{
    struct text https = get_param(reading, "HTTPS");
    struct text host = get_param(reading, "HTTP_HOST");
    if (get_param(reading, "SERVER_PROTOCOL").len == 0) {
        return refuse(reading, 400, "SERVER_PROTOCOL is missing");
    }
    reading->request->https = text_is(https, "on") || text_is(https, "1");
    if (!reading->request->https && https.len > 0 && !text_is(https, "off")) {
        return refuse(reading, 400, "HTTPS is neither on nor off");
    }
    if (host.len > 0 && !url_is_host(host)) {
        return refuse(reading, 400, "HTTP_HOST is no host name");
    }
    reading->request->host = host;
    return 0;
}

/* ---- target ---- */

/* Cuts "http://host" off an absolute form, so that *uri begins with its path. */
static bool cut_origin(struct text *uri)
{
    struct text schemes[] = {TEXT("http://"), TEXT("https://")};
    for (size_t i = 0; i < 2; i++) {
        struct text start = {uri->data, schemes[i].len};
        if (uri->len <= start.len || !text_equal_nocase(start, schemes[i])) {
            continue;
        }
        struct text rest = {uri->data + start.len, uri->len - start.len};
        const char *slash = memchr(rest.data, '/', rest.len);
        if (slash == NULL || !url_is_host((struct text){rest.data, (size_t)(slash - rest.data)})) {
            return false;
        }
        *uri = (struct text){slash, rest.len - (size_t)(slash - rest.data)};
    }
    return uri->len > 0 && uri->data[0] == '/';
}

/* Escapes well-formed, and none of them NUL. */
static bool has_sound_escapes(struct text text)
{
    (void)url_take_plain(&text);
    while (text.len > 0) {
        unsigned char byte;
        bool escaped;
        if (!url_take_byte(&text, &byte, &escaped) || byte == '\0') {
            return false;
        }
        (void)url_take_plain(&text);
    }
    return true;
}

static int read_query(struct reading *reading)
{
    struct request *request = reading->request;
    if (!has_sound_escapes(request->query)) {
        return refuse(reading, 400, "the query has a bad escape");
    }
    if (!reading->source->reads_body) {
        return 0;
    }
    enum status status = form_parse(request->query, false, request->arena, &request->fields);
    return status == OK ? 0 : refuse_failure(reading, status, "the query is malformed or too long");
}

static int read_uri(struct reading *reading)
{
    struct request *request = reading->request;
    struct text uri = get_param(reading, "REQUEST_URI");
    if (uri.len == 0) {
        return refuse(reading, 400, "REQUEST_URI is missing");
    }
    if (!text_is_visible(uri) || text_has_byte(uri, '#') || !cut_origin(&uri)) {
        return refuse(reading, 400, "REQUEST_URI is no path");
    }
    struct text query = uri;
    struct text path = text_cut(&query, '?');
    enum status status = form_decode_path(path, request->arena, &request->path);
    if (status != OK) {
        return refuse_failure(reading, status, "the path has bad escapes or characters");
    }
    request->uri = uri;
    request->query = query;
    return read_query(reading);
}

/* ---- headers ---- */

/* All cookie lines as one. ERR_MEMORY. */
static enum status join_cookies(const struct reading *reading, struct text *out)
{
    struct fields params = reading->source->params.fields;
    size_t room = 0;
    for (size_t i = 0; i < params.count; i++) {
        bool is_cookie = text_equal(params.items[i].name, TEXT("HTTP_COOKIE"));
        room += is_cookie ? params.items[i].value.len + 2 : 0;
    }
    char *joined = arena_get(reading->request->arena, room);
    if (joined == NULL) {
        return ERR_MEMORY;
    }
    size_t len = 0;
    for (size_t i = 0; i < params.count; i++) {
        struct text line = params.items[i].value;
        if (line.len > 0 && text_equal(params.items[i].name, TEXT("HTTP_COOKIE"))) {
            memcpy(joined + len, line.data, line.len);
            len += line.len;
            joined[len++] = ';';
            joined[len++] = ' ';
        }
    }
    *out = (struct text){joined, len};
    return OK;
}

static int read_cookies(struct reading *reading)
{
    struct request *request = reading->request;
    struct text joined;
    enum status status = join_cookies(reading, &joined);
    if (status == OK) {
        status = cookie_parse(joined, request->arena, &request->cookies);
    }
    return status == OK ? 0 : refuse_failure(reading, status, "the cookies are malformed");
}

static bool accepts_page(struct text accept)
{
    while (accept.len > 0) {
        struct text range = text_cut(&accept, ',');
        struct text type = text_trim(text_cut(&range, ';'));
        if (text_equal_nocase(type, TEXT("text/html")) ||
            text_equal_nocase(type, TEXT("application/xhtml+xml"))) {
            return true;
        }
    }
    return false;
}

/* Fetch Metadata says it exactly, in browsers that send it; a script cannot set it. */
static int read_is_page(struct reading *reading)
{
    struct request *request = reading->request;
    struct text mode = get_param(reading, "HTTP_SEC_FETCH_MODE");
    struct text dest = get_param(reading, "HTTP_SEC_FETCH_DEST");
    bool is_page;
    if (mode.len == 0 && dest.len == 0) {
        is_page = accepts_page(get_param(reading, "HTTP_ACCEPT"));
    } else {
        bool navigates = mode.len == 0 || text_is(mode, "navigate");
        bool shows = dest.len == 0 || text_is(dest, "document") || text_is(dest, "iframe") ||
                     text_is(dest, "frame");
        is_page = navigates && shows;
    }
    request->is_page = is_page && (request->method == METHOD_GET || request->method == METHOD_HEAD);
    return 0;
}

/* ---- body ---- */

/* The one media type of forms; its only parameter here is the one that changes nothing. */
static bool is_form_type(struct text type)
{
    if (!text_equal_nocase(text_trim(text_cut(&type, ';')), TEXT(FORM_TYPE))) {
        return false;
    }
    while (type.len > 0) {
        struct text parameter = text_trim(text_cut(&type, ';'));
        if (!text_equal_nocase(parameter, TEXT("charset=utf-8")) &&
            !text_equal_nocase(parameter, TEXT("charset=\"utf-8\""))) {
            return false;
        }
    }
    return true;
}

static int check_length(struct reading *reading)
{
    struct text length = get_param(reading, "CONTENT_LENGTH");
    uint64_t bytes = 0;
    if (length.len > 0 && text_parse_number(length, UINT64_MAX, &bytes) != OK) {
        return refuse(reading, 400, "CONTENT_LENGTH is no number");
    }
    if (reading->source->body_too_large) {
        return refuse(reading, 413, "the body is too large");
    }
    if (bytes != reading->source->body.len) {
        return refuse(reading, 400, "the body is not as long as CONTENT_LENGTH says");
    }
    return bytes <= REQUEST_BODY_MAX_BYTES ? 0 : refuse(reading, 413, "the body is too large");
}

static int check_type(struct reading *reading)
{
    struct text type = get_param(reading, "CONTENT_TYPE");
    struct text coding = get_param(reading, "HTTP_CONTENT_ENCODING");
    bool may_lack_type = reading->source->body.len == 0 && type.len == 0;
    if (!may_lack_type && !is_form_type(type)) {
        return refuse(reading, 415, "the body is no form");
    }
    if (coding.len > 0 && !text_equal_nocase(coding, TEXT("identity"))) {
        return refuse(reading, 415, "the body has a content coding");
    }
    return 0;
}

static int read_body(struct reading *reading)
{
    struct request *request = reading->request;
    if (!reading->source->reads_body) {
        return 0;
    }
    int refusal = check_length(reading);
    if (refusal != 0 || request->method != METHOD_POST) {
        return refusal;
    }
    refusal = check_type(reading);
    if (refusal != 0) {
        return refusal;
    }
    enum status status = form_parse(reading->source->body, true, request->arena, &request->form);
    if (status == ERR_TOO_LARGE) {
        return refuse(reading, 413, "the form has too many fields");
    }
    return status == OK ? 0 : refuse_failure(reading, status, "the form is malformed");
}

int request_parse(const struct request_source *source, struct arena *arena, struct request *out,
                  const char **reason)
{
    static int (*const steps[])(struct reading *) = {
        read_method, read_address, check_params, read_connection,
        read_uri,    read_cookies, read_is_page, read_body,
    };
    *out = (struct request){.arena = arena, .role = source->role, .params = source->params.fields};
    struct reading reading = {source, out, ""};
    int refusal = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && refusal == 0; i++) {
        refusal = steps[i](&reading);
    }
    *reason = reading.reason;
    return refusal;
}
