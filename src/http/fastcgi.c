/* The worker's loop: which connection is attended to when (desk.c), and how long others wait.
 *
 *     accepted ─┬─ answered ────────────────────────── closed
 *               ├─ pending ─ until the deadline ─┬──── closed
 *               └─ idle ──── until the next one ─┘
 *
 * A peer that is silent, slow or hostile costs a descriptor until its deadline and never keeps
 * others waiting: nothing here waits but epoll_wait, for anything to happen. So an idle kept
 * connection does not bind a worker either, however many there are.
 *
 * But it binds its web server's worker to one of ours, though others may have less to do. A request
 * on it waits while this one answers another. So a connection is not kept after a request that took
 * SLOW_MS or more: the next one comes as a new connection and finds whoever is free. What remains:
 * several that come on kept connections of one worker at the same moment are answered one after the
 * other.
 *
 * A worker that stops closes what is idle, after a last look: what is there is still answered. A
 * request that is on its way at that very moment is lost, and so nginx, which repeats others,
 * answers a POST with a 502. deploy/ keeps no connections.
 *
 * Where answers take long, a worker does not listen: what it answers is handed to it by the porter
 * (porter.c), who runs the same loop at the socket. Of who hung up while waiting in his lines it is
 * told by nobody: so it asks before it answers, that no attempt is counted of somebody who left.
 * Who merely ends his side after a request (shutdown) is taken for gone as well: no web server does
 * that.
 *
 * The listener is asked only when there is an event: an accept that finds nobody costs as much as
 * eight calls of epoll_wait.
 *
 * Where an answer takes microseconds, workers in turn are worse than one: each that wakes takes the
 * processor from the web server, often before that has written the request for which it woke. So
 * the first worker does what it can, and the others are helpers. EPOLLEXCLUSIVE wakes, of those
 * that wait, the one that has watched the listener for longest: a helper only when those before it
 * are busy. It goes on while somebody waits; then it leaves the listener for STAND_BACK_MS, so that
 * a first worker that could do all is not helped all the time, and comes back as the last in line.
 * While the first tends, no helper leaves. What it costs: when the first is held up otherwise and
 * all helpers stand back, a connection waits as long. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "http/fastcgi.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/connections.h"
#include "http/desk.h"
#include "http/tending.h"
#include "http/wait_set.h"

#define PAUSE_MS      100 /* of the listener, without descriptors */
#define SLOW_MS       10  /* a request that took as long has its connection closed */
#define LAST_MAX      64  /* connections that a worker takes in when it is to stop */
#define STAND_BACK_MS 20  /* a helper from the listener, after it has helped */

/* Of a worker that takes over from a porter and is to stop: how often it looks whether he has left,
 * when it leaves if he is not to stop, when it refuses those who still wait, and when it leaves in
 * any case. So it is gone, with a hash at hand, before it is killed (PREFORK_STOP_MS).
 *
 * When all are to stop, the porter may learn it a moment later than a worker; so one does not leave
 * at once, but goes on, that nobody is lost who waits. */
#define STOP_LOOK_MS   20
#define STOP_ALONE_MS  2000
#define STOP_REFUSE_MS 8000
#define STOP_LEAVE_MS  12000

#define NEVER INT64_MAX

struct worker {
    struct wait_set set;
    struct connections connections;
    bool stopping;
    bool failed;
    bool is_helper;
    bool has_accepted; /* since it last found nobody */
    int64_t now_ms;    /* as of the last event or answer */
    int64_t resume_ms; /* when the listener is watched again after a pause */
    struct tending tending;
    int64_t stop_ms; /* when it was told to stop */
    struct fastcgi_crew *crew;
    struct porter porter; /* of the desk, if that is the porter's */
    struct desk desk;
};

/* Whether its connections are handed to it, which goes on for a while when it is to stop. */
static bool takes_over(const struct worker *worker)
{
    return worker->set.listener.from != NULL;
}

