#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

static void every_status_has_its_own_words(void **state)
{
    (void)state;
    for (int i = OK; i <= ERR_PERMISSION; i++) {
        const char *words = status_text((enum status)i);
        assert_string_not_equal(words, status_text((enum status)(ERR_PERMISSION + 1)));
        for (int j = OK; j < i; j++) {
            assert_string_not_equal(words, status_text((enum status)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
