/* For cmocka: the state of each test is an arena with room enough. */
#ifndef LATCHKEY_TESTS_REQUEST_ARENA_H
#define LATCHKEY_TESTS_REQUEST_ARENA_H

int request_arena_set_up(void **state);
int request_arena_tear_down(void **state);

#endif
