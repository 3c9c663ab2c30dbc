/* The Cookie header, and the Set-Cookie line.
 *
 * Promised of what is read: names and values are pieces of the header as they stand there, and the
 * list of them, written down, reads as the same list. Of what is written: a browser that splits it
 * as RFC 6265bis §5.6 says finds the name, the value and the attributes that were asked for, no
 * other ones, and no line end; what would not be kept is refused, and then nothing is written.
 *
 * Input: a byte of flags, the name and the domain (a byte of length before each), then the header,
 * which is also the value. */
#include "fuzz.h"

#include <stdio.h>

#include "http/cookie.h"

#define ARENA_MAX_BYTES ((size_t)1024 * 1024)

enum { FLAG_SECURE = 1, FLAG_KEEP = 2, FLAG_AGE = 4 };

static void check_list(struct text header, struct fields cookies)
{
    fuzz_require(cookies.count <= COOKIE_LIST_MAX, "a list of cookies has an end");
    const char *at = header.data;
    for (size_t i = 0; i < cookies.count; i++) {
        struct text name = cookies.items[i].name;
        struct text value = cookies.items[i].value;
        fuzz_require(name.data >= at && name.len > 0, "names stand in the header, in its order");
        at = name.data + name.len;
        fuzz_require(!text_has_byte(name, ';') && !text_has_byte(name, '='),
                     "a name ends before the first = or ;");
        fuzz_require(!text_has_byte(value, ';'), "a value ends before the first ;");
        fuzz_require(value.data != NULL, "a cookie that is there has a value");
        fuzz_require(value.len == 0 || value.data > at, "a value stands behind its name");
        fuzz_require(text_trim(name).len == name.len && text_trim(value).len == value.len,
                     "no blanks around names and values");
        at = value.len > 0 ? value.data + value.len : at;
    }
    fuzz_require(at <= header.data + header.len, "nothing stands behind the header");
}

static void check_again(struct fields cookies, struct arena *arena)
{
    struct fields again;
    struct buffer header;
    buffer_init(&header, ARENA_MAX_BYTES);
    for (size_t i = 0; i < cookies.count; i++) {
        buffer_add_text(&header, cookies.items[i].name);
        buffer_add_string(&header, "=");
        buffer_add_text(&header, cookies.items[i].value);
        buffer_add_string(&header, "; ");
    }
    fuzz_require(cookie_parse(buffer_text(&header), arena, &again) == OK &&
                     again.count == cookies.count,
                 "a list that is written down reads as the same list");
    for (size_t i = 0; i < again.count; i++) {
        fuzz_require(text_equal(again.items[i].name, cookies.items[i].name) &&
                         text_equal(again.items[i].value, cookies.items[i].value),
                     "a list that is written down reads as the same list");
    }
    buffer_clear(&header);
}

static bool read_header(struct text header)
{
    struct arena *arena = NULL;
    struct fields cookies = {0};
    fuzz_require(arena_new(ARENA_MAX_BYTES, &arena) == OK, "there is memory");
    fuzz_require(cookie_parse(header, arena, &cookies) == OK, "every header can be read");
    check_list(header, cookies);
    check_again(cookies, arena);
    bool is_any = cookies.count > 0;
    arena_free(&arena);
    return is_any;
}

/* How often a browser finds the attribute, and what it says at last. */
static size_t find_attribute(struct text line, const char *name, struct text *value)
{
    size_t count = 0;
    (void)text_cut(&line, ';');
    while (line.len > 0) {
        struct text piece = text_cut(&line, ';');
        struct text found = text_trim(text_cut(&piece, '='));
        if (text_equal_nocase(found, text_of(name))) {
            count++;
            *value = text_trim(piece);
        }
    }
    return count;
}

static void check_line(struct text line, const struct cookie *cookie)
{
    struct text value = {0};
    struct text rest = line;
    struct text pair = text_cut(&rest, ';');
    fuzz_require(text_equal(text_trim(text_cut(&pair, '=')), text_of(cookie->name)) &&
                     text_equal(text_trim(pair), cookie->value),
                 "a browser finds the name and the value");
    fuzz_require(!text_has_control(line), "no line end and no other control in a cookie");
    fuzz_require(line.len <= COOKIE_MAX_BYTES, "a cookie is not larger than browsers keep");
    fuzz_require(find_attribute(line, "HttpOnly", &value) == 1, "no script reads the cookie");
    fuzz_require(find_attribute(line, "SameSite", &value) == 1 && text_is(value, "Lax"),
                 "no other site has the cookie sent");
    fuzz_require(find_attribute(line, "Path", &value) == 1 && text_is(value, "/"), "one path");
    fuzz_require(find_attribute(line, "Secure", &value) == cookie->secure, "Secure if asked for");
    bool ages = cookie->keep || cookie->value.len == 0;
    fuzz_require(find_attribute(line, "Max-Age", &value) == ages, "Max-Age if it is kept");
    bool spreads = cookie->domain[0] != '\0';
    fuzz_require(find_attribute(line, "Domain", &value) == spreads, "Domain if asked for");
    fuzz_require(!text_has_prefix(text_of(cookie->name), TEXT("__Host-")) ||
                     (cookie->secure && !spreads),
                 "__Host- keeps what it promises");
    fuzz_require(!text_has_prefix(text_of(cookie->name), TEXT("__Secure-")) || cookie->secure,
                 "__Secure- keeps what it promises");
}

static bool write_line(const struct cookie *cookie)
{
    struct buffer line;
    const char *fault = NULL;
    buffer_init(&line, COOKIE_MAX_BYTES * 2);
    bool is_written = cookie_print(cookie, &line, &fault);
    if (is_written) {
        check_line(buffer_text(&line), cookie);
        fuzz_require(cookie->value.len <= cookie_room(cookie), "the room is told right");
    } else {
        fuzz_require(fault != NULL && line.len == 0, "what is refused leaves nothing");
    }
    buffer_clear(&line);
    return is_written;
}

bool fuzz_one(struct text input)
{
    char name[256];
    char domain[256];
    uint8_t flags = fuzz_take_byte(&input);
    struct text name_text = fuzz_take_piece(&input);
    struct text domain_text = fuzz_take_piece(&input);
    (void)snprintf(name, sizeof name, "%.*s", (int)name_text.len, text_bytes(name_text));
    (void)snprintf(domain, sizeof domain, "%.*s", (int)domain_text.len, text_bytes(domain_text));
    const struct cookie cookie = {
        .name = name,
        .value = input,
        .domain = domain,
        .secure = (flags & FLAG_SECURE) != 0,
        .keep = (flags & FLAG_KEEP) != 0,
        .max_age_s = (flags & FLAG_AGE) != 0 ? INT64_MAX : -1,
    };
    bool is_read = read_header(input);
    bool is_written = write_line(&cookie);
    return is_read || is_written;
}
