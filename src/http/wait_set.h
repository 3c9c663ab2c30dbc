/* What a worker waits for: its listener (or the lines of a porter), the stop signals, and the
 * connections that it has. */
#ifndef LATCHKEY_HTTP_WAIT_SET_H
#define LATCHKEY_HTTP_WAIT_SET_H

#include <sys/epoll.h>

#include "http/connections.h"
#include "http/listener.h"

/* What an event is about: below CONNECTIONS_MAX a connection. */
enum { KEY_LISTENER = CONNECTIONS_MAX, KEY_SIGNALS };

struct wait_set {
    struct listener listener; /* its descriptor is borrowed */
    int epoll, signals;       /* owned; -1: not open */
    bool is_listening;        /* the listener is among what is waited for */
};

/* For the listener that listener_open makes of the first two, and the signals of
 * prefork_stop_signals, which must be blocked. After desk_open, for libfcgi puts signal handlers of
 * its own. ERR_SYSTEM (logged). Close with wait_set_close, also after a failure. */
enum status wait_set_open(int listener, const struct handover *from, struct wait_set *out) MUST_USE;
void wait_set_close(struct wait_set *set);

/* Adds a connection, to be told by the edge when it can be read or has ended, under the key. False
 * (logged): it cannot be. Closing it takes it out, as long as nobody else has it open. */
bool wait_set_add(const struct wait_set *set, int fd, uint32_t key) MUST_USE;

/* Takes out a connection that was handed to another process, before it is closed here: there it
 * stays open, and what becomes of it would still be told under the key, whoever has that by then.
 */
void wait_set_remove(const struct wait_set *set, int fd);

/* Watches the listener (again), and leaves it. Level-triggered and exclusive: one connection wakes
 * one worker. False (logged): it cannot be. */
bool wait_set_listen(struct wait_set *set) MUST_USE;
void wait_set_leave(struct wait_set *set);

/* Waits for wait_ms milliseconds at most; 0: not at all, -1: without end. How many events there
 * are; -1: it was interrupted. */
#define EVENTS_AT_ONCE 64
int wait_set_wait(const struct wait_set *set, struct epoll_event events[EVENTS_AT_ONCE],
                  int wait_ms);

#endif
