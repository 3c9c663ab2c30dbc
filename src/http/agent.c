/* Words for browsers. */
#include "http/agent.h"

#include <stdio.h>

void agent_describe(struct text user_agent, char out[AGENT_WORDS_MAX])
{
    (void)user_agent;
    (void)snprintf(out, AGENT_WORDS_MAX, "Unknown browser");
}
