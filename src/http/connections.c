/* A table of places and three lines through it: the free places, the pending connections and the
 * idle ones. All in a line wait equally long and enter it at its end, so the first is the oldest
 * and the next to be late, and nothing here searches.
 *
 * Whoever opens many connections and says nothing crowds out himself: when the places for pending
 * ones end, the oldest goes. An idle one never goes for another that would be idle too: its web
 * server may just be writing a request to it.
 *
 * nginx drops a connection that was idle for 60 s. Ours waits longer, so that it is nginx who ends
 * it, with no request on the way. */
#include "http/connections.h"

#include <unistd.h>

#include "base/log.h"
#include "http/oversize.h"

static const struct {
    size_t places;
    int64_t patience_ms;
} limits[STANDINGS] = {
    [STANDING_PENDING] = {CONNECTIONS_PENDING_MAX, CONNECTIONS_PENDING_MS},
    [STANDING_IDLE] = {CONNECTIONS_IDLE_MAX, CONNECTIONS_IDLE_MS},
};

void connections_init(struct connections *connections)
{
    TAILQ_INIT(&connections->free);
    for (size_t i = 0; i < STANDINGS; i++) {
        TAILQ_INIT(&connections->lines[i]);
        connections->counts[i] = 0;
    }
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        connections->places[i].fd = -1;
        TAILQ_INSERT_TAIL(&connections->free, &connections->places[i], next);
    }
}

void connections_clear(struct connections *connections)
{
    while (connections_evict(connections)) {
    }
}

void connection_close(struct connection *connection)
{
    oversize_free(&connection->oversize);
    if (connection->fd >= 0) { /* ends the watching too, unless it was handed over (wait_set.h) */
        (void)close(connection->fd);
        connection->fd = -1;
    }
}

static void enter(struct connections *connections, struct connection *place, enum standing standing,
                  int64_t now_ms)
{
    place->standing = standing;
    place->deadline_ms = now_ms + limits[standing].patience_ms;
    TAILQ_INSERT_TAIL(&connections->lines[standing], place, next);
    connections->counts[standing]++;
}

static void leave(struct connections *connections, struct connection *place)
{
    TAILQ_REMOVE(&connections->lines[place->standing], place, next);
    connections->counts[place->standing]--;
}

static bool remove_first(struct connections *connections, enum standing standing)
{
    struct connection *first = TAILQ_FIRST(&connections->lines[standing]);
    if (first == NULL) {
        return false;
    }
    connections_remove(connections, first);
    return true;
}

/* Whether there is room for one more, which pending ones always get. */
static bool make_room(struct connections *connections, enum standing standing)
{
    if (connections->counts[standing] < limits[standing].places) {
        return true;
    }
    if (standing == STANDING_IDLE) {
        return false;
    }
    log_debug("too many silent connections: the oldest is closed");
    return remove_first(connections, standing);
}

struct connection *connections_add(struct connections *connections,
                                   const struct connection *connection, enum standing standing,
                                   int64_t now_ms)
{
    if (!make_room(connections, standing)) {
        return NULL;
    }
    struct connection *place = TAILQ_FIRST(&connections->free);
    TAILQ_REMOVE(&connections->free, place, next);
    *place = *connection;
    enter(connections, place, standing, now_ms);
    return place;
}

bool connections_move(struct connections *connections, struct connection *place,
                      enum standing standing, int64_t now_ms)
{
    if (place->standing != standing && !make_room(connections, standing)) {
        return false;
    }
    leave(connections, place);
    enter(connections, place, standing, now_ms);
    return true;
}

void connections_remove(struct connections *connections, struct connection *place)
{
    leave(connections, place);
    connection_close(place);
    TAILQ_INSERT_HEAD(&connections->free, place, next);
}

bool connections_evict(struct connections *connections)
{
    return remove_first(connections, STANDING_IDLE) || remove_first(connections, STANDING_PENDING);
}

static int64_t line_deadline(const struct connections *connections, enum standing standing)
{
    const struct connection *first = TAILQ_FIRST(&connections->lines[standing]);
    return first == NULL ? INT64_MAX : first->deadline_ms;
}

void connections_close_late(struct connections *connections, int64_t now_ms)
{
    while (line_deadline(connections, STANDING_PENDING) <= now_ms) {
        log_debug("a connection did not send its request in time");
        (void)remove_first(connections, STANDING_PENDING);
    }
    while (line_deadline(connections, STANDING_IDLE) <= now_ms) {
        (void)remove_first(connections, STANDING_IDLE);
    }
}

int64_t connections_deadline(const struct connections *connections)
{
    int64_t pending_ms = line_deadline(connections, STANDING_PENDING);
    int64_t idle_ms = line_deadline(connections, STANDING_IDLE);
    return pending_ms < idle_ms ? pending_ms : idle_ms;
}

struct connection *connections_first_idle(const struct connections *connections)
{
    return TAILQ_FIRST(&connections->lines[STANDING_IDLE]);
}

uint32_t connections_key(const struct connections *connections, const struct connection *place)
{
    return (uint32_t)(place - connections->places);
}

struct connection *connections_at(struct connections *connections, uint32_t key)
{
    return &connections->places[key];
}
