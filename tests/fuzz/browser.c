/* The order of things is the standard's: strip, leave out tabs and line ends, scheme, slashes,
 * authority, path. A backslash is a slash in web addresses. Percent signs are decoded in the host.
 * Hosts that are not plain ASCII are not followed further (IDNA): they are called odd. */
#include "browser.h"

#include <stdio.h>
#include <string.h>

struct source {
    char bytes[BROWSER_TEXT_MAX];
    size_t len, at;
};

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* C0 controls and spaces at both ends, tabs and line ends anywhere. */
static void strip(struct text target, struct source *source, struct browser_place *out)
{
    size_t from = 0;
    size_t to = target.len;
    while (from < to && (unsigned char)target.data[from] <= ' ') {
        from++;
    }
    while (to > from && (unsigned char)target.data[to - 1] <= ' ') {
        to--;
    }
    for (size_t i = from; i < to; i++) {
        char c = target.data[i];
        if (c != '\t' && c != '\n' && c != '\r') {
            source->bytes[source->len++] = c;
        }
    }
    out->was_repaired = source->len != target.len;
}

/* The length of "scheme:", or 0. */
static size_t read_scheme(const struct source *source)
{
    size_t i = 0;
    if (source->len == 0 || !is_letter(source->bytes[0])) {
        return 0;
    }
    while (i < source->len &&
           (text_is_alphanumeric(source->bytes[i]) || memchr("+-.", source->bytes[i], 3) != NULL)) {
        i++;
    }
    return i < source->len && source->bytes[i] == ':' ? i + 1 : 0;
}

/* host[:port], without the part before an '@'. */
static void read_authority(struct text authority, struct browser_place *out)
{
    size_t at = authority.len;
    while (at > 0 && authority.data[at - 1] != '@') {
        at--;
    }
    out->has_credentials = at > 0;
    struct text host = text_from(authority, at);
    size_t colon = host.len;
    while (colon > 0 && host.data[colon - 1] != ':' && host.data[colon - 1] != ']') {
        colon--;
    }
    if (colon > 0 && host.data[colon - 1] == ':') {
        struct text digits = text_from(host, colon);
        uint64_t port = 0;
        host.len = colon - 1;
        if (digits.len > 0 && text_parse_number(digits, 65535, &port) != OK) {
            out->is_url = false;
        } else if (digits.len > 0) {
            out->port = (uint32_t)port;
        }
    }
    if (host.len == 0) {
        out->is_url = false;
    }
    for (size_t i = 0; i < host.len; i++) {
        out->host[i] = text_lower(host.data[i]);
        out->is_odd = out->is_odd || (!text_is_alphanumeric(host.data[i]) &&
                                      memchr(".-_[]:", host.data[i], 6) == NULL);
    }
}

static bool is_dots(struct text segment, size_t wanted)
{
    size_t dots = 0;
    while (segment.len > 0) {
        if (segment.data[0] == '.') {
            segment = text_from(segment, 1);
        } else if (segment.len >= 3 && segment.data[0] == '%' && segment.data[1] == '2' &&
                   text_lower(segment.data[2]) == 'e') {
            segment = text_from(segment, 3);
        } else {
            return false;
        }
        dots++;
    }
    return dots == wanted;
}

static void put_segment(struct text segment, bool is_last, struct browser_place *out)
{
    size_t len = strlen(out->path);
    if (is_dots(segment, 2)) {
        while (len > 0 && out->path[len - 1] != '/') {
            len--;
        }
        len -= len > 0;
        out->path[len] = '\0';
        segment.len = 0;
    } else if (is_dots(segment, 1)) {
        segment.len = 0;
    } else {
        (void)snprintf(out->path + len, sizeof out->path - len, "/%.*s", (int)segment.len,
                       text_bytes(segment));
        return;
    }
    if (is_last) {
        (void)snprintf(out->path + len, sizeof out->path - len, "/");
    }
}

static void read_path(struct text path, struct browser_place *out)
{
    size_t end = 0;
    while (end < path.len && path.data[end] != '?' && path.data[end] != '#') {
        end++;
    }
    struct text behind = text_from(path, end);
    struct text query =
        behind.len > 0 && behind.data[0] == '?' ? text_cut(&behind, '#') : (struct text){0};
    size_t at = end > 0 && is_slash(path.data[0]) ? 1 : 0;
    bool is_last = false;
    while (!is_last) {
        size_t from = at;
        while (at < end && !is_slash(path.data[at])) {
            at++;
        }
        is_last = at == end;
        out->was_repaired = out->was_repaired || (!is_last && path.data[at] == '\\');
        put_segment((struct text){path.data + from, at - from}, is_last, out);
        at++;
    }
    size_t len = strlen(out->path);
    (void)snprintf(out->path + len, sizeof out->path - len, "%.*s", (int)query.len,
                   text_bytes(query));
}

static size_t count_slashes(const struct source *source)
{
    size_t count = 0;
    while (source->at + count < source->len && is_slash(source->bytes[source->at + count])) {
        count++;
    }
    return count;
}

static struct text take_authority(struct source *source)
{
    size_t from = source->at;
    while (source->at < source->len && !is_slash(source->bytes[source->at]) &&
           source->bytes[source->at] != '?' && source->bytes[source->at] != '#') {
        source->at++;
    }
    return (struct text){source->bytes + from, source->at - from};
}

/* Reads the scheme. Whether what follows names a host. */
static bool begin(struct source *source, bool https, struct browser_place *out)
{
    size_t scheme = read_scheme(source);
    struct text name = {source->bytes, scheme};
    bool is_same = text_equal_nocase(name, https ? TEXT("https:") : TEXT("http:"));
    out->is_https = scheme > 0 ? text_equal_nocase(name, TEXT("https:")) : https;
    out->is_web = scheme == 0 || out->is_https || text_equal_nocase(name, TEXT("http:"));
    source->at = scheme;
    size_t slashes = count_slashes(source);
    /* "https:x" is relative to an https page; "http:x" there names the host x. */
    if (scheme == 0 || is_same) {
        bool names_host = slashes >= 2;
        source->at += names_host ? slashes : 0;
        out->was_repaired = out->was_repaired || (scheme > 0 && slashes != 2);
        return names_host;
    }
    source->at += slashes;
    out->was_repaired = out->was_repaired || slashes != 2;
    return true;
}

void browser_resolve(struct text target, bool https, struct text host, struct browser_place *out)
{
    struct source source = {.len = 0};
    *out = (struct browser_place){.is_url = target.len < BROWSER_TEXT_MAX && host.len > 0};
    if (!out->is_url) {
        return;
    }
    strip(target, &source, out);
    bool names_host = begin(&source, https, out);
    if (!out->is_web) {
        return;
    }
    out->port = out->is_https ? 443 : 80;
    read_authority(names_host ? take_authority(&source) : host, out);
    read_path((struct text){source.bytes + source.at, source.len - source.at}, out);
}
