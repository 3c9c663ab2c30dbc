#define _GNU_SOURCE
/* The file of the revocation generation: never clean when it must not be. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "pause.h"
#include "scratch.h"
#include "store/generation.h"

#define RECORD_BYTES 40
#define WRITERS      3
#define ROUNDS       300

static char path[256];
static struct generation *writer;
static struct generation *reader;

static void clean_up(void)
{
    (void)unlink(path);
    (void)rmdir(path);
    (void)unlink(scratch_path("run/other"));
    (void)rmdir(scratch_path("run"));
    (void)unlink(scratch_path("run"));
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s", scratch_path("run/generation"));
    clean_up();
    assert_int_equal(mkdir(scratch_path("run"), 0700), 0);
    assert_int_equal(generation_open(path, &writer), OK);
    assert_int_equal(generation_open(path, &reader), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    generation_close(&writer);
    generation_close(&reader);
    clean_up();
    return 0;
}

static bool is_doubted(void)
{
    struct generation_mark mark;
    return generation_read(reader, &mark) == ERR_NOT_FOUND;
}

static struct generation_mark read_mark(void)
{
    struct generation_mark mark = {0};
    assert_int_equal(generation_read(reader, &mark), OK);
    return mark;
}

static void write_whole(uint64_t sequence)
{
    assert_int_equal(generation_lock(writer, false), OK);
    assert_int_equal(generation_taint(writer), OK);
    assert_int_equal(generation_settle(writer, sequence), OK);
    generation_unlock(writer);
}

static void read_bytes(char out[RECORD_BYTES])
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, out, RECORD_BYTES), RECORD_BYTES);
    (void)close(fd);
}

static void write_bytes(const char *where, const char *bytes, size_t len)
{
    int fd = open(where, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    (void)close(fd);
}

static void a_file_is_clean_only_between_settling_and_tainting(void **state)
{
    (void)state;
    assert_true(is_doubted()); /* missing */
    assert_int_equal(generation_lock(writer, true), OK);
    assert_true(is_doubted());
    assert_int_equal(generation_taint(writer), OK);
    assert_true(is_doubted());
    assert_int_equal(generation_settle(writer, 7), OK);
    assert_int_equal(read_mark().sequence, 7);
    generation_unlock(writer);
    assert_int_equal(read_mark().sequence, 7);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(read_mark().sequence, 7); /* nothing is begun yet */
    assert_int_equal(generation_taint(writer), OK);
    assert_true(is_doubted());
    generation_unlock(writer); /* given up: odd until somebody mends it */
    assert_true(is_doubted());
}

static void each_writing_differs_and_nothing_else_does(void **state)
{
    (void)state;
    write_whole(3);
    struct generation_mark first = read_mark();
    struct generation_mark again = read_mark();
    assert_true(generation_is_same(&first, &again));
    write_whole(3); /* the same number, as when a revocation was rolled back */
    struct generation_mark second = read_mark();
    assert_int_equal(second.sequence, 3);
    assert_int_not_equal(second.nonce, first.nonce);
    assert_false(generation_is_same(&first, &second));
    write_whole(UINT64_C(1) << 62);
    assert_true(read_mark().sequence == UINT64_C(1) << 62);
}

static void one_writer_at_a_time_has_the_lock(void **state)
{
    (void)state;
    struct generation *other = NULL;
    assert_int_equal(generation_open(path, &other), OK);
    assert_int_equal(generation_lock(writer, false), OK);
    assert_int_equal(generation_lock(other, false), ERR_SYSTEM);
    generation_unlock(other);
    assert_int_equal(generation_lock(other, false), ERR_SYSTEM); /* the lock is not theirs to end */
    assert_int_equal(generation_settle(writer, 1), OK);
    assert_int_equal(generation_lock(other, false), ERR_SYSTEM);
    generation_unlock(writer);
    assert_int_equal(generation_lock(other, true), OK);
    generation_close(&other); /* lets go */
    assert_int_equal(generation_lock(writer, false), OK);
    generation_unlock(writer);
}

static void a_patient_writer_waits_for_the_one_before(void **state)
{
    (void)state;
    write_whole(1);
    pid_t child = fork();
    if (child == 0) {
        struct generation *other = NULL;
        _Exit(generation_open(path, &other) == OK && generation_lock(other, true) == OK &&
                      generation_taint(other) == OK && (pause_ms(200), true) &&
                      generation_settle(other, 2) == OK
                  ? 0
                  : 1);
    }
    while (!is_doubted()) {
        pause_ms(1);
    }
    assert_int_equal(generation_lock(writer, false), ERR_SYSTEM);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(read_mark().sequence, 2);
    generation_unlock(writer);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
}

