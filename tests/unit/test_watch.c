/* Watched files: whatever happens to them is told by the very next call, and nothing else is. */
#define _GNU_SOURCE /* renameat2 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/watch.h"
#include "capture.h"
#include "pause.h"
#include "scratch.h"
#include "shell.h"
#include "tables.h"

#define TRIES 100 /* for a call in which a second did not pass */

static struct watch *watch;
static char secret[PATH_MAX];
static char database[PATH_MAX];

/* Asks until the watch is quiet: what could not be watched is tried again a second later. */
static uint64_t settle(void)
{
    uint64_t count = watch_count_changes(watch);
    for (int i = 0; i < 3 * WATCH_LOOK_MS; i++) {
        uint64_t next = watch_count_changes(watch);
        if (next == count) {
            return count;
        }
        count = next;
        pause_ms(1);
    }
    fail_msg("the watch does not become quiet");
    return 0;
}

static void open_watch(void)
{
    const struct watch_file files[] = {{secret, WATCH_CONTENT}, {database, WATCH_DATABASE}};
    assert_int_equal(watch_open(files, COUNT(files), &watch), OK);
    (void)settle();
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(secret, sizeof secret, "%s/a/b/c/secret", scratch_folder());
    (void)snprintf(database, sizeof database, "%s/a/b/c/data.db", scratch_folder());
    scratch_shell(
        "chmod -R u+rwx . && rm -rf * && mkdir -p a/b/c other/c && echo one > a/b/c/secret && "
        "echo two > a/b/c/data.db && touch a/b/c/data.db-wal && echo three > other/c/secret && "
        "echo four > other/c/data.db");
    capture_start();
    open_watch();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watch_close(&watch);
    capture_end();
    return 0;
}

/* Whether a command was taken for a change. It is asked in a second in which nothing is due. */
static bool is_told(const char *command)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t before = settle();
        int64_t begin_ms = clock_monotonic_ms();
        scratch_shell(command);
        uint64_t after = watch_count_changes(watch);
        if (clock_monotonic_ms() - begin_ms < WATCH_LOOK_MS / 2) {
            return after != before;
        }
    }
    fail_msg("this machine is too slow: %s", command);
    return true;
}

