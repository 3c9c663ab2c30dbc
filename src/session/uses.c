/* Writing the uses of sessions in batches.
 *
 * A use is worth little: if it is lost, a session ends a minute early. So it never holds up an
 * answer, never waits for another writer, and is written with others at once, once a second: with
 * so many as take a few milliseconds. Where more sessions are used than that, whose use finds no
 * place comes again with the session's next request. */
#include "session/uses.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

bool uses_add(struct uses *uses, const uint8_t key[SESSION_KEY_BYTES], int64_t seen_s)
{
    if (uses->count == USES_MAX) {
        return false;
    }
    struct session_use *use = &uses->items[uses->count++];
    memcpy(use->key, key, sizeof use->key);
    use->seen_s = seen_s;
    return true;
}

int uses_write(struct uses *uses, struct store *store, bool leaving)
{
    int64_t now_ms = clock_monotonic_ms();
    if (uses->count == 0) {
        return -1;
    }
    if (!leaving && now_ms < uses->due_ms) {
        return (int)(uses->due_ms - now_ms);
    }
    enum status status = sessions_touch(store, uses->items, uses->count);
    uses->due_ms = now_ms + USES_PAUSE_MS;
    if (status == ERR_BUSY) {
        uses->due_ms = now_ms + USES_RETRY_MS;
        return USES_RETRY_MS;
    }
    if (status != OK) {
        log_warning("%zu uses of sessions could not be noted", uses->count);
    }
    uses->count = 0;
    return -1;
}
