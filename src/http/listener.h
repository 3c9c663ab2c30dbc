/* Where the connections of a process come from: the socket on which its program listens, or the
 * porter who accepts them there. */
#ifndef LATCHKEY_HTTP_LISTENER_H
#define LATCHKEY_HTTP_LISTENER_H

#include "http/handover.h"
#include "http/peers.h"

struct listener {
    int fd;                      /* borrowed */
    const struct handover *from; /* borrowed; NULL: connections are accepted on fd */
    size_t known_in_a_row;       /* for handover_take */
    struct peers peers;
};

/* Makes the socket non-blocking, and its connections large enough for the largest good request to
 * be looked at. Reads FCGI_WEB_SERVER_ADDRS. ERR_SYSTEM (logged). With `from`, all that is the
 * porter's to do, and fd is left alone. */
enum status listener_open(int fd, const struct handover *from, struct listener *out) MUST_USE;

enum arrival {
    ARRIVAL_BROKEN = 0, /* the socket is of no use any more (logged) */
    ARRIVAL_NO_ROOM,    /* a connection waits, but descriptors or memory have come to an end */
    ARRIVAL_NOBODY,     /* also: one that may not speak was turned away (logged) */
    ARRIVAL_CONNECTION,
};

/* Accepts a connection, or takes one over, without waiting. *fd is set for ARRIVAL_CONNECTION only:
 * a blocking descriptor, as libfcgi needs it, that the caller closes. */
enum arrival listener_accept(struct listener *listener, int *fd) MUST_USE;

#endif
