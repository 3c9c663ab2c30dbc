/* The mmap that the login program has instead of libc's. */
#define _GNU_SOURCE /* mmap64, MAP_ANONYMOUS, MADV_HUGEPAGE */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/password.h"
#include "scratch.h"
#include "verdict_of.h"

#define KIB        ((size_t)1 << 10)
#define MIB        ((size_t)1 << 20)
#define HUGE_BYTES (2 * MIB)
#define FILLED     (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)
#define BOTH       (PROT_READ | PROT_WRITE)

/* A mapping of a process: its length, how much of it is there, whether huge pages were asked
 * for it. */
struct mapping {
    uintptr_t start;
    size_t len;
    size_t filled;
    bool is_advised;
};

/* The first mapping for which is_wanted(mapping, what) is true, or all zeros. */
static struct mapping find_mapping(pid_t pid, bool (*is_wanted)(struct mapping, size_t),
                                   size_t what)
{
    struct mapping mapping = {0};
    struct mapping found = {0};
    char line[512];
    (void)snprintf(line, sizeof line, "/proc/%d/smaps", (int)pid);
    FILE *file = fopen(line, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL && found.len == 0) {
        unsigned long first = 0;
        unsigned long end = 0;
        if (sscanf(line, "%lx-%lx ", &first, &end) == 2) {
            mapping = (struct mapping){.start = first, .len = end - first};
        } else if (sscanf(line, "Rss: %lu kB", &first) == 1) {
            mapping.filled = first * KIB;
        } else if (strncmp(line, "VmFlags:", 8) == 0) { /* the last line of each */
            mapping.is_advised = strstr(line, " hg") != NULL;
            found = is_wanted(mapping, what) ? mapping : found;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static bool holds(struct mapping mapping, size_t address)
{
    return address - mapping.start < mapping.len;
}

static bool begins_at(struct mapping mapping, size_t start)
{
    return mapping.start == start;
}

static bool is_advised_and_holds(struct mapping mapping, size_t len)
{
    return mapping.is_advised && mapping.len >= len;
}

static struct mapping look_at(const void *start)
{
    return find_mapping(getpid(), begins_at, (uintptr_t)start);
}

static bool has_advised_mapping(pid_t pid, size_t len)
{
    return find_mapping(pid, is_advised_and_holds, len).len > 0;
}

/* Whether the kernel takes the advice: it may have been built without huge pages. */
static bool has_huge_pages(void)
{
    void *memory = mmap64(NULL, 4 * MIB, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    (void)madvise(memory, 4 * MIB, MADV_HUGEPAGE);
    bool has = find_mapping(getpid(), holds, (uintptr_t)memory).is_advised;
    assert_int_equal(munmap(memory, 4 * MIB), 0);
    return has;
}

/* Whether it fills memory when told to, which Linux does since 5.14. */
static bool can_fill(void)
{
    void *memory = mmap64(NULL, 4 * MIB, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    bool can = madvise(memory, 4 * MIB, MADV_POPULATE_WRITE) == 0;
    assert_int_equal(munmap(memory, 4 * MIB), 0);
    return can;
}

static bool begins_aligned(const void *memory)
{
    return (uintptr_t)memory % HUGE_BYTES == 0;
}

static void test_much_filled_memory_asks_for_huge_pages(void **state)
{
    (void)state;
    static const size_t lengths[] = {HUGE_BYTES, 19 * MIB + 63, 20 * MIB};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        uint8_t *memory = mmap(NULL, len, BOTH, FILLED, -1, 0);
        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_true(begins_aligned(memory));
        struct mapping mapping = look_at(memory);
        assert_int_equal(mapping.is_advised, has_huge_pages());
        assert_true(mapping.len >= len);
        assert_true(mapping.filled >= len || !can_fill());
        for (size_t at = 0; at < len; at += 1024) {
            assert_int_equal(memory[at], 0);
        }
        memory[0] = 1;
        memory[len - 1] = 1;
        assert_int_equal(munmap(memory, len), 0);
        assert_int_equal(look_at(memory).len, 0);
    }
}

/* What stays behind at either end is found by the sum of what is mapped: of each call two thousand
 * kilobytes stood out. Some pages more may be those of whatever this runs in, such as valgrind. */
#define SOME_PAGES 64

static size_t count_mapped(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    (void)fclose(file);
    return pages;
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    static const size_t lengths[] = {HUGE_BYTES, 3 * MIB, 19 * MIB + 63};
    void *memory[12];
    size_t before = count_mapped();
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t pages = (lengths[i] + page - 1) / page;
        for (size_t j = 0; j < sizeof memory / sizeof memory[0]; j++) {
            memory[j] = mmap(NULL, lengths[i], BOTH, FILLED, -1, 0);
            assert_ptr_not_equal(memory[j], MAP_FAILED);
            assert_in_range(count_mapped(), before, before + (j + 1) * pages + SOME_PAGES);
        }
        for (size_t j = 0; j < sizeof memory / sizeof memory[0]; j++) {
            assert_int_equal(munmap(memory[j], lengths[i]), 0);
        }
        assert_in_range(count_mapped(), before, before + SOME_PAGES);
    }
}

static void test_other_calls_are_handed_on(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        int protection;
        int flags;
    } calls[] = {
        {HUGE_BYTES - 1, BOTH, FILLED},
        {4 * MIB, BOTH, MAP_PRIVATE | MAP_ANONYMOUS},
        {4 * MIB, PROT_READ, FILLED},
        {4 * MIB, PROT_NONE, FILLED},
        {4 * MIB, BOTH, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE},
        {4 * MIB, BOTH, FILLED | MAP_NORESERVE},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        void *memory = mmap(NULL, calls[i].len, calls[i].protection, calls[i].flags, -1, 0);
        assert_ptr_not_equal(memory, MAP_FAILED);
        struct mapping mapping = find_mapping(getpid(), holds, (uintptr_t)memory);
        assert_true(mapping.len > 0);
        assert_false(mapping.is_advised);
        assert_int_equal(munmap(memory, calls[i].len), 0);
    }
}

static void test_a_place_that_is_wanted_is_kept(void **state)
{
    (void)state;
    char *room = mmap(NULL, 8 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    char *wanted = room + sysconf(_SC_PAGESIZE);
    assert_ptr_equal(mmap(wanted, 4 * MIB, BOTH, FILLED | MAP_FIXED, -1, 0), wanted);
    assert_int_equal(munmap(room, 8 * MIB), 0);
}

static void test_files_are_mapped_as_they_are(void **state)
{
    (void)state;
    FILE *file = fopen(scratch_path("mapped"), "w+");
    assert_non_null(file);
    assert_true(fputs("what stands in it", file) >= 0);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(ftruncate(fileno(file), (off_t)(4 * MIB)), 0);
    char *mapped = mmap(NULL, 4 * MIB, BOTH, MAP_PRIVATE | MAP_POPULATE, fileno(file), 0);
    assert_ptr_not_equal(mapped, MAP_FAILED);
    assert_string_equal(mapped, "what stands in it");
    assert_int_equal(munmap(mapped, 4 * MIB), 0);
    (void)fclose(file);
}

static void test_what_cannot_be_had_fails_as_ever(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        int flags;
    } calls[] = {
        {SIZE_MAX, FILLED},
        {SIZE_MAX / 2 - 1, FILLED},
        {0, FILLED},
        {4 * MIB, MAP_PRIVATE},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        errno = 0;
        assert_ptr_equal(mmap64(NULL, calls[i].len, BOTH, calls[i].flags, -1, 0), MAP_FAILED);
        int reason = errno;
        errno = 0;
        assert_ptr_equal(mmap(NULL, calls[i].len, BOTH, calls[i].flags, -1, 0), MAP_FAILED);
        assert_int_equal(errno, reason);
        assert_int_not_equal(reason, 0);
    }
}

static void test_what_succeeds_leaves_errno_alone(void **state)
{
    (void)state;
    errno = EXDEV;
    void *memory = mmap(NULL, 4 * MIB, BOTH, FILLED, -1, 0);
    assert_int_equal(errno, EXDEV);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(munmap(memory, 4 * MIB), 0);
}

/* Made with the command argon2 of the reference implementation. */
static void test_hashes_are_the_same(void **state)
{
    (void)state;
    static const char hash[] = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
                               "k9ohroejZy1PN5E1SbHNPug6vB8eQAahb5SOAp6iGF4";
    const struct password_cost cost = {.memory_bytes = 19 * MIB, .passes = 2};
    assert_int_equal(verdict_of(text_of("correct horse"), hash, &cost, NULL), ALLOW);
    assert_int_equal(verdict_of(text_of("correct horsf"), hash, &cost, NULL), DENY);
}

/* Whether libsodium, which knows nothing of it, gets its memory here: looked at from outside while
 * it hashes for some tenths of a second. */
static void test_libsodium_asks_for_huge_pages(void **state)
{
    (void)state;
    const struct password_cost cost = {.memory_bytes = 128 * MIB, .passes = 8};
    char hash[PASSWORD_HASH_MAX];
    bool was_seen = false;
    int result = -1;
    assert_false(has_advised_mapping(getpid(), cost.memory_bytes));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(password_hash(text_of("a password"), &cost, hash) == OK ? 0 : 1);
    }
    while (waitpid(child, &result, WNOHANG) == 0) {
        was_seen = was_seen || has_advised_mapping(child, cost.memory_bytes);
    }
    assert_int_equal(result, 0);
    assert_int_equal(was_seen, has_huge_pages());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_much_filled_memory_asks_for_huge_pages),
        cmocka_unit_test(test_nothing_is_left_behind),
        cmocka_unit_test(test_other_calls_are_handed_on),
        cmocka_unit_test(test_a_place_that_is_wanted_is_kept),
        cmocka_unit_test(test_files_are_mapped_as_they_are),
        cmocka_unit_test(test_what_cannot_be_had_fails_as_ever),
        cmocka_unit_test(test_what_succeeds_leaves_errno_alone),
        cmocka_unit_test(test_hashes_are_the_same),
        cmocka_unit_test(test_libsodium_asks_for_huge_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
