/* One sentence for whatever was wrong, and when to try again. */
#include "web/trial.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define BUSY "Too many people are signing in at this moment. Please try again in a few seconds."

int trial_tell(enum trial trial, int64_t wait_s, const char *wrong,
               char sentence[TRIAL_SENTENCE_MAX])
{
    char wait[CLOCK_TEXT_MAX];
    switch (trial) {
    case TRIAL_THROTTLED:
        clock_print_span(wait_s, wait);
        (void)snprintf(sentence, TRIAL_SENTENCE_MAX, "Too many attempts. Please try again in %s.",
                       wait);
        return 429;
    case TRIAL_BUSY:
        (void)snprintf(sentence, TRIAL_SENTENCE_MAX, "%s", BUSY);
        return 503;
    case TRIAL_WRONG:
    case TRIAL_RIGHT:
    default:
        (void)snprintf(sentence, TRIAL_SENTENCE_MAX, "%s", wrong);
        return 403;
    }
}

/* Not to an answer that has become another one meanwhile; page_show adds it to a 503 itself. */
void trial_add_wait(struct visit *visit, enum trial trial, int64_t wait_s)
{
    if (trial == TRIAL_THROTTLED && visit->response->status == 429) {
        char seconds[CLOCK_TEXT_MAX];
        (void)snprintf(seconds, sizeof seconds, "%" PRId64, wait_s);
        response_add_header(visit->response, "Retry-After", text_of(seconds));
    }
}
