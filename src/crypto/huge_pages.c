/* Huge pages for argon2id: an mmap(2) of our own in the programs that hash, which stands before
 * libc's.
 *
 * libsodium (1.0.18, Debian 12) maps 19 MiB for each hash, with MAP_POPULATE, and unmaps them.
 * Where huge pages are given only to those who ask (`madvise` in
 * /sys/kernel/mm/transparent_hugepage/enabled, see madvise(2)), that is 4,864 pages to be found,
 * cleared and entered, and a miss of the TLB in most steps of a hash: a quarter to a third of its
 * time. libsodium has no way to be told. So calls that ask for much memory, filled at once, get a
 * mapping that begins where a huge page can; every other call, and whatever fails here, is handed
 * on. munmap needs to know nothing of it. What the kernel has no huge page for, it fills with small
 * ones.
 *
 * There is no header: callers use mmap(2). The linker exports this one since libsodium refers to an
 * mmap; libc's own calls stay inside libc, and SQLite's go to mmap64. If another libsodium maps in
 * another way, nothing is lost but speed, and test_huge_pages tells. It changes no hash, wipes
 * nothing and locks nothing.
 *
 * Only login and account are linked with this (Makefile, HASHING_SRC): a library must not change
 * what mmap is, and commands hash for nobody who waits. */
#undef _FILE_OFFSET_BITS /* would make mmap and mmap64 one function, which calls itself */
#define _GNU_SOURCE      /* mmap64, MAP_ANONYMOUS, MADV_HUGEPAGE */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef __GLIBC__
#error "needs an mmap64 that is another function than mmap, as glibc's"
#endif

#define HUGE_PAGE_BYTES ((size_t)2 << 20) /* on x86-64, and arm64 with pages of 4 KiB */

static bool is_for_huge_pages(const void *addr, size_t len, int prot, int flags, int fd)
{
    return addr == NULL && fd == -1 && prot == (PROT_READ | PROT_WRITE) &&
           flags == (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE) && len >= HUGE_PAGE_BYTES &&
           len < SIZE_MAX / 2; /* what is added to it cannot wrap */
}

/* Maps HUGE_PAGE_BYTES more than is asked for, unfilled, and unmaps what stands out at both ends.
 * If that fails, some addresses stay taken, and no memory. */
static void *map_aligned(size_t len, int flags)
{
    /* cppcheck-suppress invalidFunctionArg ; -1 is what no file is called, mmap(2) */
    uint8_t *room = mmap64(NULL, len + HUGE_PAGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (room == MAP_FAILED) {
        return MAP_FAILED;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = (HUGE_PAGE_BYTES - (uintptr_t)room % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
    size_t end = before + (len + page - 1) / page * page;
    if (before > 0) {
        (void)munmap(room, before);
    }
    (void)munmap(room + end, len + HUGE_PAGE_BYTES - end); /* before is less than a huge page */
    /* cppcheck-suppress deallocret ; the ends went, what lies between stays */
    return room + before;
}

/* Not with MAP_POPULATE, which would fill it with small pages before the advice is heard. A kernel
 * older than 5.14 cannot be told to fill it then, and does so when it is used. */
__attribute__((visibility("default"))) void *mmap(void *addr, size_t len, int prot, int flags,
                                                  int fd, off_t offset)
{
    if (is_for_huge_pages(addr, len, prot, flags, fd)) {
        int before = errno; /* what succeeds leaves it alone: password.c reads it */
        void *memory = map_aligned(len, flags & ~MAP_POPULATE);
        if (memory != MAP_FAILED) {
            (void)madvise(memory, len, MADV_HUGEPAGE);
            (void)madvise(memory, len, MADV_POPULATE_WRITE);
            errno = before;
            return memory;
        }
    }
    return mmap64(addr, len, prot, flags, fd, offset);
}
