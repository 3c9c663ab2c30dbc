/* Breaking the circle of a browser that is sent from page to login page and back without an end, or
 * that signs in and comes back as nobody: a short-lived cookie counts how often the login page sent
 * it on. It is the browser's own word, and decides nothing but what is told. */
#ifndef LATCHKEY_WEB_LOOP_H
#define LATCHKEY_WEB_LOOP_H

#include "web/page.h"

#define LOOP_SENTENCE_MAX 384

/* Counts that the answer sends the browser on. */
void loop_note(struct visit *visit);

/* Forgets the count: who signs out means to come back as nobody. */
void loop_forget(struct visit *visit);

/* Whether it was sent on so often within half a minute that once more will not help. */
bool loop_is_closed(const struct visit *visit);

/* Answers with a page that names the likely causes, instead of sending it on once more. */
void loop_show(struct visit *visit);

/* Whether the browser should have brought our cookie and did not: after a sign-in, or with a form
 * that was shown to it. Then `sentence` names the likely cause: the page was opened over http, or
 * under a name that the cookie is not for, or cookies are switched off. */
bool loop_explain(const struct visit *visit, bool with_form, char sentence[LOOP_SENTENCE_MAX]);

#endif
