#include "native.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

void skip_unless_native(void)
{
    if (RUNNING_ON_VALGRIND) {
        skip();
    }
}
