/* Connections, and waiting for them. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "interpose.h"

INTERPOSE(socket, int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
INTERPOSE(socketpair, int, -1, socketpair, (int domain, int type, int protocol, int out[2]),
          (domain, type, protocol, out))
INTERPOSE(connect, int, -1, connect, (int fd, __CONST_SOCKADDR_ARG to, socklen_t len),
          (fd, to, len))
INTERPOSE(accept4, int, -1, accept4, (int fd, __SOCKADDR_ARG from, socklen_t *len, int flags),
          (fd, from, len, flags))
INTERPOSE_LENGTH(recv, ssize_t, -1, recv, (int fd, void *out, size_t len, int flags),
                 (fd, out, len, flags))
INTERPOSE_LENGTH(send, ssize_t, -1, send, (int fd, const void *from, size_t len, int flags),
                 (fd, from, len, flags))
INTERPOSE(recvmsg, ssize_t, -1, recvmsg, (int fd, struct msghdr *out, int flags), (fd, out, flags))
INTERPOSE(sendmsg, ssize_t, -1, sendmsg, (int fd, const struct msghdr *message, int flags),
          (fd, message, flags))
INTERPOSE(setsockopt, int, -1, setsockopt,
          (int fd, int level, int option, const void *value, socklen_t len),
          (fd, level, option, value, len))
INTERPOSE(getsockname, int, -1, getsockname, (int fd, __SOCKADDR_ARG out, socklen_t *len),
          (fd, out, len))
INTERPOSE(poll, int, -1, poll, (struct pollfd * set, nfds_t count, int wait_ms),
          (set, count, wait_ms))
INTERPOSE(epoll_create1, int, -1, epoll_create1, (int flags), (flags))
INTERPOSE(epoll_ctl, int, -1, epoll_ctl,
          (int epoll, int operation, int fd, struct epoll_event *event),
          (epoll, operation, fd, event))
INTERPOSE(epoll_wait, int, -1, epoll_wait,
          (int epoll, struct epoll_event *events, int room, int wait_ms),
          (epoll, events, room, wait_ms))
INTERPOSE(signalfd, int, -1, signalfd, (int fd, const sigset_t *signals, int flags),
          (fd, signals, flags))
INTERPOSE(inotify_init1, int, -1, inotify_init1, (int flags), (flags))
INTERPOSE(inotify_add_watch, int, -1, inotify_add_watch, (int fd, const char *path, uint32_t mask),
          (fd, path, mask))

int ioctl(int fd, unsigned long request, ...)
{
    struct fault fault = fault_ask(FAULT_ioctl, __builtin_return_address(0));
    int (*original)(int, unsigned long, ...) = NULL;
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (fault.how != FAULT_NONE) {
        errno = fault.error;
        return -1;
    }
    fault_find("ioctl", &original);
    return original(fd, request, argument);
}