static void every_change_is_told_by_the_next_call(void **state)
{
    (void)state;
    static const struct {
        const char *change;
        const char *undo;
    } cases[] = {
        {"echo x > a/b/c/secret", NULL},
        {"echo x >> a/b/c/secret", NULL},
        {"truncate -s 0 a/b/c/secret", NULL},
        {"truncate -s 4096 a/b/c/secret", NULL},
        {"printf y | dd of=a/b/c/secret conv=notrunc status=none", NULL},
        {"touch -d 2001-01-01 a/b/c/secret", NULL},
        {"chmod 0400 a/b/c/secret", "chmod 0600 a/b/c/secret"},
        {"echo x > a/b/c/new && mv a/b/c/new a/b/c/secret", NULL},
        {"cp other/c/secret other/c/new && mv -T other/c/new a/b/c/secret", NULL},
        {"rm a/b/c/secret", "echo x > a/b/c/secret"},
        {"mv a/b/c/secret a/b/c/away", "mv a/b/c/away a/b/c/secret"},
        {"rm a/b/c/secret && ln -s data.db a/b/c/secret", "rm a/b/c/secret; echo x > a/b/c/secret"},
        {"rm a/b/c/secret && mkdir a/b/c/secret", "rmdir a/b/c/secret; echo x > a/b/c/secret"},
        {"rm a/b/c/secret && mkfifo a/b/c/secret", "rm a/b/c/secret; echo x > a/b/c/secret"},
        {"rm a/b/c/secret && ln other/c/secret a/b/c/secret", NULL},
        {"echo x > other/c/secret", NULL}, /* which is the same file now */
        {"ln a/b/c/secret a/b/c/second", NULL},
        {"echo x > a/b/c/second", "rm a/b/c/second"},
        {"rm a/b/c/data.db", "echo x > a/b/c/data.db"},
        {"mv a/b/c/data.db a/b/c/away", "mv a/b/c/away a/b/c/data.db"},
        {"cp a/b/c/data.db a/b/c/new && mv a/b/c/new a/b/c/data.db", NULL},
        {"rm a/b/c/data.db && mkdir a/b/c/data.db", "rmdir a/b/c/data.db; echo x > a/b/c/data.db"},
        {"rm a/b/c/data.db-wal", "echo x > a/b/c/data.db-wal"},
        {"touch a/b/c/data.db-shm", "mv a/b/c/data.db-shm a/b/c/shm"},
        {"mv a/b/c a/b/away && mv other/c a/b/c", "mv a/b/c other/c && mv a/b/away a/b/c"},
        {"rm -r a/b/c", "mkdir a/b/c && echo x > a/b/c/secret && echo x > a/b/c/data.db"},
        {"mv a/b a/away", "mv a/away a/b"},
        {"mv a/b a/away && mv other a/b", "mv a/b other && mv a/away a/b"},
        {"mv a away", "mv away a"},
        {"mv a away && mkdir a && mv other a/b", "mv a/b other && rmdir a && mv away a"},
        {"mv a/b a/away && ln -s ../other a/b", "rm a/b && mv a/away a/b"},
        {"chmod 0 a/b/c", "chmod 700 a/b/c"},
        {"chmod 0 a", "chmod 700 a"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!is_told(cases[i].change)) {
            fail_msg("not told: %s", cases[i].change);
        }
        if (cases[i].undo != NULL) {
            uint64_t before = watch_count_changes(watch);
            scratch_shell(cases[i].undo);
            assert_int_not_equal(watch_count_changes(watch), before);
        }
        /* What is there now is watched, not what was there. */
        if (!is_told("echo x >> a/b/c/secret") ||
            !is_told("touch a/b/c/new && mv a/b/c/new a/b/c/data.db")) {
            fail_msg("not told after: %s", cases[i].change);
        }
    }
}

static void every_change_is_told_in_a_burst_of_them(void **state)
{
    (void)state;
    uint64_t last = settle();
    int file = open(secret, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(pwrite(file, "x", 1, 0), 1);
        uint64_t written = watch_count_changes(watch);
        assert_int_not_equal(written, last);
        assert_int_equal(ftruncate(file, 1), 0);
        last = watch_count_changes(watch);
        assert_int_not_equal(last, written);
    }
    assert_int_equal(close(file), 0);
}

static void two_files_exchanged_at_once_are_told(void **state)
{
    (void)state;
    uint64_t before = settle();
    char other[PATH_MAX];
    (void)snprintf(other, sizeof other, "%s/other/c/secret", scratch_folder());
    assert_int_equal(renameat2(AT_FDCWD, secret, AT_FDCWD, other, RENAME_EXCHANGE), 0);
    assert_int_not_equal(watch_count_changes(watch), before);
}

/* Its own inode is not told of that before it is closed. */
static void a_folder_replaced_while_somebody_has_it_open_is_told(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "rmdir a/b/c && mkdir a/b/c && echo x > a/b/c/secret",
        "mv -T other/c a/b/c",
        "rmdir a/b/c && mv a/b a/away && mkdir -p a/b/c && echo x > a/b/c/secret",
    };
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s/a/b/c", scratch_folder());
    for (size_t i = 0; i < COUNT(cases); i++) {
        scratch_shell("rm a/b/c/*");
        int holder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(holder >= 0);
        if (!is_told(cases[i])) {
            fail_msg("not told: %s", cases[i]);
        }
        if (!is_told("echo y > a/b/c/secret")) {
            fail_msg("not told after: %s", cases[i]);
        }
        assert_int_equal(close(holder), 0);
    }
}

