/* Where a browser may be sent after sign-in.
 *
 * The check is a grammar of what is let through, not a list of what is bad: browsers repair URLs
 * (tabs and line ends vanish, "\" is "/", "/.//x" becomes "//x"), so a text is taken only if there
 * is nothing to repair in it. A path: "/", then the characters that RFC 3986 allows raw, and
 * escapes that decode to neither a control character nor, before the "?", a slash of either kind;
 * no empty segment but the last, no segment "." or "..". Brackets are taken in the query, where
 * browsers leave them raw and forms use them ("a[]=1").
 *
 * A URL: "http://" or "https://", a host with perhaps a port, then nothing or such a path. Hosts
 * are compared as text without case: a trailing dot, another spelling of an IP address or an escape
 * make another host. */
#include "http/url.h"

#include <string.h>

#include "base/address.h"

#define NAME_MAX_BYTES  255
#define LABEL_MAX_BYTES 63
#define PORT_HTTP       80
#define PORT_HTTPS      443

struct authority {
    struct text name; /* with brackets when an IP literal */
    uint64_t port;    /* 0: not written */
};

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

struct text url_take_plain(struct text *rest)
{
    struct text after = *rest;
    struct text plain = text_cut(&after, '%');
    *rest = text_from(*rest, plain.len);
    return plain;
}

