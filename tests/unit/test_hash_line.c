/* Real processes in the line before the hashing of passwords. */
#define _GNU_SOURCE /* F_OFD_SETLK, prctl */
#include "crypto/hash_line.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture.h"
#include "pause.h"
#include "scratch.h"
#include "tables.h"

#define PATIENT_MS 10000
#define PROMPT_MS  1500 /* much less than that, much more than a busy machine needs */
#define MANY       12

/* What the processes of a test tell each other. */
struct told {
    atomic_uint hashing, most, entered, failed;
    atomic_int order[MANY]; /* who came in when */
    atomic_bool may_leave;
};

static struct told *told;
static struct hash_line *own;

static const char *path(void)
{
    return scratch_path("hashing");
}

static struct hash_line *open_line(uint64_t at_once, int64_t wait_ms)
{
    struct hash_line *line = NULL;
    assert_int_equal(hash_line_open(path(), at_once, &line), OK);
    hash_line_limit_wait(line, wait_ms);
    return line;
}

static int start(void **state)
{
    (void)state;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    capture_start();
    own = open_line(1, PATIENT_MS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hash_line_close(&own);
    capture_end();
    (void)munmap(told, sizeof *told);
    (void)unlink(path());
    return 0;
}

/* In a child, which must not go on with the test whatever happens. */
static pid_t fork_child(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return pid;
}

static void note_most(unsigned now)
{
    unsigned most = told->most;
    while (now > most && !atomic_compare_exchange_weak(&told->most, &most, now)) {
    }
}

/* A child that enters once, notes that, and leaves when it may. */
static pid_t start_waiter(int name, int64_t wait_ms)
{
    pid_t pid = fork_child();
    if (pid != 0) {
        return pid;
    }
    struct hash_line *line = open_line(1, wait_ms);
    if (hash_line_enter(line) != OK) {
        told->failed++;
        _exit(1);
    }
    note_most(++told->hashing);
    told->order[told->entered] = name;
    told->entered++;
    while (!told->may_leave) {
        pause_ms(1);
    }
    told->hashing--;
    hash_line_close(&line);
    _exit(0);
}

/* Until so many have ever taken a number in the file. */
static void await_numbers(uint64_t count)
{
    for (int i = 0; i < 5000; i++) {
        uint64_t last = 0;
        int file = open(path(), O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            (void)!read(file, &last, sizeof last);
            (void)close(file);
        }
        if (last >= count) {
            return;
        }
        pause_ms(2);
    }
    fail_msg("there are not %lu in the line", (unsigned long)count);
}

static void await_count(const atomic_uint *value, unsigned count)
{
    for (int i = 0; i < 5000 && *value < count; i++) {
        pause_ms(2);
    }
    assert_int_equal(*value, count);
}

static void reap(pid_t pid, bool is_well)
{
    int result = 0;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(WIFEXITED(result) && WEXITSTATUS(result) == 0, is_well);
}

static void kill_and_reap(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    reap(pid, false);
}

/* Asks with another patience; what came of it, and that nothing was logged. */
static enum status ask(int64_t wait_ms, int64_t *took_ms)
{
    struct hash_line *line = open_line(1, wait_ms);
    int64_t begin_ms = clock_monotonic_ms();
    enum status status = hash_line_enter(line);
    *took_ms = clock_monotonic_ms() - begin_ms;
    hash_line_close(&line);
    assert_string_equal(capture_next(), "");
    return status;
}

/* All that a child does. */
static void hash_often(struct hash_line *line)
{
    for (int i = 0; i < 6; i++) {
        if (hash_line_enter(line) != OK) {
            _exit(1);
        }
        note_most(++told->hashing);
        pause_ms(5);
        told->hashing--;
        hash_line_leave(line);
    }
    hash_line_close(&line);
    _exit(0);
}

static void no_more_hash_at_once_than_may(void **state)
{
    static const unsigned at_once = 3;
    pid_t pids[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        pids[i] = fork_child();
        if (pids[i] == 0) {
            hash_often(open_line(at_once, PATIENT_MS));
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        reap(pids[i], true);
    }
    assert_int_equal(told->most, at_once);
}

static void who_comes_first_goes_first(void **state)
{
    pid_t pids[MANY];
    (void)state;
    assert_int_equal(hash_line_enter(own), OK);
    for (int i = 0; i < MANY; i++) {
        pids[i] = start_waiter(i, PATIENT_MS);
        await_numbers((uint64_t)i + 1);
    }
    told->may_leave = true;
    assert_int_equal(told->entered, 0);
    hash_line_leave(own);
    for (int i = 0; i < MANY; i++) {
        reap(pids[i], true);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(told->order[i], i);
    }
    assert_int_equal(told->most, 1);
}

static void who_finds_too_many_is_sent_away_at_once(void **state)
{
    pid_t pids[HASH_LINE_WAITING_MAX];
    int64_t took_ms = 0;
    (void)state;
    told->may_leave = true;
    assert_int_equal(hash_line_enter(own), OK);
    for (int i = 0; i < HASH_LINE_WAITING_MAX; i++) {
        pids[i] = start_waiter(0, 2L * PATIENT_MS);
    }
    await_numbers(HASH_LINE_WAITING_MAX);
    assert_int_equal(ask(PATIENT_MS, &took_ms), ERR_BUSY);
    assert_in_range(took_ms, 0, PROMPT_MS);
    kill_and_reap(pids[0]);
    assert_int_equal(ask(50, &took_ms), ERR_BUSY); /* a place is free, a hash is not */
    assert_in_range(took_ms, 50, 50 + PROMPT_MS);
    for (int i = 1; i < HASH_LINE_WAITING_MAX; i++) {
        assert_int_equal(kill(pids[i], SIGKILL), 0);
        reap(pids[i], false);
    }
}

static void who_is_killed_frees_what_it_held(void **state)
{
    int64_t took_ms = 0;
    (void)state;
    pid_t holder = start_waiter(0, PATIENT_MS);
    await_count(&told->entered, 1);
    pid_t before = start_waiter(1, PATIENT_MS);
    await_numbers(1);
    pid_t after = start_waiter(2, PATIENT_MS);
    await_numbers(2);
    kill_and_reap(before);
    kill_and_reap(holder);
    await_count(&told->entered, 2);
    assert_int_equal(told->order[1], 2);
    kill_and_reap(after);
    assert_int_equal(ask(PATIENT_MS, &took_ms), OK);
    assert_in_range(took_ms, 0, PROMPT_MS);
}

static void who_has_waited_too_long_is_sent_away(void **state)
{
    int64_t took_ms = 0;
    (void)state;
    assert_int_equal(hash_line_enter(own), OK);
    assert_int_equal(ask(200, &took_ms), ERR_BUSY);
    assert_in_range(took_ms, 200, 200 + PROMPT_MS);
    hash_line_leave(own);
    assert_int_equal(ask(200, &took_ms), OK);
}

/* Not while it changes the line, which is another case: so nobody changes it meanwhile. */
static void stop_in_the_line(pid_t waiter)
{
    int result = 0;
    struct flock mutex = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int file = open(path(), O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(file, F_OFD_SETLKW, &mutex), 0);
    assert_int_equal(kill(waiter, SIGSTOP), 0);
    assert_int_equal(waitpid(waiter, &result, WUNTRACED), waiter);
    assert_true(WIFSTOPPED(result));
    assert_int_equal(close(file), 0);
}

static void who_is_stopped_in_the_line_holds_nobody_up_beyond_its_time(void **state)
{
    int64_t took_ms = 0;
    (void)state;
    assert_int_equal(hash_line_enter(own), OK);
    pid_t stopped = start_waiter(0, 600);
    await_numbers(1);
    stop_in_the_line(stopped);
    hash_line_leave(own);
    assert_int_equal(ask(PATIENT_MS, &took_ms), OK);
    assert_in_range(took_ms, 0, 600 + PROMPT_MS);
    kill_and_reap(stopped);
}

static void who_is_stopped_while_it_changes_the_line_holds_nobody_for_ever(void **state)
{
    int64_t took_ms = 0;
    (void)state;
    struct flock mutex = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int file = open(path(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(fcntl(file, F_OFD_SETLK, &mutex), 0);
    assert_int_equal(ask(200, &took_ms), ERR_BUSY);
    assert_in_range(took_ms, 200, 200 + PROMPT_MS);
    assert_int_equal(close(file), 0);
    assert_int_equal(ask(200, &took_ms), OK);
}

static void a_file_that_is_removed_is_made_anew_and_holds(void **state)
{
    int64_t took_ms = 0;
    struct stat made;
    (void)state;
    assert_int_equal(hash_line_enter(own), OK);
    pid_t waiter = start_waiter(0, PATIENT_MS);
    await_numbers(1);
    assert_int_equal(unlink(path()), 0);
    await_count(&told->entered, 1); /* beside the one of the former file */
    hash_line_leave(own);
    assert_int_equal(ask(100, &took_ms), ERR_BUSY);
    told->may_leave = true;
    reap(waiter, true);
    assert_int_equal(ask(100, &took_ms), OK);
    assert_int_equal(stat(path(), &made), 0);
    assert_int_equal(made.st_mode & ALLPERMS, 0600);
}

static void what_the_file_holds_breaks_nothing(void **state)
{
    char junk[2048];
    int64_t took_ms = 0;
    static const char bytes[] = {'\0', '\x01', '\x7f', '\xff'};
    (void)state;
    for (size_t i = 0; i < COUNT(bytes); i++) {
        (void)memset(junk, bytes[i], sizeof junk);
        int file = open(path(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(file, junk, sizeof junk), sizeof junk);
        assert_int_equal(close(file), 0);
        assert_int_equal(hash_line_enter(own), OK);
        assert_int_equal(ask(50, &took_ms), ERR_BUSY);
        hash_line_leave(own);
        assert_int_equal(ask(50, &took_ms), OK);
    }
}

static void make_folder(void)
{
    assert_int_equal(mkdir(path(), 0700), 0);
}

static void make_link(void)
{
    assert_int_equal(symlink(scratch_write("other", ""), path()), 0);
}

static void make_second_name(void)
{
    assert_int_equal(link(scratch_write("other", ""), path()), 0);
}

static void make_pipe(void)
{
    assert_int_equal(mkfifo(path(), 0600), 0);
}

static void what_is_no_file_of_its_own_is_refused_with_the_remedy(void **state)
{
    static void (*const makers[])(void) = {make_folder, make_link, make_second_name, make_pipe};
    (void)state;
    for (size_t i = 0; i < COUNT(makers); i++) {
        makers[i]();
        assert_int_equal(hash_line_enter(own), ERR_SYSTEM);
        const char *line = capture_next();
        assert_non_null(strstr(line, path()));
        assert_non_null(strstr(line, "remove it"));
        assert_string_equal(capture_next(), "");
        assert_int_equal(remove(path()), 0);
        assert_int_equal(hash_line_enter(own), OK);
        hash_line_leave(own);
        assert_int_equal(unlink(path()), 0);
    }
}

static void without_a_folder_it_cannot_be_told(void **state)
{
    struct hash_line *line = NULL;
    (void)state;
    assert_int_equal(hash_line_open("/nowhere/at/all/hashing", 1, &line), OK);
    assert_int_equal(hash_line_enter(line), ERR_SYSTEM);
    assert_non_null(strstr(capture_next(), "/nowhere/at/all/hashing cannot be opened"));
    hash_line_close(&line);
    assert_null(line);
    hash_line_close(&line);
}

#define LINE_TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(no_more_hash_at_once_than_may),
        LINE_TEST(who_comes_first_goes_first),
        LINE_TEST(who_finds_too_many_is_sent_away_at_once),
        LINE_TEST(who_is_killed_frees_what_it_held),
        LINE_TEST(who_has_waited_too_long_is_sent_away),
        LINE_TEST(who_is_stopped_in_the_line_holds_nobody_up_beyond_its_time),
        LINE_TEST(who_is_stopped_while_it_changes_the_line_holds_nobody_for_ever),
        LINE_TEST(a_file_that_is_removed_is_made_anew_and_holds),
        LINE_TEST(what_the_file_holds_breaks_nothing),
        LINE_TEST(what_is_no_file_of_its_own_is_refused_with_the_remedy),
        LINE_TEST(without_a_folder_it_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
