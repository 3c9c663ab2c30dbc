/* Huge pages for argon2id: an mmap of this program's own, which stands before libc's.
 *
 * libsodium maps 19 MiB for each hash, with MAP_POPULATE, and unmaps them. Where huge pages are
 * given only to who asks (`madvise` in /sys/kernel/mm/transparent_hugepage/enabled, see
 * madvise(2)), that is 4,864 pages to be found and entered: two fifths of the time of a hash, and a
 * miss of the address cache in most of its steps. libsodium has no way to be told. So calls that
 * ask for much memory, filled at once, get a mapping that begins where a huge page can; every other
 * call, and whatever fails here, is handed on. munmap needs to know nothing of it. What the kernel
 * has no huge page for, it fills with small ones.
 *
 * Only the login program is linked with this (Makefile, HUGE): a library must not change what mmap
 * is, and no other program hashes for those who wait. libc does not call its own mmap by this name.
 */
#define _GNU_SOURCE /* mmap64, MAP_ANONYMOUS, MADV_HUGEPAGE */
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_BYTES ((size_t)2 << 20)

static bool is_for_huge_pages(const void *start, size_t len, int protection, int flags, int fd)
{
    const int wanted = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    return start == NULL && fd == -1 && len >= HUGE_BYTES && len < SIZE_MAX / 2 &&
           protection == (PROT_READ | PROT_WRITE) && (flags & ~MAP_NORESERVE) == wanted;
}

/* Maps more than is wanted and gives back what stands out at both ends. */
static void *map_aligned(size_t len, int flags)
{
    uint8_t *room = mmap64(NULL, len + HUGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (room == MAP_FAILED) {
        return MAP_FAILED;
    }
    size_t before = (HUGE_BYTES - (uintptr_t)room % HUGE_BYTES) % HUGE_BYTES;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = before + (len + page - 1) / page * page;
    if ((before > 0 && munmap(room, before) != 0) ||
        (used < len + HUGE_BYTES && munmap(room + used, len + HUGE_BYTES - used) != 0)) {
        (void)munmap(room, len + HUGE_BYTES);
        return MAP_FAILED;
    }
    return room + before;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (is_for_huge_pages(addr, len, prot, flags, fd)) {
        void *memory = map_aligned(len, flags & ~MAP_POPULATE);
        if (memory != MAP_FAILED) {
            (void)madvise(memory, len, MADV_HUGEPAGE);
            (void)madvise(memory, len, MADV_POPULATE_WRITE); /* else filled when it is used */
            return memory;
        }
    }
    return mmap64(addr, len, prot, flags, fd, offset);
}
