/* One answer, made whole and printed once.
 *
 * To a web server that asks whether another request may pass, 200 means yes, and an answer without
 * a Status means 200. So everything here falls to the other side: the answer starts as 500, Status
 * is its first line always, nobody can add another one, and an answer of which any piece could not
 * be made is an empty 500. Nothing is repaired: a header with a line end in it has been made of
 * something that was not checked, and who asked shall not get the rest of it either.
 *
 * An answer without a Location stands for itself; one with a Location always has a Status beside
 * it, else a server may run the path internally and lose the other headers (RFC 3875 §6.2.2). */
#include "http/response.h"

#include <string.h>

#include "base/log.h"

static const struct reason {
    int status;
    const char *phrase;
} reasons[] = {
    {200, "OK"},
    {204, "No Content"},
    {303, "See Other"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

const char *response_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].phrase;
        }
    }
    return "Error";
}

void response_init(struct response *response)
{
    response->status = 500;
    response->failed = false;
    buffer_init(&response->headers, RESPONSE_HEADERS_MAX);
    buffer_init(&response->body, RESPONSE_BODY_MAX);
}

void response_clear(struct response *response)
{
    buffer_clear(&response->headers);
    buffer_clear(&response->body);
    response->status = 500;
    response->failed = false;
}

void response_reset(struct response *response)
{
    buffer_reset(&response->headers);
    buffer_reset(&response->body);
    response->status = 500;
    response->failed = false;
}

/* RFC 9110 §5.6.2. */
static bool is_token(const char *name)
{
    return name[0] != '\0' && text_consists_of(text_of(name), "!#$%&'*+-.^_`|~");
}

void response_add_header(struct response *response, const char *name, struct text value)
{
    if (!is_token(name) || text_equal_nocase(text_of(name), TEXT("Status"))) {
        log_error("an answer is refused: a header cannot be named \"%s\"", name);
        response->failed = true;
    } else if (text_has_control(value)) {
        log_error("an answer is refused: the header %s has a control character", name);
        response->failed = true;
    } else {
        buffer_add_string(&response->headers, name);
        buffer_add_string(&response->headers, ": ");
        buffer_add_text(&response->headers, value);
        buffer_add_string(&response->headers, "\r\n");
    }
}

void response_add_optional(struct response *response, const char *name, struct text value)
{
    if (value.len > 0) {
        response_add_header(response, name, value);
    }
}

/* An absolute path or http(s) URL, of the bytes that a URL is made of. */
static bool is_location(struct text location)
{
    if (!text_is_visible(location) || text_has_byte(location, '\\')) {
        return false;
    }
    bool is_path = text_has_prefix(location, TEXT("/")) && !text_has_prefix(location, TEXT("//"));
    return is_path || text_has_prefix(location, TEXT("http://")) ||
           text_has_prefix(location, TEXT("https://"));
}

void response_redirect(struct response *response, int status, struct text location)
{
    /* nginx takes the Location of a 401 for its own redirection. */
    if ((status / 100 != 3 && status != 401) || !is_location(location)) {
        log_error("an answer is refused: no place to redirect to, or %d is no redirection", status);
        response->failed = true;
        return;
    }
    response->status = status;
    response_add_header(response, "Location", location);
}

/* What can be sent; otherwise the answer is an empty 500. */
static bool is_whole(const struct response *response)
{
    if (response->headers.failed || response->body.failed) {
        log_error("an answer is refused: its %s did not fit",
                  response->headers.failed ? "headers" : "body");
        return false;
    }
    if (response->status < 200 || response->status > 599) {
        log_error("an answer is refused: its status is %d", response->status);
        return false;
    }
    return !response->failed;
}

/* Of a status of three digits; printf would take as long as all the rest of an answer. */
static void print_status(int status, struct buffer *out)
{
    const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                           (char)('0' + status % 10)};
    buffer_add_string(out, "Status: ");
    buffer_add(out, digits, sizeof digits);
    buffer_add_string(out, " ");
    buffer_add_string(out, response_reason(status));
    buffer_add_string(out, "\r\n");
}

enum status response_print(const struct response *response, bool head_only, struct buffer *out)
{
    bool whole = is_whole(response);
    int status = whole ? response->status : 500;
    struct text headers = {NULL, 0};
    struct text body = {NULL, 0};
    if (whole) {
        headers = buffer_text(&response->headers);
    }
    if (whole && !head_only && status != 204 && status != 304) {
        body = buffer_text(&response->body);
    }
    /* The longest status line is far below this. */
    size_t wanted = out->len + headers.len + body.len + 64;
    print_status(status, out);
    buffer_add_text(out, headers);
    buffer_add_string(out, "\r\n");
    buffer_add_text(out, body);
    if (!out->failed) {
        return OK;
    }
    return wanted > out->limit ? ERR_TOO_LARGE : ERR_MEMORY;
}
