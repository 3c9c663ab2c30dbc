/* The worker's loop.
 *
 * A connection is looked at with MSG_PEEK each time something arrives, and not read before its
 * request is complete and well-formed (screen.c); then libfcgi reads and answers it without ever
 * waiting (deliver.c). So a peer that is silent, slow or hostile costs a descriptor for 10 s at
 * most and never keeps others waiting. When FASTCGI_PENDING_MAX connections wait, a new one takes
 * the place of the oldest: whoever opens many connections and says nothing crowds out himself.
 *
 *     accepted ─ peek ─┬─ complete ──────── answered, closed
 *                      ├─ incomplete ────── waits for more, until the deadline
 *                      ├─ too large ─────── read and dropped (oversize.c), 413, closed
 *                      └─ malformed, EOF ── closed without a byte
 *
 * A connection carries one request, whatever its KEEP_CONN flag says: nginx's auth_request never
 * keeps one, and a kept one would bind its web server's worker to one of ours.
 *
 * Why peeking can see all: a UNIX socket holds what its sender's SO_SNDBUF allows (208 KiB), TCP
 * what our SO_RCVBUF allows, raised below; the largest good request is SCREEN_RAW_MAX_BYTES. A peer
 * that sends it in writes of a few bytes may fill the buffer with bookkeeping before the request is
 * complete; it meets the deadline. Web servers write in pieces of kilobytes.
 *
 * Edge-triggered, for peeked bytes stay and would wake a level-triggered wait for ever. The
 * listener is level-triggered and exclusive: one connection wakes one worker. Signals arrive
 * through a descriptor, so that handlers of requests are never interrupted.
 *
 * What the program has to tend is due after an answer, and done in the first turn that finds no
 * event; or, when every turn finds one, TEND_LATE_MS after it was due.
 *
 * Not protected: a web server that writes one byte at a time has its request looked at from the
 * first byte each time. */
#define _GNU_SOURCE /* accept4 */
#include "http/fastcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "http/deliver.h"
#include "http/oversize.h"
#include "http/peers.h"
#include "http/prefork.h"
#include "http/screen.h"

#define SEND_TIMEOUT_S 5
#define RECEIVE_BYTES  (2 * SCREEN_RAW_MAX_BYTES) /* halves of it may be bookkeeping */
#define PAUSE_MS       100                        /* of the listener, without descriptors */
#define EVENTS_AT_ONCE 64
#define TEND_LATE_MS   1000

#define NEVER INT64_MAX

/* What an event is about: below FASTCGI_PENDING_MAX a connection. */
enum { KEY_LISTENER = FASTCGI_PENDING_MAX, KEY_SIGNALS };

struct connection {
    int fd; /* -1: free */
    uint64_t
        number; /* in the order of arrival, which times alone do not tell within a millisecond */
    int64_t deadline_ms;
    struct oversize *oversize; /* owned; NULL while the connection is only looked at */
};

struct worker {
    struct exchange exchange;
    FCGX_Request request;
    struct peers peers;
    int epoll, signals, listener;
    bool stopping;
    bool failed;
    bool is_listening;
    int64_t resume_ms; /* when the listener is watched again after a pause */
    int64_t tend_ms;   /* when the program wants to tend; NEVER */
    size_t pending;
    uint64_t arrived; /* connections so far */
    struct connection connections[FASTCGI_PENDING_MAX];
    char bytes[SCREEN_RAW_MAX_BYTES];      /* what was peeked, wiped after each look */
    char params[REQUEST_PARAMS_MAX_BYTES]; /* gathered from it, likewise */
};

static bool watch(const struct worker *worker, int fd, uint32_t events, uint32_t key)
{
    struct epoll_event event = {.events = events, .data.u32 = key};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        log_error("a descriptor cannot be watched: %s", strerror(errno));
        return false;
    }
    return true;
}

