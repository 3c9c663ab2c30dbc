/* A connection is looked at with MSG_PEEK each time something arrives, and not read before its
 * request is complete and well-formed (screen.c); then libfcgi reads and answers it without ever
 * waiting (deliver.c).
 *
 *     peek ─┬─ complete ──────── answered, closed or kept; or handed over (porter.c)
 *           ├─ incomplete ────── waits for more
 *           ├─ too large ─────── read and dropped (oversize.c), 413, closed
 *           └─ malformed, EOF ── closed without a byte
 *
 * It is kept when the web server asks for that and the request was gone from the socket before the
 * answer; nothing may be drained after it, for that could be the next request. A web server that
 * begins one before it has read the last answer has lost its way: its connection is closed. So an
 * answer always meets an empty socket.
 *
 * Not protected: a web server that writes one byte at a time has its request looked at from the
 * first byte each time. What one sends against the protocol between the look and the answer may
 * vanish in libfcgi's buffer, unseen by anybody; what follows that is refused, or is a request. */
#include "http/desk.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/secret.h"
#include "http/deliver.h"
#include "http/oversize.h"

enum status desk_open(const struct http_program *program, void *context, struct desk *out)
{
    out->porter = NULL;
    out->answers = 0;
    enum status status = exchange_open(program, context, &out->exchange);
    return status == OK ? deliver_init(&out->request) : status;
}

void desk_close(struct desk *desk)
{
    exchange_close(&desk->exchange);
}

static enum outcome drop(struct desk *desk, struct connection *connection)
{
    enum screen_verdict verdict =
        oversize_drop(connection->oversize, connection->fd, desk->bytes, sizeof desk->bytes);
    if (verdict == SCREEN_COMPLETE) {
        desk->answers++;
        oversize_answer(connection->oversize, connection->fd, &desk->exchange);
    }
    return verdict == SCREEN_INCOMPLETE ? OUTCOME_WAIT : OUTCOME_DONE;
}

static enum outcome begin_drop(struct desk *desk, struct connection *connection,
                               const struct screen *seen)
{
    if (oversize_new(seen, desk->room.params, &connection->oversize) != OK) {
        log_error("no memory to refuse a large request");
        return OUTCOME_DONE;
    }
    return drop(desk, connection);
}

/* Whether the peer has read what it was sent before. */
static bool is_taken(int fd)
{
    int left = 0;
    return ioctl(fd, TIOCOUTQ, &left) == 0 && left == 0;
}

static enum passage pass(struct desk *desk, const struct connection *connection,
                         const struct screen *seen)
{
    return desk->porter == NULL ? PASSAGE_HERE
                                : porter_pass(desk->porter, connection->fd, seen, &desk->exchange);
}

static enum outcome answer(struct desk *desk, struct connection *connection,
                           const struct screen *seen, bool has_ended)
{
    if (connection->was_answered && !is_taken(connection->fd)) {
        log_warning("a connection was refused: a request before the last answer was read");
        return OUTCOME_DONE;
    }
    enum passage passage = pass(desk, connection, seen);
    if (passage == PASSAGE_ON) {
        return OUTCOME_HANDED_OVER;
    }
    int refusal = desk->exchange.refusal;
    if (passage == PASSAGE_FULL) {
        desk->exchange.refusal = DESK_BUSY;
    }
    desk->answers++;
    connection->was_answered = true;
    bool is_clean = deliver(&desk->request, &connection->fd, seen, &desk->exchange);
    desk->exchange.refusal = refusal;
    return is_clean && seen->keep_conn && !has_ended ? OUTCOME_KEEP : OUTCOME_DONE;
}

/* Acts on the first `len` bytes of a connection. */
static enum outcome judge(struct desk *desk, struct connection *connection, size_t len,
                          bool has_ended)
{
    struct screen seen;
    enum outcome outcome = OUTCOME_DONE;
    switch (screen_look((struct text){desk->bytes, len}, &desk->room, &seen)) {
    case SCREEN_COMPLETE:
        outcome = answer(desk, connection, &seen, has_ended);
        break;
    case SCREEN_INCOMPLETE:
        outcome = has_ended ? OUTCOME_DONE : OUTCOME_WAIT;
        break;
    case SCREEN_TOO_LARGE:
        outcome = begin_drop(desk, connection, &seen);
        break;
    case SCREEN_MALFORMED:
        log_warning("a connection was refused: %s", seen.reason);
        break;
    }
    secret_wipe(desk->room.params, seen.params_bytes < sizeof desk->room.params
                                       ? seen.params_bytes
                                       : sizeof desk->room.params);
    return outcome;
}

enum outcome desk_attend(struct desk *desk, struct connection *connection, bool has_ended)
{
    if (connection->oversize != NULL) {
        return drop(desk, connection);
    }
    ssize_t len = recv(connection->fd, desk->bytes, sizeof desk->bytes, MSG_PEEK | MSG_DONTWAIT);
    if (len < 0) {
        bool is_early = errno == EAGAIN || errno == EWOULDBLOCK;
        return is_early && !has_ended ? OUTCOME_NOTHING : OUTCOME_DONE;
    }
    if (len == 0) {
        return OUTCOME_DONE;
    }
    enum outcome outcome = judge(desk, connection, (size_t)len, has_ended);
    secret_wipe(desk->bytes, (size_t)len);
    return outcome;
}
