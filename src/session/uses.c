/* Writing the uses of sessions in batches.
 *
 * A use is worth little: one that is lost ends a session a minute early at most. So it never holds
 * up an answer, never waits for another writer, and is written with others, once a second, in
 * batches that take one or two milliseconds. Where more sessions than that are to be noted, a use
 * that finds no place is offered again by the session's next request. Those that were not noted for
 * long have places of their own, since for them there may be no other: with so many that they
 * matter, batches take ten milliseconds. */
#include "session/uses.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define LAST_TRIES    10
#define LAST_PAUSE_MS 10

bool uses_add(struct uses *uses, const uint8_t key[SESSION_KEY_BYTES], int64_t seen_s, bool late)
{
    if (uses->count >= (late ? USES_MAX : USES_ORDINARY)) {
        return false;
    }
    struct session_use *use = &uses->items[uses->count++];
    memcpy(use->key, key, sizeof use->key);
    use->seen_s = seen_s;
    return true;
}

/* Who leaves has no second chance, and his like leave at the same time. */
static enum status write_all(const struct uses *uses, struct store *store, enum uses_moment moment)
{
    const struct timespec pause = {.tv_nsec = LAST_PAUSE_MS * 1000000L};
    int tries = moment == USES_AT_LAST ? LAST_TRIES : 0;
    enum status status = sessions_touch(store, uses->items, uses->count);
    for (int i = 0; i < tries && status == ERR_BUSY; i++) {
        (void)nanosleep(&pause, NULL);
        status = sessions_touch(store, uses->items, uses->count);
    }
    return status;
}

int uses_write(struct uses *uses, struct store *store, enum uses_moment moment)
{
    int64_t now_ms = clock_monotonic_ms();
    if (uses->count == 0) {
        return -1;
    }
    if (moment == USES_WHEN_DUE && now_ms < uses->due_ms) {
        return (int)(uses->due_ms - now_ms);
    }
    enum status status = write_all(uses, store, moment);
    uses->due_ms = now_ms + USES_PAUSE_MS;
    if (status == ERR_BUSY && moment != USES_AT_LAST) {
        uses->due_ms = now_ms + USES_RETRY_MS;
        return USES_RETRY_MS;
    }
    if (status != OK) {
        log_warning("%zu uses of sessions could not be noted", uses->count);
    }
    uses->count = 0;
    return -1;
}
