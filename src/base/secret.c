/* Wiping and comparing secrets, and keeping them out of core dumps.
 *
 * explicit_bzero is a call that no compiler may drop. What this does not reach: copies in
 * registers, and in memory that a library freed by itself.
 *
 * What is kept as long as a program runs has pages of its own. They say by themselves that they are
 * not to be dumped, which holds in programs of others too, that may well dump all else; and they
 * are locked, so that no key comes to lie on a disk with what is swapped out. What lives for a
 * request is neither: a limit of 64 KiB (RLIMIT_MEMLOCK before Linux 5.16) would not hold it, and
 * it is gone within milliseconds. Whoever fears for it encrypts the swap.
 *
 * The comparison adds up the differences of all words, and of the bytes that are left; the
 * accumulator is volatile, so that the compiler cannot leave the loop at the first difference,
 * which would tell a guesser how many bytes were right. */
#define _DEFAULT_SOURCE /* explicit_bzero, MAP_ANONYMOUS, MADV_DONTDUMP */
#include "base/secret.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
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

void *secret_new(size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    (void)madvise(memory, len, MADV_DONTDUMP);
    secret_pin(memory, len);
    return memory;
}

void secret_pin(const void *memory, size_t len)
{
    (void)mlock(memory, len);
}

void secret_free(void *memory, size_t len)
{
    if (memory != NULL) {
        secret_wipe(memory, len);
        (void)munmap(memory, len);
    }
}

/* Both are needed: the kernel does not ask for the limit where dumps are piped into a program. Not
 * PR_SET_DUMPABLE, which would also keep the owner of a master or a command from seeing how much
 * memory it takes; processes that serve set it (confine/limits.c). */
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
