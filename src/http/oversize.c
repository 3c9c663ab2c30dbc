/* What is too large for libfcgi's memory and ours is consumed record by record and answered by
 * hand, so that people see a page that says so instead of a gateway error.
 *
 * The parameters are kept when they came whole, for the page depends on them. The answer:
 *
 *     STDOUT, up to 65,528 bytes each · STDOUT, empty · END_REQUEST (status 0, complete)
 */
#include "http/oversize.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/secret.h"
#include "http/deliver.h"

#define STATUS_TOO_LARGE 413
#define CONTENT_MAX      65528 /* a multiple of 8 below 2^16, as the specification recommends */
#define FRAMES_MAX_BYTES ((size_t)256 * 1024)

struct oversize {
    struct screen screen; /* of what was read, from the first byte on */
    bool has_params;
    size_t params_bytes;
    char params[]; /* pairs as they came */
};

enum status oversize_new(const struct screen *seen, const char *params, struct oversize **out)
{
    size_t params_bytes = seen->params_whole ? seen->params_bytes : 0;
    struct oversize *oversize = malloc(sizeof *oversize + params_bytes);
    if (oversize == NULL) {
        return ERR_MEMORY;
    }
    screen_init(&oversize->screen, NULL);
    oversize->has_params = seen->params_whole;
    oversize->params_bytes = params_bytes;
    if (params_bytes > 0) {
        memcpy(oversize->params, params, params_bytes);
    }
    *out = oversize;
    return OK;
}

void oversize_free(struct oversize **oversize)
{
    if (*oversize != NULL) {
        secret_wipe((*oversize)->params, (*oversize)->params_bytes);
        free(*oversize);
        *oversize = NULL;
    }
}

enum screen_verdict oversize_drop(struct oversize *oversize, int fd, char *scratch, size_t room)
{
    enum screen_verdict verdict = SCREEN_INCOMPLETE;
    while (verdict == SCREEN_INCOMPLETE) {
        ssize_t len = recv(fd, scratch, room, MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return SCREEN_INCOMPLETE;
        }
        if (len <= 0) {
            return SCREEN_MALFORMED;
        }
        verdict = screen_feed(&oversize->screen, (struct text){scratch, (size_t)len});
        secret_wipe(scratch, (size_t)len);
        if (oversize->screen.total_bytes > OVERSIZE_MAX_BYTES) {
            return SCREEN_MALFORMED;
        }
    }
    return verdict;
}

static enum status read_params(const struct oversize *oversize, struct arena *arena,
                               struct params *out)
{
    struct text rest = {oversize->params, oversize->params_bytes};
    struct field *items = arena_get_array(arena, SCREEN_PARAMS_MAX, sizeof *items);
    if (items == NULL) {
        return ERR_MEMORY;
    }
    size_t count = 0;
    while (rest.len > 0 && count < SCREEN_PARAMS_MAX) {
        enum status status = screen_next_pair(&rest, &items[count]);
        if (status != OK) {
            return status;
        }
        count++;
    }
    *out = params_judge((struct fields){items, count});
    return OK;
}

static enum status make_answer(const struct oversize *oversize, struct exchange *exchange)
{
    struct request_source source = {.role = oversize->screen.role,
                                    .body_too_large = true,
                                    .reads_body = exchange->program->reads_body};
    if (!oversize->has_params) {
        return exchange_refuse(exchange, source.role, STATUS_TOO_LARGE);
    }
    enum status status = read_params(oversize, exchange->arena, &source.params);
    return status == OK ? exchange_answer(exchange, &source) : status;
}

static void add_record(struct buffer *out, uint8_t type, uint16_t id, struct text content)
{
    static const char zeros[8];
    const size_t padding = (sizeof zeros - content.len % sizeof zeros) % sizeof zeros;
    const FCGI_Header header = {
        .version = FCGI_VERSION_1,
        .type = type,
        .requestIdB1 = (uint8_t)(id >> 8),
        .requestIdB0 = (uint8_t)id,
        .contentLengthB1 = (uint8_t)(content.len >> 8),
        .contentLengthB0 = (uint8_t)content.len,
        .paddingLength = (uint8_t)padding,
    };
    buffer_add(out, &header, sizeof header);
    buffer_add_text(out, content);
    buffer_add(out, zeros, padding);
}

static void frame(struct text answer, uint16_t id, struct buffer *out)
{
    const FCGI_EndRequestBody end = {.protocolStatus = FCGI_REQUEST_COMPLETE};
    while (answer.len > 0) {
        size_t len = answer.len < CONTENT_MAX ? answer.len : CONTENT_MAX;
        add_record(out, FCGI_STDOUT, id, (struct text){answer.data, len});
        answer = text_from(answer, len);
    }
    add_record(out, FCGI_STDOUT, id, (struct text){0});
    add_record(out, FCGI_END_REQUEST, id, (struct text){(const char *)&end, sizeof end});
}

static void send_all(int fd, struct text bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0) {
            log_info("the web server did not take the answer");
            return;
        }
        bytes = text_from(bytes, (size_t)sent);
    }
}

void oversize_answer(const struct oversize *oversize, int fd, struct exchange *exchange)
{
    struct buffer frames;
    buffer_init(&frames, FRAMES_MAX_BYTES);
    if (make_answer(oversize, exchange) == OK) {
        frame(buffer_text(&exchange->answer), oversize->screen.request_id, &frames);
        if (!frames.failed) {
            deliver_limit_wait(fd, frames.len);
            send_all(fd, buffer_text(&frames));
        }
    }
    buffer_clear(&frames);
    exchange_reset(exchange);
}
