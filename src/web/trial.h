/* What a page tells somebody whose password was not taken. */
#ifndef LATCHKEY_WEB_TRIAL_H
#define LATCHKEY_WEB_TRIAL_H

#include "auth/attempt.h"
#include "web/page.h"

#define TRIAL_SENTENCE_MAX 128

/* The status for the form that is shown again (403, 429, 503), and its sentence; `wrong` is the one
 * for a wrong password. The same for known and unknown names. */
int trial_tell(const struct sign_in *sign_in, const char *wrong, char sentence[TRIAL_SENTENCE_MAX]);

/* After the form was shown: adds Retry-After where waiting helps. */
void trial_add_wait(struct visit *visit, const struct sign_in *sign_in);

#endif
