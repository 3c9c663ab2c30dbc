/* Descriptors travel with a byte each (SCM_RIGHTS) over a pair of sockets for each line.
 *
 * SOCK_SEQPACKET keeps messages apart, so that one call takes one connection, whichever of the
 * workers makes it; and it holds some hundreds of them, where datagrams stop at
 * net.unix.max_dgram_qlen, which is 10. The kernel counts the bytes that were not taken, and so the
 * connections: no counter of our own can be wrong after a process died. */
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#include "http/handover.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

/* Room for the control message with one descriptor, aligned as it must be. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr alignment;
};

enum status handover_open(struct handover *out)
{
    *out = (struct handover){.in = {-1, -1}, .out = {-1, -1}};
    for (size_t i = 0; i < HANDOVER_LINES; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            log_error("no sockets between the processes of a program: %s", strerror(errno));
            return ERR_SYSTEM;
        }
        out->in[i] = pair[0];
        out->out[i] = pair[1];
    }
    return OK;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

void handover_close(struct handover *handover)
{
    for (size_t i = 0; i < HANDOVER_LINES; i++) {
        close_one(&handover->in[i]);
        close_one(&handover->out[i]);
    }
}

enum status handover_put(const struct handover *handover, enum handover_line line, int fd)
{
    char byte = 0;
    struct iovec content = {&byte, sizeof byte};
    union control control = {{0}};
    struct msghdr message = {.msg_iov = &content,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(handover->in[line], &message, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof byte) {
        log_error("a connection could not be handed to a worker: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}

static enum status read_descriptor(struct msghdr *message, int *fd)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS) {
        log_error("a connection was lost: a worker has no descriptor left");
        return ERR_MEMORY;
    }
    memcpy(fd, CMSG_DATA(header), sizeof *fd);
    return OK;
}

static enum status take_from(int out, int *fd)
{
    char byte = 0;
    struct iovec content = {&byte, sizeof byte};
    union control control = {{0}};
    struct msghdr message = {.msg_iov = &content,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t len = recvmsg(out, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len == sizeof byte) {
        return read_descriptor(&message, fd);
    }
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return ERR_NOT_FOUND;
    }
    log_error("connections cannot be taken over: %s", len == 0 ? "their end" : strerror(errno));
    return ERR_SYSTEM;
}

enum status handover_take(const struct handover *handover, size_t *known_in_a_row, int *fd)
{
    bool is_strangers_turn = *known_in_a_row >= HANDOVER_KNOWN_IN_A_ROW;
    enum handover_line line = is_strangers_turn ? HANDOVER_STRANGERS : HANDOVER_KNOWN;
    enum status status = take_from(handover->out[line], fd);
    if (status == ERR_NOT_FOUND) {
        line = is_strangers_turn ? HANDOVER_KNOWN : HANDOVER_STRANGERS;
        status = take_from(handover->out[line], fd);
    }
    if (status == OK) {
        *known_in_a_row = line == HANDOVER_KNOWN ? *known_in_a_row + 1 : 0;
    }
    return status;
}

size_t handover_count(const struct handover *handover, enum handover_line line)
{
    int bytes = 0;
    return ioctl(handover->out[line], FIONREAD, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}