static enum outcome attend(struct worker *worker, struct connection *connection, bool has_ended)
{
    struct desk *desk = &worker->desk;
    size_t answers = desk->answers;
    int64_t begin_ms = worker->now_ms;
    enum outcome outcome = desk_attend(desk, connection, has_ended);
    if (desk->answers == answers) {
        return outcome;
    }
    worker->now_ms = clock_monotonic_ms();
    tending_note_answer(&worker->tending, worker->now_ms);
    bool may_keep = !worker->stopping && !takes_over(worker) && worker->now_ms - begin_ms < SLOW_MS;
    return outcome == OUTCOME_KEEP && !may_keep ? OUTCOME_DONE : outcome;
}

/* Puts a connection where it belongs after a look. Whether it has a place there. */
static bool settle(struct worker *worker, struct connection *place, enum outcome outcome)
{
    struct connections *connections = &worker->connections;
    switch (outcome) {
    case OUTCOME_KEEP:
        return connections_move(connections, place, STANDING_IDLE, worker->now_ms);
    case OUTCOME_WAIT: /* the deadline of a request counts from its first byte */
        return place->standing == STANDING_PENDING ||
               connections_move(connections, place, STANDING_PENDING, worker->now_ms);
    case OUTCOME_NOTHING:
        return place->standing == STANDING_PENDING || !worker->stopping;
    case OUTCOME_DONE:
    case OUTCOME_HANDED_OVER:
        break;
    }
    return false;
}

static void advance(struct worker *worker, struct connection *place, uint32_t events)
{
    bool has_ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    enum outcome outcome = attend(worker, place, has_ended);
    if (outcome == OUTCOME_HANDED_OVER) {
        wait_set_remove(&worker->set, place->fd);
    }
    if (!settle(worker, place, outcome)) {
        connections_remove(&worker->connections, place);
    }
}

/* An event may be of a connection that was closed since, in the same turn. */
static void advance_at(struct worker *worker, uint32_t key, uint32_t events)
{
    struct connection *place = connections_at(&worker->connections, key);
    if (place->fd >= 0) {
        advance(worker, place, events);
    }
}

/* Gives a new connection that is not done with a place, and watches it. False: it cannot be. */
static bool take_in(struct worker *worker, const struct connection *newcomer, enum outcome outcome)
{
    struct connections *connections = &worker->connections;
    struct connection *place =
        connections_add(connections, newcomer,
                        outcome == OUTCOME_KEEP ? STANDING_IDLE : STANDING_PENDING, worker->now_ms);
    if (place == NULL) {
        return false;
    }
    if (!wait_set_add(&worker->set, place->fd, connections_key(connections, place))) {
        connections_remove(connections, place);
    }
    return true;
}

static bool has_left(int fd)
{
    struct pollfd peer = {.fd = fd, .events = POLLRDHUP};
    return poll(&peer, 1, 0) > 0;
}

static void receive(struct worker *worker, int fd)
{
    struct connection newcomer = {.fd = fd};
    if (takes_over(worker) && has_left(fd)) {
        log_debug("a connection was closed by its peer while it waited for a worker");
        connection_close(&newcomer);
        return;
    }
    enum outcome outcome = attend(worker, &newcomer, false);
    bool is_over = outcome == OUTCOME_DONE || outcome == OUTCOME_HANDED_OVER;
    if (is_over || !take_in(worker, &newcomer, outcome)) {
        connection_close(&newcomer);
    }
}

static void pause_listening(struct worker *worker, int ms)
{
    wait_set_leave(&worker->set);
    worker->resume_ms = worker->now_ms + ms;
}

/* Without descriptors an accept fails at once, for ever: give one back, or wait a moment. */
static void relieve(struct worker *worker)
{
    if (!connections_evict(&worker->connections)) {
        log_error("connections cannot be accepted: there is no room");
        pause_listening(worker, PAUSE_MS);
    }
}