enum step { LOCK, TAINT, SETTLE, UNLOCK };

static void kill_writer_after(enum step last)
{
    pid_t child = fork();
    if (child == 0) {
        struct generation *dying = NULL;
        if (generation_open(path, &dying) != OK || generation_lock(dying, true) != OK ||
            (last >= TAINT && generation_taint(dying) != OK) ||
            (last >= SETTLE && generation_settle(dying, 8) != OK)) {
            _Exit(1);
        }
        if (last == UNLOCK) {
            generation_unlock(dying);
        }
        (void)raise(SIGKILL);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void a_writer_that_is_killed_leaves_the_truth_or_doubt(void **state)
{
    (void)state;
    static const struct {
        enum step last;
        bool doubted;
        uint64_t sequence;
    } cases[] = {{LOCK, false, 7}, {TAINT, true, 0}, {SETTLE, false, 8}, {UNLOCK, false, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_whole(7);
        struct generation_mark before = read_mark();
        kill_writer_after(cases[i].last);
        assert_int_equal(is_doubted(), cases[i].doubted);
        if (!cases[i].doubted) {
            struct generation_mark after = read_mark();
            assert_int_equal(after.sequence, cases[i].sequence);
            assert_int_equal(generation_is_same(&before, &after), cases[i].last == LOCK);
        }
        write_whole(9); /* the lock died with its owner */
        assert_int_equal(read_mark().sequence, 9);
    }
}

static void no_cut_longer_or_changed_record_is_clean(void **state)
{
    (void)state;
    char good[RECORD_BYTES + 1] = "";
    char bad[RECORD_BYTES + 1] = "";
    write_whole(5);
    read_bytes(good);
    for (size_t len = 0; len <= RECORD_BYTES + 1; len++) {
        write_bytes(path, good, len);
        assert_int_equal(is_doubted(), len != RECORD_BYTES);
    }
    for (size_t bit = 0; bit < RECORD_BYTES * 8; bit++) {
        memcpy(bad, good, sizeof bad);
        bad[bit / 8] = (char)(bad[bit / 8] ^ (1 << bit % 8));
        write_bytes(path, bad, RECORD_BYTES);
        assert_true(is_doubted());
    }
    memset(bad, 0, sizeof bad);
    write_bytes(path, bad, RECORD_BYTES);
    assert_true(is_doubted());
    memset(bad, 0xff, sizeof bad);
    write_bytes(path, bad, RECORD_BYTES);
    assert_true(is_doubted());
    write_whole(6);
    assert_int_equal(read_mark().sequence, 6);
    struct stat found;
    assert_int_equal(lstat(path, &found), 0);
    assert_int_equal(found.st_size, RECORD_BYTES);
    assert_int_equal(found.st_mode & 0777, 0600);
}

static void half_of_one_writing_and_half_of_the_next_is_not_clean(void **state)
{
    (void)state;
    char old[RECORD_BYTES];
    char new[RECORD_BYTES];
    char torn[RECORD_BYTES];
    write_whole(5);
    read_bytes(old);
    write_whole(6);
    read_bytes(new);
    for (size_t i = 9; i < RECORD_BYTES; i++) {
        memcpy(torn, new, i);
        memcpy(torn + i, old + i, RECORD_BYTES - i);
        if (memcmp(torn, new, RECORD_BYTES) != 0 && memcmp(torn, old, RECORD_BYTES) != 0) {
            write_bytes(path, torn, RECORD_BYTES);
            assert_true(is_doubted());
        }
    }
}

static void an_old_copy_put_back_is_not_what_it_was(void **state)
{
    (void)state;
    char old[RECORD_BYTES];
    write_whole(5);
    struct generation_mark before = read_mark();
    read_bytes(old);
    pause_ms(20); /* times of files are no finer than the kernel's tick */
    write_whole(6);
    write_bytes(path, old, sizeof old);
    struct generation_mark after = read_mark();
    assert_int_equal(after.nonce, before.nonce);
    assert_false(generation_is_same(&before, &after));
    write_bytes(scratch_path("run/other"), old, sizeof old);
    const struct timespec times[] = {before.file.st_atim, before.file.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path("run/other"), times, 0), 0);
    assert_int_equal(rename(scratch_path("run/other"), path), 0);
    struct generation_mark renamed = read_mark();
    assert_int_equal(renamed.nonce, before.nonce);
    assert_false(generation_is_same(&before, &renamed));
    assert_false(generation_is_same(&after, &renamed));
}

static void put_link(void)
{
    assert_int_equal(rename(path, scratch_path("run/other")), 0);
    assert_int_equal(symlink("other", path), 0);
}

static void put_dangling_link(void)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
}

static void put_pipe(void)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    assert_int_equal(unlink(path), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
}

static void put_nothing(void)
{
    assert_int_equal(unlink(path), 0);
}

static void put_noise(void)
{
    write_bytes(path, "0123456789", 10);
}

static void put_folder(void)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* What may come into the file's place. */
static void (*const intruders[])(void) = {put_link,   put_dangling_link, put_pipe,
                                          put_socket, put_nothing,       put_noise};
#define INTRUDERS (sizeof intruders / sizeof *intruders)

static void whatever_takes_the_files_place_is_doubted_and_taken_away(void **state)
{
    (void)state;
    for (size_t i = 0; i < INTRUDERS; i++) {
        write_whole(5);
        (void)read_mark(); /* the reader has the file open */
        intruders[i]();
        assert_true(is_doubted());
        write_whole(6 + i);
        assert_int_equal(read_mark().sequence, 6 + i);
        struct stat found;
        assert_int_equal(lstat(path, &found), 0);
        assert_true(S_ISREG(found.st_mode));
    }
}

static void what_a_link_leads_to_is_not_written(void **state)
{
    (void)state;
    char before[RECORD_BYTES];
    char after[RECORD_BYTES];
    write_whole(5);
    read_bytes(before);
    put_link();
    write_whole(6);
    assert_int_equal(rename(scratch_path("run/other"), path), 0);
    read_bytes(after);
    assert_memory_equal(before, after, RECORD_BYTES);
}

static void another_file_between_lock_and_settling_is_told_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < INTRUDERS; i++) {
        write_whole(5);
        assert_int_equal(generation_lock(writer, true), OK);
        assert_int_equal(generation_taint(writer), OK);
        intruders[i]();
        assert_int_equal(generation_settle(writer, 6), OK);
        assert_int_equal(read_mark().sequence, 6);
        generation_unlock(writer);
    }
    write_whole(5);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(generation_taint(writer), OK);
    put_nothing();
    struct generation *other = NULL;
    assert_int_equal(generation_open(path, &other), OK);
    assert_int_equal(generation_lock(other, true), OK);
    assert_int_equal(generation_settle(other, 5), OK);
    generation_close(&other);
    struct generation_mark made = read_mark();
    assert_int_equal(generation_settle(writer, 6), OK);
    struct generation_mark told = read_mark();
    assert_int_equal(told.sequence, 6);
    assert_false(generation_is_same(&made, &told));
    generation_unlock(writer);
}

