/* Cookies, read and written (RFC 6265bis §4).
 *
 * Reading repairs nothing: names and values are bytes, compared exactly by whoever asks. No escape
 * is decoded, no quote removed, no white space but blanks and tabs trimmed: a name that only looks
 * like ours ("%5f%5fHost-x", U+00A0 before it) may have been set by a neighbouring host that is not
 * allowed to set ours. Nameless pairs ("=v", "v") are nothing.
 *
 * Writing: "name=value; Path=/; [Max-Age=n;] [Domain=d;] [Secure;] HttpOnly; SameSite=Lax". A
 * browser ignores a prefixed cookie that lacks what its prefix promises, and a user would never be
 * signed in: that is a 500 here, with the reason in the log. */
#include "http/cookie.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "http/url.h"

static size_t count_pieces(struct text list)
{
    size_t count = 0;
    while (list.len > 0) {
        (void)text_cut(&list, ';');
        count++;
    }
    return count;
}

enum status cookie_parse(struct text header, struct arena *arena, struct fields *out)
{
    size_t room = count_pieces(header);
    room = room < COOKIE_LIST_MAX ? room : COOKIE_LIST_MAX;
    struct field *items = arena_get_array(arena, room, sizeof *items);
    if (items == NULL) {
        return ERR_MEMORY;
    }
    size_t count = 0;
    /* cppcheck-suppress knownConditionTrueFalse ; the list that count_pieces used up is a copy */
    while (header.len > 0 && count < room) {
        struct text piece = text_cut(&header, ';');
        if (!text_has_byte(piece, '=')) {
            continue;
        }
        struct text name = text_trim(text_cut(&piece, '='));
        if (name.len > 0) {
            struct text value = text_trim(piece);
            items[count++] = (struct field){name, value.len > 0 ? value : TEXT("")};
        }
    }
    *out = (struct fields){items, count};
    return OK;
}

/* RFC 6265bis §4.1.1. */
static bool is_cookie_octets(struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.data[i];
        if (byte <= 0x20 || byte >= 0x7f || strchr("\",;\\", byte) != NULL) {
            return false;
        }
    }
    return true;
}

static bool has_domain(const struct cookie *cookie)
{
    return cookie->domain != NULL && cookie->domain[0] != '\0';
}

/* Why browsers would not keep this cookie; NULL when they do. */
static const char *find_fault(const struct cookie *cookie)
{
    struct text name = text_of(cookie->name);
    if (name.len == 0 || !text_consists_of(name, "-_") || !is_cookie_octets(cookie->value)) {
        return "its name or value has characters that are not allowed";
    }
    if (has_domain(cookie) &&
        (!url_is_host(text_of(cookie->domain)) || strpbrk(cookie->domain, ":["))) {
        return "its domain is no host name";
    }
    if (text_has_prefix(name, TEXT("__Host-")) && (!cookie->secure || has_domain(cookie))) {
        return "__Host- promises Secure and no Domain";
    }
    if (text_has_prefix(name, TEXT("__Secure-")) && !cookie->secure) {
        return "__Secure- promises Secure";
    }
    return NULL;
}

static void print_attributes(const struct cookie *cookie, bool forget, struct buffer *out)
{
    buffer_add_string(out, "; Path=/");
    if (forget) {
        buffer_add_string(out, "; Max-Age=0");
    } else if (cookie->keep) {
        int64_t max_age_s = cookie->max_age_s > 0 ? cookie->max_age_s : 0;
        buffer_print(out, "; Max-Age=%" PRId64, max_age_s);
    }
    if (has_domain(cookie)) {
        buffer_print(out, "; Domain=%s", cookie->domain);
    }
    buffer_add_string(out, cookie->secure ? "; Secure" : "");
    buffer_add_string(out, "; HttpOnly; SameSite=Lax");
}

size_t cookie_room(const struct cookie *cookie)
{
    struct buffer rest;
    buffer_init(&rest, COOKIE_MAX_BYTES);
    buffer_print(&rest, "%s=", cookie->name);
    print_attributes(cookie, false, &rest);
    size_t room = rest.failed ? 0 : COOKIE_MAX_BYTES - rest.len;
    buffer_clear(&rest);
    return room;
}

bool cookie_print(const struct cookie *cookie, struct buffer *out, const char **fault)
{
    struct buffer line;
    const char *reason = find_fault(cookie);
    buffer_init(&line, COOKIE_MAX_BYTES);
    if (reason == NULL) {
        buffer_print(&line, "%s=", cookie->name);
        buffer_add_text(&line, cookie->value);
        print_attributes(cookie, cookie->value.len == 0, &line);
        reason = line.failed ? "it is larger than browsers keep" : NULL;
    }
    if (reason == NULL) {
        buffer_add_text(out, buffer_text(&line));
        reason = out->failed ? "there is no room for it" : NULL;
    }
    buffer_clear(&line);
    if (reason != NULL) {
        *fault = reason;
    }
    return reason == NULL;
}

void cookie_set(struct response *response, const struct cookie *cookie)
{
    const char *fault = NULL;
    struct buffer line;
    buffer_init(&line, COOKIE_MAX_BYTES);
    if (cookie_print(cookie, &line, &fault)) {
        response_add_header(response, "Set-Cookie", buffer_text(&line));
    } else {
        log_error("a cookie cannot be set: %s", fault);
        response->failed = true;
    }
    buffer_clear(&line);
}