/* Whether a connection came. */
static bool accept_one(struct worker *worker)
{
    int fd = -1;
    switch (listener_accept(&worker->set.listener, &fd)) {
    case ARRIVAL_CONNECTION:
        receive(worker, fd);
        worker->has_accepted = true;
        return true;
    case ARRIVAL_NO_ROOM:
        relieve(worker);
        break;
    case ARRIVAL_BROKEN:
        worker->failed = true;
        break;
    case ARRIVAL_NOBODY:
        break;
    }
    return false;
}

/* A connection wakes one worker alone. If that was this one, which is about to leave, nobody else
 * would ever be told of it: so whoever is there is taken in before. */
static void take_last(struct worker *worker)
{
    for (int i = 0; i < LAST_MAX && accept_one(worker); i++) {
    }
}

static bool may_resume(const struct worker *worker)
{
    return !worker->set.is_listening && (!worker->stopping || takes_over(worker));
}

/* Milliseconds until something must be done without an event; -1: nothing. */
static int count_patience(const struct worker *worker)
{
    int64_t until_ms = connections_deadline(&worker->connections);
    if (worker->tending.due_ms < until_ms) {
        until_ms = worker->tending.due_ms;
    }
    if (may_resume(worker) && worker->resume_ms < until_ms) {
        until_ms = worker->resume_ms;
    }
    if (worker->stopping && takes_over(worker) && worker->now_ms + STOP_LOOK_MS < until_ms) {
        until_ms = worker->now_ms + STOP_LOOK_MS;
    }
    if (until_ms == NEVER) {
        return -1;
    }
    return until_ms > worker->now_ms ? (int)(until_ms - worker->now_ms) : 0;
}

static void stop(struct worker *worker)
{
    struct connection *idle = NULL;
    worker->stopping = true;
    worker->stop_ms = worker->now_ms;
    if (worker->desk.porter != NULL) {
        worker->crew->is_porter_stopping = true;
    }
    if (!takes_over(worker)) {
        wait_set_leave(&worker->set);
    }
    while ((idle = connections_first_idle(&worker->connections)) != NULL) {
        advance(worker, idle, 0);
    }
}

/* Whether it is a helper that is not needed any more. */
static bool may_stand_back(const struct worker *worker)
{
    return worker->is_helper && worker->desk.exchange.program->is_brief && worker->has_accepted &&
           worker->set.is_listening && !worker->crew->is_first_away;
}

/* Waits for events, or until something is due; how many events there are. */
static int await(struct worker *worker, struct epoll_event *events)
{
    bool was_busy = worker->has_accepted || worker->tending.must_rest;
    int rest_ms = tending_let_rest(&worker->tending);
    if (was_busy) { /* somebody may be there already */
        int count = wait_set_wait(&worker->set, events, 0);
        if (count != 0) {
            return count;
        }
    }
    if (may_stand_back(worker)) {
        pause_listening(worker, STAND_BACK_MS);
    }
    worker->has_accepted = false;
    int wait_ms = count_patience(worker);
    if (rest_ms >= 0 && (wait_ms < 0 || rest_ms < wait_ms)) {
        wait_ms = rest_ms;
    }
    return wait_set_wait(&worker->set, events, wait_ms);
}

/* Who waits when a worker has had its time to stop is told to come again. */
static void refuse_late(struct worker *worker)
{
    int *refusal = &worker->desk.exchange.refusal;
    if (worker->stopping && worker->now_ms - worker->stop_ms >= STOP_REFUSE_MS && *refusal == 0) {
        log_warning("too many wait for a worker that is to stop: they are refused with 503");
        *refusal = DESK_BUSY;
    }
}

/* None is started in the place of one who dies while all stop. */
static bool is_porter_gone(const struct fastcgi_crew *crew)
{
    int porter = crew->porter;
    return porter == FASTCGI_PORTER_LEFT || (porter > 0 && kill(porter, 0) != 0 && errno == ESRCH);
}