static void listen_again(struct worker *worker)
{
    worker->is_listening = watch(worker, worker->listener, EPOLLIN | EPOLLEXCLUSIVE, KEY_LISTENER);
    worker->failed = worker->failed || !worker->is_listening;
}

static void stop_listening(struct worker *worker)
{
    if (worker->is_listening) {
        (void)epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->listener, NULL);
        worker->is_listening = false;
    }
}

static void release(struct worker *worker, struct connection *connection)
{
    oversize_free(&connection->oversize);
    if (connection->fd >= 0) { /* closing ends the watching too */
        (void)close(connection->fd);
    }
    *connection = (struct connection){.fd = -1};
    worker->pending--;
}

/* Before an answer: a peer that does not read it must not hold the worker, and there will be
 * something to tend. */
static void prepare_answer(struct worker *worker, int fd)
{
    const struct timeval limit = {.tv_sec = SEND_TIMEOUT_S};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
        log_warning("SO_SNDTIMEO: %s", strerror(errno));
    }
    if (worker->exchange.program->tend != NULL && worker->tend_ms == NEVER) {
        worker->tend_ms = clock_monotonic_ms();
    }
}

/* Whether the connection is to be kept. */
static bool drop(struct worker *worker, struct connection *connection)
{
    enum screen_verdict verdict =
        oversize_drop(connection->oversize, connection->fd, worker->bytes, sizeof worker->bytes);
    if (verdict == SCREEN_COMPLETE) {
        prepare_answer(worker, connection->fd);
        oversize_answer(connection->oversize, connection->fd, &worker->exchange);
    }
    return verdict == SCREEN_INCOMPLETE;
}

static bool begin_drop(struct worker *worker, struct connection *connection,
                       const struct screen *seen)
{
    if (oversize_new(seen, worker->params, &connection->oversize) != OK) {
        log_error("no memory to refuse a large request");
        return false;
    }
    return drop(worker, connection);
}

/* Acts on the first `len` bytes of a connection. Whether it is to be kept. */
static bool judge(struct worker *worker, struct connection *connection, size_t len, bool has_ended)
{
    struct screen seen;
    bool keep = false;
    switch (screen_look((struct text){worker->bytes, len}, worker->params, &seen)) {
    case SCREEN_COMPLETE:
        prepare_answer(worker, connection->fd);
        deliver(&worker->request, &connection->fd, &seen, &worker->exchange);
        break;
    case SCREEN_INCOMPLETE:
        keep = !has_ended;
        break;
    case SCREEN_TOO_LARGE:
        keep = begin_drop(worker, connection, &seen);
        break;
    case SCREEN_MALFORMED:
        log_warning("a connection was refused: %s", seen.reason);
        break;
    }
    secret_wipe(worker->params, seen.params_bytes < sizeof worker->params ? seen.params_bytes
                                                                          : sizeof worker->params);
    return keep;
}

/* Looks at what a connection holds now; has_ended: no more will come. Whether it is to be kept. */
static bool look(struct worker *worker, struct connection *connection, bool has_ended)
{
    if (connection->oversize != NULL) {
        return drop(worker, connection);
    }
    ssize_t len =
        recv(connection->fd, worker->bytes, sizeof worker->bytes, MSG_PEEK | MSG_DONTWAIT);
    if (len < 0) {
        return (errno == EAGAIN || errno == EWOULDBLOCK) && !has_ended;
    }
    if (len == 0) {
        return false;
    }
    bool keep = judge(worker, connection, (size_t)len, has_ended);
    secret_wipe(worker->bytes, (size_t)len);
    return keep;
}

static void advance(struct worker *worker, struct connection *connection, uint32_t events)
{
    bool has_ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (!look(worker, connection, has_ended)) {
        release(worker, connection);
    }
}

static struct connection *find_oldest(struct worker *worker)
{
    struct connection *oldest = NULL;
    for (size_t i = 0; i < FASTCGI_PENDING_MAX; i++) {
        struct connection *connection = &worker->connections[i];
        if (connection->fd >= 0 && (oldest == NULL || connection->number < oldest->number)) {
            oldest = connection;
        }
    }
    return oldest;
}

