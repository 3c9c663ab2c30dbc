/* The priority of processes that compute for long beside such that answer at once. */
#ifndef LATCHKEY_BASE_PRIORITY_H
#define LATCHKEY_BASE_PRIORITY_H

/* Lets this process, and those it forks from now on, stand behind others when both want a
 * processor: PRIORITY_STEPS below what it was started with, no further than the lowest (setpriority
 * (2)). It still gets a share of a processor that is wanted by all. What cannot be set is logged,
 * and the process goes on as it was. Cannot be undone without privilege. */
#define PRIORITY_STEPS 5
void priority_lower(void);

#endif
