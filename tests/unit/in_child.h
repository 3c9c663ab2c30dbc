/* What changes a process for good is tried in a child. */
#ifndef LATCHKEY_TEST_IN_CHILD_H
#define LATCHKEY_TEST_IN_CHILD_H

/* Runs `ask` in a child and returns what it returned, 0 to 255; of one that a signal ended, the
 * negative number of the signal. */
int in_child(int (*ask)(int argument), int argument);

#endif
