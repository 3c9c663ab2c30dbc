/* libfcgi, kept to what it does well: reading a whole, well-formed request and framing an answer.
 *
 * How it is used, as measured with libfcgi 2.4.2 (protocols differ from its manual here):
 *   - A request object whose ipcFd is set makes FCGX_Accept_r read from there and not accept. Its
 *     listen_sock is -1, so that no way leads to a blocking accept: it would fail at once.
 *   - keepConnection keeps libfcgi from closing, which would cost a shutdown and a poll of up to
 *     2 s; but it is overwritten with the flag of the request, so it is never relied on:
 *     FCGX_Free(request, 0) ends a request, and whoever made the descriptor closes it.
 *   - When it cannot make sense of what it reads it closes the descriptor itself. The screen is
 *     there to make that impossible short of a broken connection.
 *   - After a failed write it would go on with the same buffer, so an answer is ended only when all
 *     of it was written.
 *   - It reads 8 KiB at a time, so a request that is not larger is gone from the socket at once.
 *     What it did not read of a larger one (padding, a body that the program does not want), or
 *     what may still come (an authorizer's empty STDIN) is drained, for closing a socket with
 *     unread bytes resets it and could take the answer from the server.
 *   - Its "NAME=VALUE" strings are not used: role and parameters are those that the screen judged.
 *
 * libfcgi frees its stream buffers, 8 KiB of the last request and answer, as they are: passwords
 * and tokens. So malloc overwrites what is freed (M_PERTURB), which costs a check less than what
 * its time varies by from one run to the next. Pieces of less than about a kilobyte escape it; of
 * those that libfcgi makes, the strings of envp hold secrets, and are wiped. */
#include "http/deliver.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/secret.h"

#define READ_BYTES     8192 /* what libfcgi reads at a time */
#define OVERWRITE      0xa5 /* any byte but 0, which would switch it off */
#define SMALL_BYTES    4096 /* goes into every empty socket at once */
#define SEND_TIMEOUT_S 5

enum status deliver_init(FCGX_Request *out)
{
    (void)mallopt(M_PERTURB, OVERWRITE); /* a sanitizer's malloc says no */
    if (FCGX_Init() != 0 || FCGX_InitRequest(out, -1, 0) != 0) {
        log_error("libfcgi could not be prepared");
        return ERR_SYSTEM;
    }
    return OK;
}

void deliver_limit_wait(int fd, size_t answer_bytes)
{
    const struct timeval limit = {.tv_sec = SEND_TIMEOUT_S};
    if (answer_bytes > SMALL_BYTES &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
        log_warning("SO_SNDTIMEO: %s", strerror(errno));
    }
}

/* An empty body was read with the parameters, or is drained. */
static enum status read_body(FCGX_Request *request, const struct screen *seen, struct arena *arena,
                             struct text *out)
{
    size_t room = seen->body_bytes + 1;
    char *bytes = arena_get(arena, room);
    if (bytes == NULL) {
        return ERR_MEMORY;
    }
    int len = FCGX_GetStr(bytes, (int)room, request->in);
    if (len < 0 || (size_t)len != seen->body_bytes) {
        return ERR_INPUT;
    }
    *out = (struct text){bytes, seen->body_bytes};
    return OK;
}

static enum status answer(FCGX_Request *request, const struct screen *seen,
                          struct exchange *exchange)
{
    struct request_source source = {
        .params = seen->params, .role = seen->role, .reads_body = exchange->program->reads_body};
    enum status status = OK;
    if (source.reads_body && seen->body_bytes > 0) {
        status = read_body(request, seen, exchange->arena, &source.body);
    }
    if (status != OK) {
        log_error("a complete request could not be read: %s", status_text(status));
        return status;
    }
    status = exchange_answer(exchange, &source);
    if (status != OK) {
        return status;
    }
    struct text answer = buffer_text(&exchange->answer);
    deliver_limit_wait(request->ipcFd, answer.len);
    if (FCGX_PutStr(answer.data, (int)answer.len, request->out) != (int)answer.len ||
        FCGX_FClose(request->err) != 0 || FCGX_FClose(request->out) != 0) {
        log_info("the web server did not take the answer");
        return ERR_SYSTEM;
    }
    return OK;
}

/* Whether libfcgi read all of the request when it read first. */
static bool was_read(const struct screen *seen)
{
    return seen->input_ended && seen->total_bytes <= READ_BYTES;
}

static void drain(int fd)
{
    char bytes[READ_BYTES];
    size_t left = SCREEN_RAW_MAX_BYTES; /* no longer than a request can be */
    ssize_t len = 1;
    while (len > 0 && left > 0) {
        len = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        left -= len > 0 && (size_t)len < left ? (size_t)len : left;
    }
    secret_wipe(bytes, sizeof bytes);
}

bool deliver(FCGX_Request *request, int *fd, const struct screen *seen, struct exchange *exchange)
{
    request->ipcFd = *fd;
    request->keepConnection = 1;
    if (FCGX_Accept_r(request) != 0) {
        log_error("libfcgi could not read a request that was found complete");
        FCGX_Free(request, 0);
        *fd = request->ipcFd;
        request->ipcFd = -1;
        return false;
    }
    bool is_clean = was_read(seen);
    bool is_answered = answer(request, seen, exchange) == OK;
    if (is_answered && !is_clean) {
        drain(*fd);
    }
    for (char **string = request->envp; *string != NULL; string++) {
        secret_wipe(*string, strlen(*string));
    }
    FCGX_Free(request, 0);
    request->ipcFd = -1;
    exchange_reset(exchange);
    return is_answered && is_clean;
}
