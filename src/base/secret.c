/* Wiping and comparing secrets, and keeping them out of core dumps.
 *
 * explicit_bzero is a call that no compiler may drop. What this does not reach: copies in
 * registers, in swap, and in memory that a library freed by itself.
 *
 * The comparison adds up the differences of all words, and of the bytes that are left; the
 * accumulator is volatile, so that the compiler cannot leave the loop at the first difference,
 * which would tell a guesser how many bytes were right. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "base/secret.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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
    volatile uint64_t difference = 0;
    size_t i = 0;
    for (; i + sizeof difference <= len; i += sizeof difference) {
        uint64_t words[2];
        memcpy(&words[0], left + i, sizeof words[0]);
        memcpy(&words[1], right + i, sizeof words[1]);
        difference |= words[0] ^ words[1];
    }
    for (; i < len; i++) {
        difference |= (uint64_t)(left[i] ^ right[i]);
    }
    return difference == 0;
}

/* Both are needed: the kernel does not ask for the limit where dumps are piped into a program. Not
 * PR_SET_DUMPABLE, which would also keep the owner from seeing how much memory a program takes. */
void secret_forbid_dumps(void)
{
    const struct rlimit nothing = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &nothing);
    int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (filter >= 0) {
        (void)!write(filter, "0\n", 2);
        (void)close(filter);
    }
}
