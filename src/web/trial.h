/* What a page tells somebody whose password was not taken. */
#ifndef LATCHKEY_WEB_TRIAL_H
#define LATCHKEY_WEB_TRIAL_H

#include "auth/attempt.h"
#include "web/page.h"

#define TRIAL_SENTENCE_MAX 128

/* The status of the answer (403, 429), with the sentence for the form that is shown again; `wrong`
 * is the one for a wrong password. Adds Retry-After where it helps. Not for TRIAL_BUSY: page_fail.
 */
int trial_tell(struct visit *visit, const struct sign_in *sign_in, const char *wrong,
               char sentence[TRIAL_SENTENCE_MAX]);

#endif
