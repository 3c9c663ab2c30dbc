/* Password checks that can be made. */
#ifndef LATCHKEY_TESTS_VERDICT_OF_H
#define LATCHKEY_TESTS_VERDICT_OF_H

#include "crypto/password.h"

/* What password_check finds, when it finds out; else the test fails. */
enum verdict verdict_of(struct text password, const char *hash, const struct password_cost *cost,
                        bool *stale);

/* The same for password_check_nobody. */
void check_nobody(struct text password, const struct password_cost *cost);

#endif
