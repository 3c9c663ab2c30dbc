/* A program that hashes passwords takes long for each form and no time for each page. If every
 * worker accepted for itself, pages would wait behind hashes, and those who wait would wait in the
 * backlog of the socket: nobody could tell them apart, and who finds it full gets a 502 from the
 * web server. So one process, the porter, accepts, and never does what takes long:
 *
 *     accepted ── request complete ─┬─ no POST ─────────── answered by the porter
 *                                   ├─ POST, room ──────── handed to the workers, in order
 *                                   └─ POST, too many ──── 503, by the porter
 *
 * What is malformed, slow or too large is his, too (desk.c, connections.c), so a worker is given
 * complete requests only. He looks at bytes that stay in the socket, and hands over the socket; the
 * worker looks again for itself. A connection that a worker answered is closed: kept, it would hang
 * on that worker, and a page that is asked for on it would wait for the next hash.
 *
 * Who is known to the program (is_known) waits in a line of his own, which is emptied first. So a
 * flood of strangers neither fills the line for those who signed in before nor makes them wait.
 * Whoever can make himself known often enough makes strangers wait; that is the program's to judge.
 *
 * Invariant: before a request that waits there are never more than PORTER_WAITING_MAX others when
 * it comes. How many wait is asked of the kernel (handover.c); only the porter adds to them.
 *
 * If the porter dies, the next one goes on with the same lines. What he had not handed over yet is
 * lost, as with any worker. */
#include "http/porter.h"

#include "base/clock.h"
#include "base/log.h"

#define QUIET_MS 10000 /* between two complaints that too many wait */

/* Whether it is a POST that the program would read, and from whom. A form is not looked at: that is
 * the worker's. */
static bool is_for_workers(const struct screen *seen, struct exchange *exchange,
                           enum handover_line *line)
{
    const struct http_program *program = exchange->program;
    const struct request_source source = {.params = seen->params, .role = seen->role};
    struct request request = {.arena = exchange->arena, .role = seen->role};
    const char *reason = NULL;
    bool is_post = request_parse(&source, exchange->arena, &request, &reason) == 0 &&
                   request.method == METHOD_POST;
    bool is_known =
        is_post && program->is_known != NULL && program->is_known(exchange->context, &request);
    exchange_reset(exchange);
    *line = is_known ? HANDOVER_KNOWN : HANDOVER_STRANGERS;
    return is_post;
}

static bool has_room(const struct handover *handover, enum handover_line line)
{
    size_t strangers = handover_count(handover, HANDOVER_STRANGERS);
    size_t all = strangers + handover_count(handover, HANDOVER_KNOWN);
    return all < PORTER_WAITING_MAX && (line == HANDOVER_KNOWN || strangers < PORTER_STRANGERS_MAX);
}

static void complain(struct porter *porter)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= porter->quiet_until_ms) {
        porter->quiet_until_ms = now_ms + QUIET_MS;
        log_warning("too many wait for a worker: requests are refused with 503; if this is no "
                    "flood, more workers or cheaper hashes help");
    }
}

enum passage porter_pass(struct porter *porter, int fd, const struct screen *seen,
                         struct exchange *exchange)
{
    enum handover_line line = HANDOVER_STRANGERS;
    if (!is_for_workers(seen, exchange, &line)) {
        return PASSAGE_HERE;
    }
    if (!has_room(porter->handover, line)) {
        complain(porter);
        return PASSAGE_FULL;
    }
    return handover_put(porter->handover, line, fd) == OK ? PASSAGE_ON : PASSAGE_FULL;
}