bool url_take_byte(struct text *rest, unsigned char *byte, bool *escaped)
{
    if (rest->len == 0) {
        return false;
    }
    size_t taken = 1;
    *escaped = rest->data[0] == '%';
    if (*escaped) {
        int high = rest->len >= 3 ? text_hex_value(rest->data[1]) : -1;
        int low = rest->len >= 3 ? text_hex_value(rest->data[2]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        *byte = (unsigned char)(high * 16 + low);
        taken = 3;
    } else {
        *byte = (unsigned char)rest->data[0];
    }
    *rest = text_from(*rest, taken);
    return true;
}

/* ---- hosts ---- */

static bool is_name(struct text name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES) {
        return false;
    }
    size_t label = 0;
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.data[i];
        if (byte == '.' && label > 0) {
            label = 0;
        } else if ((text_is_alphanumeric(byte) || byte == '-' || byte == '_') &&
                   label < LABEL_MAX_BYTES) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

/* "[2001:db8::1]"; mapped addresses count as addresses too. */
static bool is_literal(struct text name)
{
    if (name.len < 2 || name.data[0] != '[' || name.data[name.len - 1] != ']') {
        return false;
    }
    struct text inside = {name.data + 1, name.len - 2};
    struct address address;
    return address_parse(inside, &address) == OK && text_has_byte(inside, ':');
}

/* Reads host[:port]. ERR_INPUT. */
static enum status parse_authority(struct text text, struct authority *out)
{
    struct authority authority = {.name = text};
    size_t colon = text.len;
    while (colon > 0 && text.data[colon - 1] != ':' && text.data[colon - 1] != ']') {
        colon--;
    }
    if (colon > 0 && text.data[colon - 1] == ':') {
        struct text digits = text_from(text, colon);
        authority.name.len = colon - 1;
        if (text_parse_number(digits, UINT16_MAX, &authority.port) != OK || digits.data[0] == '0') {
            return ERR_INPUT;
        }
    }
    if (!is_name(authority.name) && !is_literal(authority.name)) {
        return ERR_INPUT;
    }
    *out = authority;
    return OK;
}

bool url_is_host(struct text text)
{
    struct authority authority;
    return parse_authority(text, &authority) == OK;
}

static uint64_t default_port(bool https)
{
    return https ? PORT_HTTPS : PORT_HTTP;
}

static bool has_port_of(const struct authority *a, const struct authority *b, bool https)
{
    uint64_t port_a = a->port != 0 ? a->port : default_port(https);
    uint64_t port_b = b->port != 0 ? b->port : default_port(https);
    return port_a == port_b;
}

/* Whether `wanted`, reached by http or https, is the host that `text` names. */
static bool is_same_host(const struct authority *wanted, bool https, struct text text)
{
    struct authority host;
    return parse_authority(text, &host) == OK && text_equal_nocase(wanted->name, host.name) &&
           has_port_of(wanted, &host, https);
}

/* The same for an entry of a list, which may begin with "*.". */
static bool is_entry_host(const struct authority *wanted, bool https, struct text entry)
{
    if (!text_has_prefix(entry, TEXT("*."))) {
        return is_same_host(wanted, https, entry);
    }
    struct authority parent;
    struct text dotted = text_from(entry, 1);
    struct text above = text_from(entry, 2);
    if (parse_authority(above, &parent) != OK || !is_name(wanted->name)) {
        return false;
    }
    dotted.len = parent.name.len + 1;
    if (wanted->name.len <= dotted.len) {
        return false;
    }
    struct text end = {wanted->name.data + wanted->name.len - dotted.len, dotted.len};
    return text_equal_nocase(end, dotted) && has_port_of(wanted, &parent, https);
}

/* Cuts "http://" or "https://" off the front of *url. */
static bool cut_scheme(struct text *url, bool *https)
{
    *https = text_cut_prefix(url, TEXT("https://"));
    return *https || text_cut_prefix(url, TEXT("http://"));
}

bool url_is_origin(struct text origin, bool https, struct text host)
{
    struct authority authority;
    bool origin_https;
    if (!cut_scheme(&origin, &origin_https) || (https && !origin_https)) {
        return false;
    }
    return parse_authority(origin, &authority) == OK &&
           is_same_host(&authority, origin_https, host);
}

/* ---- paths ---- */

static bool is_path_byte(unsigned char byte)
{
    static const struct text marks = TEXT_INIT("._~!$&'()*+,;=:@/-");
    return text_is_alphanumeric((char)byte) || text_has_byte(marks, (char)byte);
}

static bool is_query_byte(unsigned char byte)
{
    return is_path_byte(byte) || byte == '?' || byte == '[' || byte == ']';
}

static bool is_sound_query(struct text query)
{
    while (query.len > 0) {
        unsigned char byte;
        bool escaped;
        if (!url_take_byte(&query, &byte, &escaped) ||
            (escaped ? is_control(byte) : !is_query_byte(byte))) {
            return false;
        }
    }
    return true;
}

/* One segment of a path, between slashes; not an empty one. Escaped dots are dots for browsers. */
static bool is_sound_segment(struct text segment)
{
    size_t count = 0;
    size_t dots = 0;
    while (segment.len > 0) {
        unsigned char byte;
        bool escaped;
        if (!url_take_byte(&segment, &byte, &escaped) || byte == '/' || byte == '\\' ||
            (escaped ? is_control(byte) : !is_path_byte(byte))) {
            return false;
        }
        count++;
        dots += byte == '.';
    }
    return dots != count || count > 2;
}

/* A path, perhaps with a query, that every browser reads as it stands. */
static bool is_sound_path(struct text path)
{
    struct text query = path;
    struct text rest = text_cut(&query, '?');
    if (!is_sound_query(query) || !text_cut_prefix(&rest, TEXT("/"))) {
        return false;
    }
    while (rest.len > 0) {
        struct text segment = text_cut(&rest, '/');
        if (!is_sound_segment(segment)) {
            return false;
        }
    }
    return true;
}

/* Cuts what stands before the first '/' off the front of *url; the '/' stays. */
static struct text cut_authority(struct text *url)
{
    const char *slash = url->len > 0 ? memchr(url->data, '/', url->len) : NULL;
    size_t len = slash != NULL ? (size_t)(slash - url->data) : url->len;
    struct text authority = {url->data, len};
    *url = text_from(*url, len);
    return authority;
}

static bool is_allowed_host(const struct authority *wanted, bool https, struct text host,
                            const struct config_list *allowed)
{
    bool found = is_same_host(wanted, https, host);
    for (size_t i = 0; i < allowed->count && !found; i++) {
        found = is_entry_host(wanted, https, text_of(allowed->items[i]));
    }
    return found;
}

bool url_is_allowed_target(struct text target, struct text host, const struct config_list *allowed)
{
    struct authority authority;
    bool https;
    if (target.len > URL_TARGET_MAX) {
        return false;
    }
    if (!cut_scheme(&target, &https)) {
        return is_sound_path(target);
    }
    return parse_authority(cut_authority(&target), &authority) == OK &&
           (target.len == 0 || is_sound_path(target)) &&
           is_allowed_host(&authority, https, host, allowed);
}
