/* Wiping and comparing secrets.
 *
 * explicit_bzero is a call that no compiler may drop. What this does not reach: copies in
 * registers, in swap, and in memory that a library freed by itself.
 *
 * The comparison adds up the differences of all bytes; the accumulator is volatile, so that the
 * compiler cannot leave the loop at the first difference, which would tell a guesser how many
 * bytes were right. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "base/secret.h"

#include <string.h>

void secret_wipe(void *memory, size_t len)
{
    if (memory != NULL) {
        explicit_bzero(memory, len);
    }
}

bool secret_is_equal(const void *a, const void *b, size_t len)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < len; i++) {
        difference = (unsigned char)(difference | (left[i] ^ right[i]));
    }
    return difference == 0;
}
