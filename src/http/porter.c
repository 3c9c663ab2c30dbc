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
 * Who is known to the program (known_as) waits in a line of his own, of which three are taken for
 * each stranger. So a flood of strangers neither fills the line for those who signed in before nor
 * makes them wait for long, and a flood of known ones does not keep strangers out.
 *
 * One account is enough to be known often: its owner signs in over and over. So of each no more
 * than PORTER_KNOWN_A_SECOND go as known in a second. Numbers are counted by their remainder,
 * without a look at who it is: two that share a place share its count. Were the place emptied for
 * the other one, two accounts in turn would never be counted. What it costs: who shares a place
 * with one that floods stands with the strangers meanwhile.
 *
 * Not protected: many accounts together, each below its limit, can fill the line.
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

/* Whether it is a POST that the program would read, and from whom (known_as). A form is not looked
 * at: that is the worker's. */
static bool is_for_workers(const struct screen *seen, struct exchange *exchange, uint64_t *who)
{
    const struct http_program *program = exchange->program;
    const struct request_source source = {.params = seen->params, .role = seen->role};
    struct request request = {.arena = exchange->arena, .role = seen->role};
    const char *reason = NULL;
    bool is_post = request_parse(&source, exchange->arena, &request, &reason) == 0 &&
                   request.method == METHOD_POST;
    *who =
        is_post && program->known_as != NULL ? program->known_as(exchange->context, &request) : 0;
    exchange_reset(exchange);
    return is_post;
}

/* Counts a request of who is known. Whether it is among the first of this second. */
static bool is_seldom(struct porter *porter, uint64_t who)
{
    struct porter_visits *visits = &porter->visits[who % PORTER_VISITS];
    int64_t second = clock_monotonic_ms() / 1000;
    if (visits->second != second) {
        *visits = (struct porter_visits){.second = second};
    }
    if (visits->count >= PORTER_KNOWN_A_SECOND) {
        return false;
    }
    visits->count++;
    return true;
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
    uint64_t who = 0;
    if (!is_for_workers(seen, exchange, &who)) {
        return PASSAGE_HERE;
    }
    enum handover_line line =
        who != 0 && is_seldom(porter, who) ? HANDOVER_KNOWN : HANDOVER_STRANGERS;
    if (!has_room(porter->handover, line)) {
        complain(porter);
        return PASSAGE_FULL;
    }
    return handover_put(porter->handover, line, fd) == OK ? PASSAGE_ON : PASSAGE_FULL;
}