/* A free place, made by giving up the oldest connection when there is none. */
static struct connection *find_place(struct worker *worker)
{
    if (worker->pending == FASTCGI_PENDING_MAX) {
        log_debug("too many silent connections: the oldest is closed");
        release(worker, find_oldest(worker));
    }
    struct connection *place = worker->connections;
    while (place->fd >= 0) {
        place++;
    }
    return place;
}

static void take(struct worker *worker, int fd)
{
    struct connection *connection = find_place(worker);
    uint32_t key = (uint32_t)(connection - worker->connections);
    *connection = (struct connection){.fd = fd,
                                      .number = worker->arrived++,
                                      .deadline_ms = clock_monotonic_ms() + FASTCGI_DEADLINE_MS};
    worker->pending++;
    /* Most requests are there by now and never need to be watched. */
    if (!look(worker, connection, false) ||
        !watch(worker, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, key)) {
        release(worker, connection);
    }
}

/* Without descriptors an accept fails at once, for ever: give one back, or wait a moment. */
static void relieve(struct worker *worker)
{
    struct connection *oldest = find_oldest(worker);
    if (oldest != NULL) {
        release(worker, oldest);
    } else if (worker->is_listening) {
        log_error("connections cannot be accepted: %s", strerror(errno));
        stop_listening(worker);
        worker->resume_ms = clock_monotonic_ms() + PAUSE_MS;
    }
}

static void accept_one(struct worker *worker)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    /* Blocking, as libfcgi needs it; all reading before that is MSG_DONTWAIT. */
    int fd = accept4(worker->listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
    if (fd >= 0 && !peers_has(&worker->peers, &peer)) {
        log_warning("a peer that FCGI_WEB_SERVER_ADDRS does not name was turned away");
        (void)close(fd);
    } else if (fd >= 0) {
        take(worker, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        relieve(worker);
    } else if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK || errno == EOPNOTSUPP) {
        log_error("the listening socket is gone: %s", strerror(errno));
        worker->failed = true;
    } /* anything else befell that one connection: another worker took it, or it went away */
}

static void close_late(struct worker *worker, int64_t now_ms)
{
    for (size_t i = 0; i < FASTCGI_PENDING_MAX && worker->pending > 0; i++) {
        struct connection *connection = &worker->connections[i];
        if (connection->fd >= 0 && connection->deadline_ms <= now_ms) {
            log_debug("a connection did not send its request in time");
            release(worker, connection);
        }
    }
}

/* Milliseconds until something must be done without an event; -1: nothing. */
static int count_patience(struct worker *worker, int64_t now_ms)
{
    const struct connection *oldest = worker->pending > 0 ? find_oldest(worker) : NULL;
    int64_t until_ms = worker->tend_ms;
    if (oldest != NULL && oldest->deadline_ms < until_ms) {
        until_ms = oldest->deadline_ms;
    }
    if (!worker->is_listening && !worker->stopping && worker->resume_ms < until_ms) {
        until_ms = worker->resume_ms;
    }
    if (until_ms == NEVER) {
        return -1;
    }
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

/* Lets the program tend if it is due and the worker idle, or if it is late. */
static void tend(struct worker *worker, bool is_idle, int64_t now_ms)
{
    if (worker->tend_ms > (is_idle ? now_ms : now_ms - TEND_LATE_MS)) {
        return;
    }
    const struct exchange *exchange = &worker->exchange;
    int again_ms = exchange->program->tend(exchange->context, false);
    worker->tend_ms = again_ms < 0 ? NEVER : clock_monotonic_ms() + again_ms;
}

static void tend_last(const struct worker *worker)
{
    const struct exchange *exchange = &worker->exchange;
    if (exchange->program->tend != NULL) {
        (void)exchange->program->tend(exchange->context, true);
    }
}

static void turn(struct worker *worker)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    bool has_visitor = false;
    int patience_ms = count_patience(worker, clock_monotonic_ms());
    int count = epoll_wait(worker->epoll, events, EVENTS_AT_ONCE, patience_ms);
    for (int i = 0; i < count; i++) {
        uint32_t key = events[i].data.u32;
        if (key == KEY_LISTENER) {
            has_visitor = true;
        } else if (key == KEY_SIGNALS) {
            worker->stopping = true;
            stop_listening(worker);
        } else {
            advance(worker, &worker->connections[key], events[i].events);
        }
    }
    /* Last, so that no event of this turn is taken for one of the new connection's. */
    if (has_visitor && !worker->stopping) {
        accept_one(worker);
    }
    int64_t now_ms = clock_monotonic_ms();
    close_late(worker, now_ms);
    if (!worker->is_listening && !worker->stopping && worker->resume_ms <= now_ms) {
        listen_again(worker);
    }
    tend(worker, count == 0, now_ms);
}

