/* Uses of sessions that are still to be written: they wait here until no answer is in the way. */
#ifndef LATCHKEY_SESSION_USES_H
#define LATCHKEY_SESSION_USES_H

#include "store/sessions.h"

#define USES_MAX      512  /* that wait at a time, for each store */
#define USES_ORDINARY 64   /* of which so many need not be late */
#define USES_PAUSE_MS 1000 /* between two writings, at least */
#define USES_RETRY_MS 50   /* when another program was writing */

/* What to do about a pause that is not over, and about another program that is writing. */
enum uses_moment {
    USES_WHEN_DUE, /* keep the pause; wait for nobody, what could not be written stays */
    USES_NOW,      /* no pause; wait for nobody, what could not be written stays */
    USES_AT_LAST,  /* no pause; try for a tenth of a second, then give up and log it */
};

struct uses {
    struct session_use items[USES_MAX];
    size_t count;
    int64_t due_ms; /* monotonic; not to be written before */
};

/* Notes a use. `late`: so much of the idle time has passed since the last that was noted that there
 * may be no other chance. False: too many wait; it is not noted, and may be offered again. */
bool uses_add(struct uses *uses, const uint8_t key[SESSION_KEY_BYTES], int64_t seen_s, bool late);

/* Writes what waits, in one transaction. Returns the milliseconds after which to call again, -1
 * when nothing waits. What fails otherwise than for another program's writing is logged and given
 * up, which ends no session before its time by more than the pause between two uses that are noted.
 */
int uses_write(struct uses *uses, struct store *store, enum uses_moment moment);

#endif
