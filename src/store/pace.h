/* Long work in small steps, with rests between them for those who wait for the same lock. */
#ifndef LATCHKEY_STORE_PACE_H
#define LATCHKEY_STORE_PACE_H

#include <stdint.h>

struct pace {
    int64_t begun_ns; /* the present step, by the monotonic clock */
};

/* Begins the first step. */
void pace_begin(struct pace *pace);

/* Ends a step: sleeps as long as it took, PACE_REST_MAX_MS at most, and begins the next one. */
#define PACE_REST_MAX_MS 20
void pace_rest(struct pace *pace);

#endif
