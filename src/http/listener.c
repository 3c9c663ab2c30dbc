/* Accepting, and telling apart why it failed: most failures befell one connection, or were another
 * worker being faster, and mean nothing here.
 *
 * Why peeking can see all: a UNIX socket holds what its sender's SO_SNDBUF allows (208 KiB), TCP
 * what our SO_RCVBUF allows, raised below; the largest good request is SCREEN_RAW_MAX_BYTES. A peer
 * that sends it in writes of a few bytes may fill the buffer with bookkeeping before the request is
 * complete; it meets the deadline. Web servers write in pieces of kilobytes. */
#define _GNU_SOURCE /* accept4 */
#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/screen.h"

#define RECEIVE_BYTES (2 * SCREEN_RAW_MAX_BYTES) /* halves of it may be bookkeeping */

enum status listener_open(int fd, const struct handover *from, struct listener *out)
{
    const int receive_bytes = RECEIVE_BYTES;
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof own;
    *out = (struct listener){.fd = fd, .from = from};
    if (from != NULL) {
        return OK;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &len) != 0) {
        log_error("the listening socket cannot be used: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    if (own.ss_family != AF_UNIX) { /* connections inherit it; UNIX sockets count at the sender */
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    peers_init(&out->peers, getenv("FCGI_WEB_SERVER_ADDRS"));
    return OK;
}

static enum arrival judge_failure(int reason)
{
    switch (reason) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ARRIVAL_NO_ROOM;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        log_error("the listening socket is gone: %s", strerror(reason));
        return ARRIVAL_BROKEN;
    default: /* another worker took the connection, or it went away */
        return ARRIVAL_NOBODY;
    }
}

static enum arrival take_over(struct listener *listener, int *fd)
{
    switch ((int)handover_take(listener->from, &listener->known_in_a_row, fd)) {
    case OK:
        return ARRIVAL_CONNECTION;
    case ERR_NOT_FOUND: /* another worker took it */
        return ARRIVAL_NOBODY;
    case ERR_MEMORY:
        return ARRIVAL_NO_ROOM;
    default:
        return ARRIVAL_BROKEN;
    }
}

enum arrival listener_accept(struct listener *listener, int *fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    bool asks = listener->peers.limited;
    if (listener->from != NULL) {
        return take_over(listener, fd);
    }
    int accepted = accept4(listener->fd, asks ? (struct sockaddr *)&peer : NULL, asks ? &len : NULL,
                           SOCK_CLOEXEC);
    if (accepted < 0) {
        return judge_failure(errno);
    }
    if (asks && !peers_has(&listener->peers, &peer)) {
        log_warning("a peer that FCGI_WEB_SERVER_ADDRS does not name was turned away");
        (void)close(accepted);
        return ARRIVAL_NOBODY;
    }
    *fd = accepted;
    return ARRIVAL_CONNECTION;
}