static void what_happens_to_others_is_not_told(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "true",
        "cat a/b/c/secret a/b/c/data.db > other/read",
        "ls -R . > other/listed",
        "echo x >> a/b/c/data.db", /* of it only the name counts */
        "chmod 0640 other/c/secret",
        "touch a/b/c/data.db-wa a/b/c/data.db-wal2 && rm a/b/c/data.db-wa a/b/c/data.db-wal2",
        "touch a/b/c/secret-wal && rm a/b/c/secret-wal", /* it is no database */
        "for i in 0 1 2 3 4 5 6 7 8 9; do echo x >> a/b/c/data.db-wal; done",
        "touch a/b/c/secret.new a/b/c/secre && rm a/b/c/secret.new a/b/c/secre",
        "touch a/secret && mv a/secret a/b/secret && rm a/b/secret",
        "mkdir -p a/x/y a/b/x && mv a/x a/b/x/z && rm -r a/b/x",
        "chmod 755 other && mv other another && mv another other",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (is_told(cases[i])) {
            fail_msg("told: %s", cases[i]);
        }
    }
}

static void files_that_are_not_there_yet_are_watched(void **state)
{
    (void)state;
    watch_close(&watch);
    scratch_shell("rm a/b/c/secret a/b/c/data.db");
    open_watch();
    assert_true(is_told("echo x > a/b/c/secret"));
    assert_true(is_told("echo x > a/b/c/secret"));
    assert_true(is_told("echo x > a/b/c/data.db"));
    assert_false(is_told("echo x > a/b/c/data.db"));
}

static void everything_is_looked_at_once_a_second(void **state)
{
    (void)state;
    uint64_t begin = settle();
    int64_t end_ms = clock_monotonic_ms() + 3 * WATCH_LOOK_MS;
    while (clock_monotonic_ms() < end_ms) {
        (void)watch_count_changes(watch);
        pause_ms(5);
    }
    assert_in_range(watch_count_changes(watch) - begin, 2, 4);
}

/* The next two calls, and those that follow, must all give different numbers. */
static void assert_never_quiet(const char *what)
{
    uint64_t last = 0;
    for (int i = 0; i < 10; i++) {
        uint64_t next = watch_count_changes(watch);
        if (next == last) {
            fail_msg("trusted: %s", what);
        }
        last = next;
    }
}

static void what_cannot_be_watched_is_never_quiet(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "link/b/c/secret", "a/link/c/secret", "a/b/c/link",     "a/b/c/dangling",
        "a/b/none/secret", "a/b/c/",          "a/b/c/secret/x", "",
    };
    scratch_shell(
        "ln -s a link && ln -s b a/link && ln -s secret a/b/c/link && ln -s none a/b/c/dangling");
    for (size_t i = 0; i < COUNT(paths); i++) {
        for (int content = 0; content < 2; content++) {
            const char *path = scratch_path(paths[i]);
            const struct watch_file files[] = {{secret, true},
                                               {path, content == 1 ? WATCH_CONTENT : WATCH_NAME}};
            watch_close(&watch);
            assert_int_equal(watch_open(files, COUNT(files), &watch), OK);
            assert_never_quiet(path);
            if (strstr(capture_next(), path) == NULL) {
                fail_msg("nothing was said of %s", path);
            }
            assert_string_equal(capture_next(), "");
        }
    }
    const struct watch_file relative = {"secret", WATCH_CONTENT};
    watch_close(&watch);
    assert_int_equal(watch_open(&relative, 1, &watch), OK);
    assert_never_quiet("a relative path");
}

static void a_file_system_of_others_is_never_quiet(void **state)
{
    (void)state;
    const struct watch_file file = {"/proc/version", WATCH_CONTENT};
    watch_close(&watch);
    assert_int_equal(watch_open(&file, 1, &watch), OK);
    assert_never_quiet(file.path);
    assert_non_null(strstr(capture_next(), file.path));
}

static void what_can_be_watched_again_is_quiet_again(void **state)
{
    (void)state;
    scratch_shell("mv a away && ln -s away a");
    assert_never_quiet("a link that came");
    scratch_shell("rm a && mv away a");
    (void)settle();
    assert_true(is_told("echo x > a/b/c/secret"));
    assert_non_null(strstr(capture_next(), "cannot be watched"));
}

