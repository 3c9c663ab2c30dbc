/* Browser and system in words, from a User-Agent header. What it says is the client's and proves
 * nothing: it is for people who look for their own devices in a list. */
#ifndef LATCHKEY_HTTP_AGENT_H
#define LATCHKEY_HTTP_AGENT_H

#include "base/text.h"

#define AGENT_WORDS_MAX 64

/* "Firefox on Linux", "Safari on iPhone", "curl", or "Unknown browser"; NUL-terminated, printable
 * ASCII. */
void agent_describe(struct text user_agent, char out[AGENT_WORDS_MAX]);

#endif
