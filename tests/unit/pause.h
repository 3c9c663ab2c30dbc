/* Waiting, where a test has nothing to wait for but time. */
#ifndef LATCHKEY_TESTS_PAUSE_H
#define LATCHKEY_TESTS_PAUSE_H

void pause_ms(long ms);

#endif
