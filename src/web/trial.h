/* What a page tells somebody whose password was not taken. */
#ifndef LATCHKEY_WEB_TRIAL_H
#define LATCHKEY_WEB_TRIAL_H

#include "web/page.h"

#define TRIAL_SENTENCE_MAX 128

/* The status for the form that is shown again (403, 429, 503), and its sentence; `wrong` is the one
 * for a wrong password. The same for known and unknown names. */
int trial_tell(enum trial trial, int64_t wait_s, const char *wrong,
               char sentence[TRIAL_SENTENCE_MAX]);

/* After the form was shown: adds Retry-After where waiting helps. */
void trial_add_wait(struct visit *visit, enum trial trial, int64_t wait_s);

#endif
