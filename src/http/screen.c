/* The judge of FastCGI records.
 *
 * libfcgi believes what it reads: it answers management records into a buffer of fixed size, takes
 * a stream that was cut for a request that is complete, allocates what a length says, and waits for
 * bytes that may never come. So it gets to read a connection only when this file has found one
 * whole request there, made of these records and no others, all version 1 and of one id but 0:
 *
 *     BEGIN_REQUEST                  8 bytes: role 1 (responder) or 2 (authorizer), flags
 *     PARAMS                         any number with content, split anywhere
 *     PARAMS, empty
 *     STDIN                          responder: any number with content
 *     STDIN, empty                   responder: must be there; authorizer: may be there
 *
 * Nothing may follow: one request per connection, so what follows is smuggled or a mistake. An
 * authorizer is complete without STDIN, for some servers send none (mod_authnz_fcgi).
 *
 * A name and value are each preceded by a length of one byte, or of four when the first bit is set.
 * A pair may be split over records, so pairs are checked in the gathered stream.
 *
 * Not judged here: what the parameters hold (params.c), whether required ones are there and what
 * they mean (request.c). */
#include "http/screen.h"

#include <fastcgi.h>
#include <string.h>

enum phase { PHASE_BEGIN, PHASE_PARAMS, PHASE_STDIN, PHASE_END, PHASE_BROKEN };

/* Offsets in a record header, and in the body of BEGIN_REQUEST. */
enum { AT_VERSION, AT_TYPE, AT_ID, AT_CONTENT = 4, AT_PADDING = 6 };
enum { AT_ROLE, AT_FLAGS = 2 };

#define LONG_LENGTH 0x80 /* the bit of a length that takes four bytes */

/* NOLINTNEXTLINE(readability-non-const-parameter): what is fed later is written there. */
void screen_init(struct screen *screen, char *params)
{
    *screen = (struct screen){.phase = PHASE_BEGIN, .gathered = params};
}

static void refuse(struct screen *screen, const char *reason)
{
    screen->phase = PHASE_BROKEN;
    screen->reason = reason;
}

static uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)((unsigned)bytes[0] << 8 | bytes[1]);
}

/* Adds to a sum that stays bounded by what the connection sent. */
static void count(struct screen *screen, size_t *sum, size_t content, size_t limit)
{
    *sum += content;
    if (*sum > limit) {
        screen->too_large = true;
    }
}

static void begin_params(struct screen *screen, size_t content)
{
    if (content > 0) {
        count(screen, &screen->params_bytes, content, PARAMS_MAX_BYTES);
    } else {
        screen->phase = PHASE_STDIN;
        screen->params_whole = !screen->too_large;
    }
}

static void begin_stdin(struct screen *screen, size_t content)
{
    if (content == 0) {
        screen->phase = PHASE_END;
        screen->input_ended = true;
    } else if (screen->role == ROLE_AUTHORIZER) {
        refuse(screen, "an authorizer was sent a body");
    } else {
        count(screen, &screen->body_bytes, content, REQUEST_BODY_MAX_BYTES);
    }
}

/* Which record each phase waits for, and what is said when it is another one. */
static const struct {
    uint8_t type;
    const char *otherwise;
} expected[] = {
    [PHASE_BEGIN] = {FCGI_BEGIN_REQUEST, "a request that does not start with BEGIN_REQUEST"},
    [PHASE_PARAMS] = {FCGI_PARAMS, "another record before the end of the parameters"},
    [PHASE_STDIN] = {FCGI_STDIN, "another record before the end of the body"},
};

static void begin_record(struct screen *screen)
{
    const uint8_t *header = screen->part;
    uint16_t id = read_u16(header + AT_ID);
    size_t content = read_u16(header + AT_CONTENT);
    screen->part_bytes = 0;
    screen->type = header[AT_TYPE];
    screen->content_left = content;
    screen->padding_left = header[AT_PADDING];
    if (header[AT_VERSION] != FCGI_VERSION_1) {
        refuse(screen, "not FastCGI version 1");
    } else if (id == FCGI_NULL_REQUEST_ID) {
        refuse(screen, "a management record");
    } else if (screen->request_id != 0 && id != screen->request_id) {
        refuse(screen, "the request id changed");
    } else if (screen->phase == PHASE_END) {
        refuse(screen, "a record after the end of the request");
    } else if (screen->phase == PHASE_STDIN && screen->type == FCGI_BEGIN_REQUEST) {
        refuse(screen, "a request that begins anew before its end, as lighttpd's does when a first "
                       "try to send it failed");
    } else if (screen->type != expected[screen->phase].type) {
        refuse(screen, expected[screen->phase].otherwise);
    } else if (screen->phase == PHASE_PARAMS) {
        begin_params(screen, content);
    } else if (screen->phase == PHASE_STDIN) {
        begin_stdin(screen, content);
    } else if (content != SCREEN_HEADER_BYTES) {
        refuse(screen, "a BEGIN_REQUEST that is not 8 bytes");
    }
    screen->request_id = id;
}