static void without_descriptors_it_is_never_quiet(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {STDERR_FILENO + 1, before.rlim_max}; /* of which all are open */
    const struct watch_file file = {secret, WATCH_CONTENT};
    watch_close(&watch);
    assert_int_equal(watch_open(&file, 1, &watch), OK);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_never_quiet("no descriptor");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_non_null(strstr(capture_next(), "cannot be watched"));
}

static void a_queue_that_runs_over_is_a_change(void **state)
{
    (void)state;
    char names[2][PATH_MAX];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(names[i], PATH_MAX, "%s/a/b/c/other%d", scratch_folder(), i);
    }
    uint64_t before = settle();
    for (int i = 0; i < 20000; i++) { /* more than fs.inotify.max_queued_events: 16384 */
        int file = open(names[i % 2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(file >= 0);
        assert_int_equal(close(file), 0);
        assert_int_equal(unlink(names[i % 2]), 0);
    }
    assert_int_equal(chmod(secret, 0640), 0); /* for this there is no room */
    assert_int_not_equal(watch_count_changes(watch), before);
    (void)settle();
    assert_true(is_told("chmod 600 a/b/c/secret"));
    assert_false(is_told("true"));
}

/* Each process must be told of each change, and no number of before the fork may come again. */
static bool child_is_told(uint64_t before, int ready, int go)
{
    char byte = 0;
    uint64_t first = watch_count_changes(watch);
    uint64_t second = settle();
    bool good = first > before && second > before;
    good = write(ready, "x", 1) == 1 && read(go, &byte, 1) == 1 && good;
    return watch_count_changes(watch) != second && good;
}

static void after_fork_both_are_told(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        int ready[2];
        int go[2];
        char byte = 0;
        int result = -1;
        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(go), 0);
        uint64_t before = settle();
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(child_is_told(before, ready[1], go[0]) ? 0 : 1);
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        before = settle();
        scratch_shell("echo x > a/b/c/secret");
        assert_int_equal(write(go[1], "x", 1), 1);
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_int_equal(result, 0);
        assert_int_not_equal(watch_count_changes(watch), before);
        for (int j = 0; j < 2; j++) {
            assert_int_equal(close(ready[j]), 0);
            assert_int_equal(close(go[j]), 0);
        }
    }
}

/* A watch that leaked them would run out of what the kernel allows. */
static void watching_anew_leaves_nothing_behind(void **state)
{
    (void)state;
    char line[128];
    size_t watched = 0;
    for (int i = 0; i < 50; i++) {
        scratch_shell(
            "echo x > a/b/c/new && mv a/b/c/new a/b/c/secret && mv a/b a/x && cp -r a/x a/b && "
            "rm -r a/x");
        (void)watch_count_changes(watch);
    }
    (void)settle();
    for (int number = 3; number < 64; number++) {
        (void)snprintf(line, sizeof line, "/proc/self/fdinfo/%d", number);
        FILE *info = fopen(line, "r");
        while (info != NULL && fgets(line, sizeof line, info) != NULL) {
            watched += strncmp(line, "inotify wd:", 11) == 0 ? 1 : 0;
        }
        if (info != NULL) {
            assert_int_equal(fclose(info), 0);
        }
    }
    assert_int_equal(watched, 7); /* / /tmp /tmp/… a b c secret */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_change_is_told_by_the_next_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_change_is_told_in_a_burst_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_files_exchanged_at_once_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_replaced_while_somebody_has_it_open_is_told,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_happens_to_others_is_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_not_there_yet_are_watched, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(everything_is_looked_at_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_never_quiet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_system_of_others_is_never_quiet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_be_watched_again_is_quiet_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_descriptors_it_is_never_quiet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_queue_that_runs_over_is_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_fork_both_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(watching_anew_leaves_nothing_behind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
