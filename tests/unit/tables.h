/* What tests that go through tables have in common. */
#ifndef LATCHKEY_TESTS_TABLES_H
#define LATCHKEY_TESTS_TABLES_H

/* How many entries an array has; not for pointers. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