static enum status open_signals(struct worker *worker)
{
    sigset_t stop;
    prefork_stop_signals(&stop);
    worker->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    /* libfcgi put handlers of its own; the stop signals are blocked and never reach them. */
    (void)signal(SIGPIPE, SIG_IGN);
    return worker->signals >= 0 && watch(worker, worker->signals, EPOLLIN | EPOLLET, KEY_SIGNALS)
               ? OK
               : ERR_SYSTEM;
}

static enum status open_listener(struct worker *worker)
{
    const int receive_bytes = RECEIVE_BYTES;
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof own;
    int flags = fcntl(worker->listener, F_GETFL);
    if (flags < 0 || fcntl(worker->listener, F_SETFL, flags | O_NONBLOCK) != 0 ||
        getsockname(worker->listener, (struct sockaddr *)&own, &len) != 0) {
        log_error("the listening socket cannot be used: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    if (own.ss_family != AF_UNIX) { /* connections inherit it; UNIX sockets count at the sender */
        (void)setsockopt(worker->listener, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                         sizeof receive_bytes);
    }
    peers_init(&worker->peers, getenv("FCGI_WEB_SERVER_ADDRS"));
    listen_again(worker);
    return worker->is_listening ? OK : ERR_SYSTEM;
}

static enum status worker_open(const struct http_program *program, void *context, int listener,
                               struct worker *worker)
{
    worker->listener = listener;
    worker->signals = -1;
    worker->tend_ms = NEVER;
    for (size_t i = 0; i < FASTCGI_PENDING_MAX; i++) {
        worker->connections[i].fd = -1;
    }
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    enum status status = exchange_open(program, context, &worker->exchange);
    if (status == OK) {
        status = deliver_init(program->reads_body, &worker->request);
    }
    if (status == OK) {
        status = open_signals(worker);
    }
    if (status == OK) {
        status = open_listener(worker);
    }
    return status;
}

static void worker_close(struct worker *worker)
{
    for (size_t i = 0; i < FASTCGI_PENDING_MAX; i++) {
        if (worker->connections[i].fd >= 0) {
            release(worker, &worker->connections[i]);
        }
    }
    if (worker->signals >= 0) {
        (void)close(worker->signals);
    }
    if (worker->epoll >= 0) {
        (void)close(worker->epoll);
    }
    exchange_close(&worker->exchange);
}

int fastcgi_serve(const struct http_program *program, void *context, int listener)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int result = 1;
    if (worker == NULL) {
        log_error("no memory for a worker");
        return result;
    }
    if (worker_open(program, context, listener, worker) == OK) {
        while (!worker->failed && !(worker->stopping && worker->pending == 0)) {
            turn(worker);
        }
        tend_last(worker);
        result = worker->failed ? 1 : 0;
    }
    worker_close(worker);
    free(worker);
    return result;
}
