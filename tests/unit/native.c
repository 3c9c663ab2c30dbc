#include "native.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <valgrind/valgrind.h>

void skip_unless_native(const char *needs)
{
    if (RUNNING_ON_VALGRIND) {
        print_message("# not under valgrind: the next test needs %s\n", needs);
        skip();
    }
}