static void a_folder_in_the_files_place_lets_nothing_be_revoked(void **state)
{
    (void)state;
    write_whole(5);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(generation_taint(writer), OK);
    put_folder();
    assert_int_equal(generation_settle(writer, 6), ERR_SYSTEM);
    generation_unlock(writer);
    assert_true(is_doubted());
    assert_int_equal(generation_lock(writer, true), ERR_SYSTEM);
    assert_int_equal(generation_lock(writer, false), ERR_SYSTEM);
    assert_int_equal(rmdir(path), 0);
    write_whole(6);
    assert_int_equal(read_mark().sequence, 6);
}

static void without_a_folder_there_is_nobody_to_tell(void **state)
{
    (void)state;
    assert_int_equal(rmdir(scratch_path("run")), 0);
    write_whole(5);
    assert_true(is_doubted());
    write_bytes(scratch_path("run"), "", 0); /* a file where the folder should be */
    write_whole(5);
    assert_true(is_doubted());
    assert_int_equal(unlink(scratch_path("run")), 0);
}

static void a_folder_that_comes_between_lock_and_settling_is_told(void **state)
{
    (void)state;
    struct generation *other = NULL;
    assert_int_equal(rmdir(scratch_path("run")), 0);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(generation_taint(writer), OK);
    assert_int_equal(mkdir(scratch_path("run"), 0700), 0);
    assert_int_equal(generation_open(path, &other), OK);
    assert_int_equal(generation_lock(other, false), OK);
    assert_int_equal(generation_settle(other, 5), OK);
    generation_close(&other);
    struct generation_mark made = read_mark();
    assert_int_equal(generation_settle(writer, 6), OK);
    struct generation_mark told = read_mark();
    assert_int_equal(told.sequence, 6);
    assert_false(generation_is_same(&made, &told));
    generation_unlock(writer);
    assert_int_equal(unlink(path), 0); /* the folder came, but nobody made the file */
    assert_int_equal(rmdir(scratch_path("run")), 0);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(mkdir(scratch_path("run"), 0700), 0);
    assert_int_equal(generation_settle(writer, 6), OK);
    assert_true(is_doubted());
    generation_unlock(writer);
}

