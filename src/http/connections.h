/* The connections that a worker is not at: whose request is not complete yet, and kept ones between
 * two requests. */
#ifndef LATCHKEY_HTTP_CONNECTIONS_H
#define LATCHKEY_HTTP_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/status.h"

#define CONNECTIONS_PENDING_MAX 64
#define CONNECTIONS_IDLE_MAX    64
#define CONNECTIONS_MAX         (CONNECTIONS_PENDING_MAX + CONNECTIONS_IDLE_MAX)

#define CONNECTIONS_PENDING_MS 10000 /* from accept or the first byte to the end of the request */
#define CONNECTIONS_IDLE_MS    75000 /* from an answer to the next request */

enum standing {
    STANDING_PENDING, /* a request is awaited, or the rest of it */
    STANDING_IDLE,    /* kept after an answer, and nothing came since */
};
#define STANDINGS 2

struct connection {
    int fd; /* -1: closed */
    enum standing standing;
    bool was_answered; /* an earlier request on it */
    int64_t deadline_ms;
    struct oversize *oversize; /* owned; NULL while the connection is only looked at */

    TAILQ_ENTRY(connection) next; /* private to connections.c */
};

/* The connections of one standing. */
TAILQ_HEAD(connection_line, connection);

struct connections {
    size_t counts[STANDINGS];

    struct connection_line free, lines[STANDINGS]; /* the rest is private to connections.c */
    struct connection places[CONNECTIONS_MAX];
};

/* Makes all places free. */
void connections_init(struct connections *connections);

/* Closes all that are left. */
void connections_clear(struct connections *connections);

/* Closes a connection, with a place or without, and wipes what was kept of it. */
void connection_close(struct connection *connection);

/* Gives a connection a place, which takes over what it holds, and a deadline. When all places for
 * pending ones are taken, the oldest of them is closed; when all for idle ones are, the result is
 * NULL. */
struct connection *connections_add(struct connections *connections,
                                   const struct connection *connection, enum standing standing,
                                   int64_t now_ms);

/* Changes where a connection stands, and gives it a new deadline. False: all places for idle ones
 * are taken. */
bool connections_move(struct connections *connections, struct connection *place,
                      enum standing standing, int64_t now_ms) MUST_USE;

/* Closes a connection and frees its place. */
void connections_remove(struct connections *connections, struct connection *place);

/* Closes the one that can be missed most easily: the oldest idle one, else the oldest. False: there
 * is none. */
bool connections_evict(struct connections *connections);

/* Closes those whose deadline has come. */
void connections_close_late(struct connections *connections, int64_t now_ms);

/* The next deadline; INT64_MAX: there is none. */
int64_t connections_deadline(const struct connections *connections);

/* The one that has been idle for longest; NULL: there is none. */
struct connection *connections_first_idle(const struct connections *connections);

/* A number below CONNECTIONS_MAX that stands for a place, and the way back. */
uint32_t connections_key(const struct connections *connections, const struct connection *place);
struct connection *connections_at(struct connections *connections, uint32_t key);

#endif