static void end_begin(struct screen *screen)
{
    uint16_t role = read_u16(screen->part + AT_ROLE);
    screen->keep_conn = (screen->part[AT_FLAGS] & FCGI_KEEP_CONN) != 0;
    screen->part_bytes = 0;
    screen->phase = PHASE_PARAMS;
    if (role == FCGI_RESPONDER) {
        screen->role = ROLE_RESPONDER;
    } else if (role == FCGI_AUTHORIZER) {
        screen->role = ROLE_AUTHORIZER;
    } else {
        refuse(screen, "a role other than responder and authorizer");
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Gathers a header or the body of BEGIN_REQUEST; returns how many bytes it took. */
static size_t take_part(struct screen *screen, struct text bytes)
{
    size_t taken = smaller(sizeof screen->part - screen->part_bytes, bytes.len);
    memcpy(screen->part + screen->part_bytes, bytes.data, taken);
    screen->part_bytes += taken;
    return taken;
}

static void keep_params(struct screen *screen, const char *bytes, size_t len)
{
    /* params_bytes counts the whole record already; this is where the present piece belongs. */
    size_t at = screen->params_bytes - screen->content_left;
    if (screen->gathered != NULL && !screen->too_large) {
        memcpy(screen->gathered + at, bytes, len);
    }
}

static size_t take_content(struct screen *screen, struct text bytes)
{
    size_t taken = smaller(screen->content_left, bytes.len);
    if (screen->type == FCGI_BEGIN_REQUEST) {
        taken = take_part(screen, bytes);
    } else if (screen->type == FCGI_PARAMS) {
        keep_params(screen, bytes.data, taken);
    }
    screen->content_left -= taken;
    if (screen->type == FCGI_BEGIN_REQUEST && screen->content_left == 0) {
        end_begin(screen);
    }
    return taken;
}

/* Takes the next piece of one kind. */
static size_t take(struct screen *screen, struct text bytes)
{
    size_t taken = 0;
    if (screen->content_left > 0) {
        taken = take_content(screen, bytes);
    } else if (screen->padding_left > 0) {
        taken = smaller(screen->padding_left, bytes.len);
        screen->padding_left -= taken;
    } else if (screen->phase == PHASE_END) {
        refuse(screen, "bytes after the end of the request");
    } else {
        taken = take_part(screen, bytes);
        if (screen->part_bytes == sizeof screen->part) {
            begin_record(screen);
        }
    }
    return taken;
}

static bool is_complete(const struct screen *screen)
{
    if (screen->content_left > 0 || screen->padding_left > 0) {
        return false;
    }
    return screen->phase == PHASE_END ||
           (screen->phase == PHASE_STDIN && screen->role == ROLE_AUTHORIZER);
}

enum screen_verdict screen_feed(struct screen *screen, struct text bytes)
{
    while (bytes.len > 0 && screen->phase != PHASE_BROKEN) {
        size_t taken = take(screen, bytes);
        bytes = text_from(bytes, taken);
        screen->total_bytes += taken;
    }
    if (screen->phase == PHASE_BROKEN) {
        return SCREEN_MALFORMED;
    }
    return is_complete(screen) ? SCREEN_COMPLETE : SCREEN_INCOMPLETE;
}

/* Cuts a length off the front. */
static enum status read_length(struct text *rest, size_t *out)
{
    const uint8_t *bytes = (const uint8_t *)rest->data;
    if (bytes == NULL || rest->len == 0) {
        return ERR_INPUT;
    }
    size_t width = (bytes[0] & LONG_LENGTH) != 0 ? 4 : 1;
    if (rest->len < width) {
        return ERR_INPUT;
    }
    *out = bytes[0];
    if (width == 4) {
        *out = (size_t)(bytes[0] & ~LONG_LENGTH) << 24 | (size_t)bytes[1] << 16 |
               (size_t)bytes[2] << 8 | bytes[3];
    }
    *rest = text_from(*rest, width);
    return OK;
}

enum status screen_next_pair(struct text *rest, struct field *out)
{
    struct text left = *rest;
    size_t name_len = 0;
    size_t value_len = 0;
    if (read_length(&left, &name_len) != OK || read_length(&left, &value_len) != OK ||
        name_len > left.len || value_len > left.len - name_len) {
        return ERR_INPUT;
    }
    out->name = (struct text){left.data, name_len};
    out->value = (struct text){left.data + name_len, value_len};
    *rest = text_from(left, name_len + value_len);
    return OK;
}

static void judge_params(struct screen *screen, struct field pairs[SCREEN_PARAMS_MAX])
{
    struct text rest = {screen->gathered, screen->params_bytes};
    size_t found = 0;
    while (rest.len > 0 && found < SCREEN_PARAMS_MAX) {
        if (screen_next_pair(&rest, &pairs[found]) != OK) {
            refuse(screen, "a parameter that is cut off");
            return;
        }
        found++;
    }
    screen->params = params_judge((struct fields){pairs, found});
    if (screen->params.verdict == PARAMS_BROKEN) {
        refuse(screen, screen->params.fault);
    } else if (rest.len > 0) {
        screen->too_large = true;
        screen->params_whole = false;
    }
}

enum screen_verdict screen_look(struct text bytes, struct screen_room *room, struct screen *out)
{
    screen_init(out, room->params);
    enum screen_verdict verdict = screen_feed(out, bytes);
    if (out->params_whole && (verdict == SCREEN_COMPLETE || out->too_large)) {
        judge_params(out, room->pairs);
    }
    if (out->phase == PHASE_BROKEN) {
        return SCREEN_MALFORMED;
    }
    if (verdict == SCREEN_INCOMPLETE && bytes.len >= SCREEN_RAW_MAX_BYTES) {
        out->too_large = true;
    }
    return out->too_large ? SCREEN_TOO_LARGE : verdict;
}
