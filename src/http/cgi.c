/* The CGI carrier (RFC 3875).
 *
 * The environment is the request; program_prepare has taken it out of the way of libraries. It is
 * copied and measured by the limits that FastCGI parameters have. The arguments are never looked
 * at: a query without '=' would become arguments (§4.4).
 *
 * Of the body at most CONTENT_LENGTH bytes are read (§4.2), and none when it is absent; what is too
 * large is read up to 1 MiB, so that the server can pass the 413 on. A body that is cut off or late
 * is shorter than its length, and refused for that (request.c).
 *
 * The answer is whole when standard output ends. lighttpd then sends SIGTERM to what still runs,
 * Apache does so at the end of the request, with SIGKILL three seconds later: what is tended after
 * the answer ignores the first and must be done before the second. */
#include "http/cgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/exchange.h"
#include "http/oversize.h"
#include "http/screen.h"

#define STATUS_TOO_LARGE 413
#define DROP_BYTES       8192

static const char last_resort[] = "Status: 500 Internal Server Error\r\n\r\n";

/* ERR_TOO_LARGE: more than a FastCGI peer may send either. */
static enum status copy_environment(char *const *environment, struct arena *arena,
                                    struct params *out)
{
    struct field *items = arena_get_array(arena, SCREEN_PARAMS_MAX, sizeof *items);
    size_t count = 0;
    size_t total = 0;
    if (items == NULL) {
        return ERR_MEMORY;
    }
    for (char *const *variable = environment; variable != NULL && *variable != NULL; variable++) {
        size_t len = strlen(*variable);
        const char *equals = strchr(*variable, '=');
        if (equals == NULL || equals == *variable) {
            continue;
        }
        total += len - 1;
        if (count == SCREEN_PARAMS_MAX || total > PARAMS_MAX_BYTES) {
            return ERR_TOO_LARGE;
        }
        char *copy = arena_copy(arena, (struct text){*variable, len});
        if (copy == NULL) {
            return ERR_MEMORY;
        }
        size_t name_len = (size_t)(equals - *variable);
        items[count].name = (struct text){copy, name_len};
        items[count].value = (struct text){copy + name_len + 1, len - name_len - 1};
        count++;
    }
    *out = params_judge((struct fields){items, count});
    return OK;
}

/* Reads up to len bytes; fewer when the input ends or is late. ERR_SYSTEM (logged): it failed. */
static enum status read_input(char *out, size_t len, int64_t deadline_ms, size_t *have)
{
    *have = 0;
    while (*have < len) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        ssize_t got = poll(&input, 1, left_ms > 0 ? (int)left_ms : 0);
        if (got > 0) {
            got = read(STDIN_FILENO, out + *have, len - *have);
        }
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (got < 0) {
            log_error("a form could not be read: %s", strerror(errno));
            return ERR_SYSTEM;
        }
        if (got == 0) {
            break;
        }
        *have += (size_t)got;
    }
    return OK;
}

static void drop_input(uint64_t len, int64_t deadline_ms)
{
    char bytes[DROP_BYTES];
    uint64_t left = len < OVERSIZE_MAX_BYTES ? len : OVERSIZE_MAX_BYTES;
    while (left > 0) {
        size_t got = 0;
        if (read_input(bytes, left < sizeof bytes ? (size_t)left : sizeof bytes, deadline_ms,
                       &got) != OK ||
            got == 0) {
            break;
        }
        left -= got;
    }
    secret_wipe(bytes, sizeof bytes);
}

/* Lengths that are no number are left to request_parse, which refuses them. */
static enum status read_body(struct arena *arena, struct request_source *source)
{
    int64_t deadline_ms = clock_monotonic_ms() + CGI_DEADLINE_MS;
    uint64_t len = 0;
    struct text length = fields_get(source->params.fields, "CONTENT_LENGTH");
    if (!source->reads_body || length.data == NULL ||
        text_parse_number(length, INT64_MAX, &len) != OK || len == 0) {
        return OK;
    }
    if (len > REQUEST_BODY_MAX_BYTES) {
        drop_input(len, deadline_ms);
        source->body_too_large = true;
        return OK;
    }
    char *bytes = arena_get(arena, (size_t)len);
    if (bytes == NULL) {
        return ERR_MEMORY;
    }
    size_t have = 0;
    enum status status = read_input(bytes, (size_t)len, deadline_ms, &have);
    source->body = (struct text){bytes, have};
    return status;
}

static enum status answer(char *const *environment, struct exchange *exchange)
{
    struct request_source source = {.role = ROLE_RESPONDER,
                                    .reads_body = exchange->program->reads_body};
    enum status status = copy_environment(environment, exchange->arena, &source.params);
    if (status == ERR_TOO_LARGE) {
        return exchange_refuse(exchange, source.role, STATUS_TOO_LARGE);
    }
    if (status == OK) {
        status = read_body(exchange->arena, &source);
    }
    return status == OK ? exchange_answer(exchange, &source) : status;
}

static void write_all(struct text bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes.data, bytes.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            log_info("the web server did not take the answer");
            return;
        }
        bytes = text_from(bytes, (size_t)written);
    }
}

/* Ends standard output. The descriptor stays taken: a database that got it would be written to by
 * whoever prints. */
static void give_up_output(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) {
        (void)close(STDOUT_FILENO);
    }
    if (nowhere >= 0) {
        (void)close(nowhere);
    }
}

static void tend(const struct http_program *program, void *context)
{
    if (program->tend != NULL) {
        (void)signal(SIGTERM, SIG_IGN);
        give_up_output();
        (void)program->tend(context, true);
    }
}

int cgi_serve(const struct http_program *program, char *const *environment, void *context)
{
    struct exchange exchange;
    (void)signal(SIGPIPE, SIG_IGN);
    enum status status = exchange_open(program, context, &exchange);
    if (status == OK && program->enter != NULL && !program->enter(context)) {
        status = ERR_SYSTEM;
    }
    if (status == OK) {
        status = answer(environment, &exchange);
    }
    write_all(status == OK ? buffer_text(&exchange.answer) : TEXT(last_resort));
    exchange_close(&exchange);
    tend(program, context);
    return status == OK ? 0 : 1;
}
