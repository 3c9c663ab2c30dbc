/* Pacing.
 *
 * Whoever waits for SQLite's lock asks for it again every millisecond (db/sqlite.c) and is in no
 * queue. With the lock free half of the time and for as long as it was held, who asks twenty times
 * gets it, as good as always; without rests, nobody else would before the end. */
#include "store/pace.h"

#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

static int64_t now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void pace_begin(struct pace *pace)
{
    pace->begun_ns = now_ns();
}

void pace_rest(struct pace *pace)
{
    int64_t took_ns = now_ns() - pace->begun_ns;
    if (took_ns > PACE_REST_MAX_MS * NS_PER_MS) {
        took_ns = PACE_REST_MAX_MS * NS_PER_MS;
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)took_ns}, NULL);
    pace_begin(pace);
}
