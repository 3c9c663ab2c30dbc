/* The middle of the carriers: parse, handle or refuse, print.
 *
 * The answer is whole before its first byte is sent, and starts as a 500; so neither a handler that
 * gives up nor memory that ends can leave half an answer, which some servers take for a grant. */
#include "http/exchange.h"

#include "base/log.h"

#define ARENA_MAX_BYTES  ((size_t)512 * 1024)
#define STATUS_MAX_BYTES 256 /* the Status line and the empty line */
#define ANSWER_MAX_BYTES (RESPONSE_HEADERS_MAX + RESPONSE_BODY_MAX + STATUS_MAX_BYTES)

enum status exchange_open(const struct http_program *program, void *context, struct exchange *out)
{
    *out = (struct exchange){.program = program, .context = context};
    response_init(&out->response);
    buffer_init(&out->answer, ANSWER_MAX_BYTES);
    return arena_new(ARENA_MAX_BYTES, &out->arena);
}

void exchange_close(struct exchange *exchange)
{
    response_clear(&exchange->response);
    buffer_clear(&exchange->answer);
    arena_free(&exchange->arena);
}

static enum status print(struct exchange *exchange, const struct request *request)
{
    enum status status =
        response_print(&exchange->response, request->method == METHOD_HEAD, &exchange->answer);
    if (status == OK && exchange->answer.failed) {
        status = ERR_MEMORY;
    }
    if (status != OK) {
        log_error("an answer could not be made: %s", status_text(status));
    }
    return status;
}

enum status exchange_answer(struct exchange *exchange, const struct request_source *source)
{
    const struct http_program *program = exchange->program;
    struct request request = {.arena = exchange->arena, .role = source->role};
    const char *reason = "no reason given";
    int refused = request_parse(source, exchange->arena, &request, &reason);
    if (refused != 0) {
        log_warning("a request was refused with %d: %s", refused, reason);
    } else {
        refused = exchange->refusal; /* whoever set it has logged why */
    }
    if (refused == 0) {
        program->handle(exchange->context, &request, &exchange->response);
    } else {
        program->refuse(exchange->context, &request, refused, &exchange->response);
    }
    return print(exchange, &request);
}

enum status exchange_refuse(struct exchange *exchange, enum role role, int status)
{
    const struct request request = {.arena = exchange->arena, .role = role};
    exchange->program->refuse(exchange->context, &request, status, &exchange->response);
    return print(exchange, &request);
}

void exchange_reset(struct exchange *exchange)
{
    response_reset(&exchange->response);
    buffer_reset(&exchange->answer);
    arena_reset(exchange->arena);
}