static void a_folder_that_goes_between_lock_and_settling_is_no_failure(void **state)
{
    (void)state;
    write_whole(5);
    assert_int_equal(generation_lock(writer, true), OK);
    assert_int_equal(generation_taint(writer), OK);
    clean_up();
    assert_int_equal(generation_settle(writer, 6), OK);
    generation_unlock(writer);
    assert_int_equal(mkdir(scratch_path("run"), 0700), 0);
    assert_true(is_doubted());
    write_whole(6);
    assert_int_equal(read_mark().sequence, 6);
}

static void a_writer_without_descriptors_leaves_the_file_where_it_is(void **state)
{
    (void)state;
    struct rlimit whole;
    write_whole(5);
    struct generation_mark before = read_mark();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &whole), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = whole.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status status = generation_lock(writer, true);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &whole), 0);
    assert_int_equal(status, ERR_SYSTEM);
    struct generation_mark after = read_mark();
    assert_true(generation_is_same(&before, &after));
}

struct shared {
    _Atomic uint64_t committed; /* under the lock */
    _Atomic uint64_t answered;
    _Atomic int writers;
};

static void write_many(struct shared *shared)
{
    struct generation *own = NULL;
    bool good = generation_open(path, &own) == OK;
    for (int i = 0; i < ROUNDS && good; i++) {
        good = generation_lock(own, true) == OK && generation_taint(own) == OK;
        uint64_t number = ++shared->committed;
        good = good && generation_settle(own, number) == OK;
        generation_unlock(own);
        uint64_t answered = shared->answered;
        while (answered < number &&
               !atomic_compare_exchange_weak(&shared->answered, &answered, number)) {
        }
    }
    shared->writers--;
    _Exit(good ? 0 : 1);
}

static void what_was_answered_is_never_missing_from_a_clean_reading(void **state)
{
    (void)state;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    shared->writers = WRITERS;
    pid_t children[WRITERS];
    for (size_t i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            write_many(shared);
        }
    }
    struct generation_mark last = {0};
    while (shared->writers > 0) {
        struct generation_mark mark = {0};
        uint64_t answered = shared->answered;
        if (generation_read(reader, &mark) == OK) {
            assert_true(mark.sequence >= answered);
            assert_true(mark.sequence <= shared->committed);
            assert_true(mark.sequence != last.sequence || mark.nonce == last.nonce);
            last = mark;
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int how = 0;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    assert_int_equal(read_mark().sequence, WRITERS * ROUNDS);
    (void)munmap(shared, sizeof *shared);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_clean_only_between_settling_and_tainting),
        TEST(each_writing_differs_and_nothing_else_does),
        TEST(one_writer_at_a_time_has_the_lock),
        TEST(a_patient_writer_waits_for_the_one_before),
        TEST(a_writer_that_is_killed_leaves_the_truth_or_doubt),
        TEST(no_cut_longer_or_changed_record_is_clean),
        TEST(half_of_one_writing_and_half_of_the_next_is_not_clean),
        TEST(an_old_copy_put_back_is_not_what_it_was),
        TEST(whatever_takes_the_files_place_is_doubted_and_taken_away),
        TEST(what_a_link_leads_to_is_not_written),
        TEST(another_file_between_lock_and_settling_is_told_too),
        TEST(a_folder_in_the_files_place_lets_nothing_be_revoked),
        TEST(without_a_folder_there_is_nobody_to_tell),
        TEST(a_folder_that_comes_between_lock_and_settling_is_told),
        TEST(a_folder_that_goes_between_lock_and_settling_is_no_failure),
        TEST(a_writer_without_descriptors_leaves_the_file_where_it_is),
        TEST(what_was_answered_is_never_missing_from_a_clean_reading),
    };
    log_open("test_generation", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
