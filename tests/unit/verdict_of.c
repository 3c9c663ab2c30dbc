#include "verdict_of.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum verdict verdict_of(struct text password, const char *hash, const struct password_cost *cost,
                        bool *stale)
{
    enum verdict verdict = DENY;
    assert_int_equal(password_check(password, hash, cost, stale, &verdict), OK);
    return verdict;
}

void check_nobody(struct text password, const struct password_cost *cost)
{
    assert_int_equal(password_check_nobody(password, cost), OK);
}
