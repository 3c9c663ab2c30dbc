/* Waiting with epoll. Signals arrive through a descriptor, so that handlers of requests are never
 * interrupted. Edge-triggered, for peeked bytes stay and would wake a level-triggered wait for
 * ever. */
#include "http/wait_set.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "http/prefork.h"

static bool watch(const struct wait_set *set, int fd, uint32_t events, uint32_t key)
{
    struct epoll_event event = {.events = events, .data.u32 = key};
    if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        log_error("a descriptor cannot be watched: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool open_waiting(struct wait_set *set)
{
    sigset_t stop;
    prefork_stop_signals(&stop);
    /* The handlers that libfcgi put are never reached: the stop signals are blocked. */
    (void)signal(SIGPIPE, SIG_IGN);
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll >= 0) {
        set->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    if (set->epoll < 0 || set->signals < 0) {
        log_error("events cannot be waited for: %s", strerror(errno));
        return false;
    }
    return watch(set, set->signals, EPOLLIN | EPOLLET, KEY_SIGNALS);
}

enum status wait_set_open(int listener, const struct handover *from, struct wait_set *out)
{
    *out = (struct wait_set){.epoll = -1, .signals = -1};
    if (!open_waiting(out)) {
        return ERR_SYSTEM;
    }
    enum status status = listener_open(listener, from, &out->listener);
    return status == OK && !wait_set_listen(out) ? ERR_SYSTEM : status;
}

void wait_set_close(struct wait_set *set)
{
    if (set->signals >= 0) {
        (void)close(set->signals);
    }
    if (set->epoll >= 0) {
        (void)close(set->epoll);
    }
}

bool wait_set_add(const struct wait_set *set, int fd, uint32_t key)
{
    return watch(set, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, key);
}

void wait_set_remove(const struct wait_set *set, int fd)
{
    (void)epoll_ctl(set->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* The descriptors by which connections come; how many. */
static size_t list_sources(const struct wait_set *set, int out[HANDOVER_LINES])
{
    const struct handover *from = set->listener.from;
    if (from == NULL) {
        out[0] = set->listener.fd;
        return 1;
    }
    memcpy(out, from->out, sizeof from->out);
    return HANDOVER_LINES;
}

bool wait_set_listen(struct wait_set *set)
{
    int sources[HANDOVER_LINES];
    size_t count = list_sources(set, sources);
    set->is_listening = true;
    for (size_t i = 0; i < count && set->is_listening; i++) {
        set->is_listening = watch(set, sources[i], EPOLLIN | EPOLLEXCLUSIVE, KEY_LISTENER);
    }
    return set->is_listening;
}

void wait_set_leave(struct wait_set *set)
{
    int sources[HANDOVER_LINES];
    size_t count = list_sources(set, sources);
    for (size_t i = 0; i < count && set->is_listening; i++) {
        (void)epoll_ctl(set->epoll, EPOLL_CTL_DEL, sources[i], NULL);
    }
    set->is_listening = false;
}

int wait_set_wait(const struct wait_set *set, struct epoll_event events[EVENTS_AT_ONCE],
                  int wait_ms)
{
    return epoll_wait(set->epoll, events, EVENTS_AT_ONCE, wait_ms);
}
