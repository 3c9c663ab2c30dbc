/* Tests of what valgrind takes from a program: its speed (a thirtieth is left), the numbers of some
 * descriptors, and the calls that confine it. */
#ifndef LATCHKEY_TESTS_NATIVE_H
#define LATCHKEY_TESTS_NATIVE_H

/* Skips the test that calls it, and says what it `needs`, when the program runs under valgrind. */
void skip_unless_native(const char *needs);

#endif