/* Whether nobody will be handed over any more, or the time for it is over, or others go on. */
static bool has_taken_all(const struct worker *worker)
{
    const struct handover *from = worker->set.listener.from;
    int64_t since_ms = worker->now_ms - worker->stop_ms;
    bool is_gone = is_porter_gone(worker->crew);
    bool is_alone = !is_gone && !worker->crew->is_porter_stopping;
    return since_ms >= (is_alone ? STOP_ALONE_MS : STOP_LEAVE_MS) ||
           (is_gone && handover_count(from, HANDOVER_KNOWN) == 0 &&
            handover_count(from, HANDOVER_STRANGERS) == 0);
}

static bool is_done(const struct worker *worker)
{
    if (worker->failed || !worker->stopping) {
        return worker->failed;
    }
    return connections_deadline(&worker->connections) == NEVER &&
           (!takes_over(worker) || has_taken_all(worker));
}

static void turn(struct worker *worker)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    bool has_visitor = false;
    bool was_stopping = worker->stopping;
    int count = await(worker, events);
    worker->now_ms = clock_monotonic_ms();
    for (int i = 0; i < count; i++) {
        uint32_t key = events[i].data.u32;
        if (key == KEY_LISTENER) {
            has_visitor = true;
        } else if (key == KEY_SIGNALS) {
            stop(worker);
        } else {
            advance_at(worker, key, events[i].events);
        }
    }
    /* Last, so that no event of this turn is taken for one of a new connection's. */
    if (has_visitor && (!worker->stopping || takes_over(worker))) {
        refuse_late(worker);
        (void)accept_one(worker);
    } else if (worker->stopping && !was_stopping && !takes_over(worker)) {
        take_last(worker);
    }
    connections_close_late(&worker->connections, worker->now_ms);
    if (may_resume(worker) && worker->resume_ms <= worker->now_ms) {
        worker->failed = !wait_set_listen(&worker->set) || worker->failed;
    }
    worker->now_ms = tending_act(&worker->tending, worker->now_ms, count == 0);
}

static enum status worker_open(const struct http_program *program, void *context,
                               const struct fastcgi_duty *duty, struct worker *worker)
{
    tending_init(&worker->tending, &worker->desk.exchange,
                 worker->is_helper ? NULL : &worker->crew->is_first_away);
    worker->now_ms = clock_monotonic_ms();
    worker->set = (struct wait_set){.epoll = -1, .signals = -1};
    connections_init(&worker->connections);
    enum status status = desk_open(program, context, &worker->desk);
    worker->porter = (struct porter){.handover = duty->handover};
    worker->desk.porter = duty->is_porter ? &worker->porter : NULL;
    return status == OK ? wait_set_open(duty->listener, duty->is_porter ? NULL : duty->handover,
                                        &worker->set)
                        : status;
}

static void worker_close(struct worker *worker)
{
    connections_clear(&worker->connections);
    wait_set_close(&worker->set);
    desk_close(&worker->desk);
}

/* What the crew is to know of this one, as one who died may have left it otherwise. */
static void tell_crew(struct fastcgi_crew *crew, const struct fastcgi_duty *duty)
{
    if (!duty->is_helper) {
        crew->is_first_away = false;
    }
    if (duty->is_porter) {
        crew->is_porter_stopping = false;
        crew->porter = getpid();
    }
}

int fastcgi_serve(const struct http_program *program, void *context,
                  const struct fastcgi_duty *duty, struct fastcgi_crew *crew)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int result = 1;
    if (worker == NULL) {
        log_error("no memory for a worker");
        return result;
    }
    worker->crew = crew;
    worker->is_helper = duty->is_helper;
    tell_crew(crew, duty);
    if (worker_open(program, context, duty, worker) == OK) {
        while (!is_done(worker)) {
            turn(worker);
        }
        if (duty->is_porter) {
            crew->porter = FASTCGI_PORTER_LEFT;
        }
        tending_act_last(&worker->tending);
        result = worker->failed ? 1 : 0;
    }
    worker_close(worker);
    free(worker);
    return result;
}
