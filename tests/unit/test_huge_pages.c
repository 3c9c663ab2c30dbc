/* The mmap that the login program has instead of libc's. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_POPULATE */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/password.h"
#include "scratch.h"

#define KIB        ((size_t)1 << 10)
#define MIB        ((size_t)1 << 20)
#define HUGE_BYTES (2 * MIB)
#define FILLED     (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)
#define BOTH       (PROT_READ | PROT_WRITE)

/* A mapping of a process: its length, how much of it is there, whether it asked for huge pages. */
struct mapping {
    uintptr_t start;
    size_t len;
    size_t filled;
    bool is_huge;
};

/* Calls `is_wanted` for each, and gives the first for which it is true; all 0 when there is none.
 */
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
            mapping.is_huge = strstr(line, " hg") != NULL;
            found = is_wanted(mapping, what) ? mapping : found;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static bool begins_at(struct mapping mapping, size_t start)
{
    return mapping.start == start;
}

static bool is_huge_and_holds(struct mapping mapping, size_t len)
{
    return mapping.is_huge && mapping.len >= len;
}

static struct mapping look_at(const void *start)
{
    return find_mapping(getpid(), begins_at, (uintptr_t)start);
}

static bool has_huge_mapping(pid_t pid, size_t len)
{
    return find_mapping(pid, is_huge_and_holds, len).len > 0;
}

/* A kernel may have been built without them: then mappings are what they always were. */
static bool has_huge_pages(void)
{
    return access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0;
}

static bool begins_aligned(const void *memory)
{
    return (uintptr_t)memory % HUGE_BYTES == 0;
}

static void test_much_filled_memory_gets_huge_pages(void **state)
{
    (void)state;
    static const size_t lengths[] = {HUGE_BYTES, 19 * MIB + 63, 20 * MIB};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        uint8_t *memory = mmap(NULL, len, BOTH, FILLED, -1, 0);
        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_true(begins_aligned(memory));
        struct mapping mapping = look_at(memory);
        assert_int_equal(mapping.is_huge, has_huge_pages());
        assert_true(mapping.len >= len);
        assert_true(mapping.filled >= len);
        for (size_t at = 0; at < len; at += 1024) {
            assert_int_equal(memory[at], 0);
        }
        memory[0] = 1;
        memory[len - 1] = 1;
        assert_int_equal(munmap(memory, len), 0);
        assert_int_equal(look_at(memory).len, 0);
    }
}

/* Nothing stands out of what is unmapped: over and over it would be found by the limit. */
static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    struct rlimit before;
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    (void)fclose(file);
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    size_t room = pages * (size_t)sysconf(_SC_PAGESIZE) + 32 * MIB;
    assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){room, before.rlim_max}), 0);
    for (size_t i = 0; i < 100; i++) {
        void *memory = mmap(NULL, 3 * MIB + 63, BOTH, FILLED, -1, 0);
        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_true(begins_aligned(memory));
        assert_int_equal(munmap(memory, 3 * MIB + 63), 0);
    }
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
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
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        void *memory = mmap(NULL, calls[i].len, calls[i].protection, calls[i].flags, -1, 0);
        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_false(look_at(memory).is_huge);
        assert_int_equal(munmap(memory, calls[i].len), 0);
    }
}

static void test_a_place_that_is_wanted_is_kept(void **state)
{
    (void)state;
    char *room = mmap(NULL, 8 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    char *wanted = room + 4096;
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
    errno = 0;
    assert_ptr_equal(mmap(NULL, SIZE_MAX, BOTH, FILLED, -1, 0), MAP_FAILED);
    assert_int_equal(errno, ENOMEM);
    assert_ptr_equal(mmap(NULL, SIZE_MAX / 4, BOTH, FILLED, -1, 0), MAP_FAILED);
    assert_int_equal(errno, ENOMEM);
    assert_ptr_equal(mmap(NULL, 0, BOTH, FILLED, -1, 0), MAP_FAILED);
    assert_int_equal(errno, EINVAL);
    assert_ptr_equal(mmap(NULL, 4 * MIB, BOTH, MAP_PRIVATE, -1, 0), MAP_FAILED);
    assert_int_equal(errno, EBADF);
}

/* Made with the command argon2 of the reference implementation. */
static void test_hashes_are_the_same(void **state)
{
    (void)state;
    static const char hash[] = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
                               "k9ohroejZy1PN5E1SbHNPug6vB8eQAahb5SOAp6iGF4";
    const struct password_cost cost = {.memory_bytes = 19 * MIB, .passes = 2};
    assert_int_equal(password_check(text_of("correct horse"), hash, &cost, NULL), ALLOW);
    assert_int_equal(password_check(text_of("correct horsf"), hash, &cost, NULL), DENY);
}

/* Whether libsodium, which knows nothing of it, gets its memory here: looked at from outside while
 * it hashes for some tenths of a second. */
static void test_libsodium_gets_huge_pages(void **state)
{
    (void)state;
    const struct password_cost cost = {.memory_bytes = 128 * MIB, .passes = 8};
    char hash[PASSWORD_HASH_MAX];
    bool was_seen = false;
    int result = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(password_hash(text_of("a password"), &cost, hash) == OK ? 0 : 1);
    }
    while (waitpid(child, &result, WNOHANG) == 0) {
        was_seen = was_seen || has_huge_mapping(child, cost.memory_bytes);
    }
    assert_int_equal(result, 0);
    assert_int_equal(was_seen, has_huge_pages());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_much_filled_memory_gets_huge_pages),
        cmocka_unit_test(test_nothing_is_left_behind),
        cmocka_unit_test(test_other_calls_are_handed_on),
        cmocka_unit_test(test_a_place_that_is_wanted_is_kept),
        cmocka_unit_test(test_files_are_mapped_as_they_are),
        cmocka_unit_test(test_what_cannot_be_had_fails_as_ever),
        cmocka_unit_test(test_hashes_are_the_same),
        cmocka_unit_test(test_libsodium_gets_huge_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
