/* One sentence for whatever was wrong, and when to try again. */
#include "web/trial.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

int trial_tell(struct visit *visit, const struct sign_in *sign_in, const char *wrong,
               char sentence[TRIAL_SENTENCE_MAX])
{
    char wait[CLOCK_TEXT_MAX];
    char seconds[CLOCK_TEXT_MAX];
    if (sign_in->trial != TRIAL_THROTTLED) {
        (void)snprintf(sentence, TRIAL_SENTENCE_MAX, "%s", wrong);
        return 403;
    }
    clock_print_span(sign_in->wait_s, wait);
    (void)snprintf(sentence, TRIAL_SENTENCE_MAX,
                   "Too many attempts were wrong. Please try again in %s.", wait);
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, sign_in->wait_s);
    response_add_header(visit->response, "Retry-After", text_of(seconds));
    return 429;
}
