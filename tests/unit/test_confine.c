/* What a confined process can no longer do, tried in children of this one.
 *
 * In a build with sanitizers some calls stay allowed that these need; what the programs as they are
 * installed gave up is shown by tests/web/confinement.test.mjs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "confine/filters.h"
#include "confine/plan.h"
#include "in_child.h"
#include "native.h"
#include "scratch.h"
#include "tables.h"

#define NOT_CONFINED 200

static struct confine_plan plan;
static struct confinement confinement;

static int start(void **state)
{
    (void)state;
    plan = (struct confine_plan){.folders = {scratch_path("state"), scratch_path("run"), NULL}};
    (void)mkdir(plan.folders[0], 0700);
    (void)mkdir(plan.folders[1], 0700);
    capture_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_end();
    return 0;
}

/* 0, or the errno of the call. */
static int errno_of(long result)
{
    return result < 0 ? errno : 0;
}

static bool be_confined(void)
{
    return confine(&plan, CONFINE_ALL, &confinement) == 0;
}

enum deed {
    READ_OUTSIDE,
    MAKE_OUTSIDE,
    MAKE_INSIDE,
    READ_FOLDER,
    MAKE_FOLDER,
    WRITE_NOWHERE,
    WATCH,
    TALK_TO_LOG,
    TALK_TO_NETWORK,
    LEND,
    SIGNAL_BY_INPUT,
    SIGNAL_ANOTHER,
    ASK_FOR_ANOTHER,
    SIGNAL_ITSELF,
    SIGNAL_A_THREAD,
    SIGNAL_STAND_IN,
    CONNECT,
    RUN,
};

static int do_it(int deed)
{
    char *const nothing[] = {NULL};
    char inside[600];
    (void)snprintf(inside, sizeof inside, "%s/file", plan.folders[0]);
    if (!be_confined()) {
        return NOT_CONFINED;
    }
    switch ((enum deed)deed) {
    case READ_OUTSIDE:
        return errno_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    case MAKE_OUTSIDE:
        return errno_of(open("/tmp/latchkey-outside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    case MAKE_INSIDE:
        return errno_of(open(inside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) +
               errno_of(unlink(inside));
    case READ_FOLDER:
        return errno_of(open(plan.folders[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    case MAKE_FOLDER:
        return errno_of(mkdir(inside, 0700));
    case WRITE_NOWHERE:
        return errno_of(open("/dev/null", O_WRONLY | O_CLOEXEC));
    case WATCH:
        return errno_of(inotify_init1(IN_CLOEXEC));
    case TALK_TO_LOG:
        return errno_of(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    case TALK_TO_NETWORK:
        return errno_of(socket(AF_INET, SOCK_STREAM, 0));
    case LEND:
        return errno_of(fchmod(STDIN_FILENO, 04755));
    case SIGNAL_BY_INPUT:
        return errno_of(fcntl(STDIN_FILENO, F_SETOWN, getppid()));
    case SIGNAL_ANOTHER:
        return errno_of(kill(getppid(), SIGCONT));
    case ASK_FOR_ANOTHER: /* whether it lives: yes, or not to be signalled, but not "unknown" */
        return kill(getppid(), 0) == 0 || errno == EPERM ? 0 : errno;
    case SIGNAL_ITSELF:
        return raise(SIGCONT);
    case SIGNAL_A_THREAD:
        return errno_of(syscall(SYS_tgkill, getppid(), getppid(), SIGCONT));
    case SIGNAL_STAND_IN:
        return errno_of(syscall(SYS_tgkill, CONFINE_OWN_PID, CONFINE_OWN_PID, SIGCONT));
    case CONNECT:
        return errno_of(connect(STDIN_FILENO, NULL, 0));
    case RUN:
        return errno_of(execve("/bin/true", nothing, nothing));
    }
    return NOT_CONFINED;
}

static void a_confined_process_reaches_its_folders_alone(void **state)
{
    static const struct {
        enum deed deed;
        int result;
    } cases[] = {
        {READ_OUTSIDE, EACCES},   {MAKE_OUTSIDE, EACCES},
        {MAKE_INSIDE, 0},         {READ_FOLDER, 0},
        {MAKE_FOLDER, EPERM},     {WRITE_NOWHERE, 0},
        {WATCH, EPERM},           {TALK_TO_LOG, EPERM},
        {TALK_TO_NETWORK, EPERM}, {LEND, EPERM},
        {SIGNAL_BY_INPUT, EPERM}, {SIGNAL_ANOTHER, EPERM},
        {ASK_FOR_ANOTHER, 0},     {SIGNAL_ITSELF, 0},
        {SIGNAL_A_THREAD, EPERM}, {SIGNAL_STAND_IN, EPERM},
        {CONNECT, -SIGSYS},       {RUN, -SIGSYS},
    };
    (void)state;
    skip_unless_native("confinement");
    for (size_t i = 0; i < COUNT(cases); i++) {
        int result = in_child(do_it, (int)cases[i].deed);
        if (result != cases[i].result) {
            fail_msg("deed %zu: %d, not %d: %s", i, result, cases[i].result, capture_next());
        }
    }
}

static void habits_open_what_they_need_and_no_more(void **state)
{
    (void)state;
    skip_unless_native("confinement");
    plan.watches = true;
    assert_int_equal(in_child(do_it, WATCH), 0);
    assert_int_equal(in_child(do_it, TALK_TO_LOG), EPERM);
    plan.watches = false;
    plan.sends_messages = true;
    assert_int_equal(in_child(do_it, TALK_TO_LOG), 0);
    assert_int_equal(in_child(do_it, TALK_TO_NETWORK), EPERM);
    assert_int_equal(in_child(do_it, WATCH), EPERM);
}

static int count_descriptors(int argument)
{
    struct rlimit limit;
    (void)argument;
    return !be_confined() || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
                   limit.rlim_cur != limit.rlim_max
               ? NOT_CONFINED
               : (int)limit.rlim_max;
}

static void descriptors_are_limited(void **state)
{
    (void)state;
    skip_unless_native("confinement");
    plan.descriptors = 33;
    assert_int_equal(in_child(count_descriptors, 0), 33);
}

static void a_folder_that_is_not_there_stays_out_of_reach(void **state)
{
    (void)state;
    skip_unless_native("confinement");
    assert_int_equal(confine_try(&plan), 0);
    assert_int_equal(rmdir(plan.folders[1]), 0);
    assert_int_equal(confine_try(&plan), 0);
    assert_string_equal(capture_next(), "");
    assert_int_equal(confine(&plan, 0, &confinement), 0);
    assert_false(confine_is_outdated(&confinement));
    assert_int_equal(mkdir(plan.folders[1], 0700), 0);
    assert_true(confine_is_outdated(&confinement));
}

static void a_process_knows_when_its_folder_is_another_one(void **state)
{
    char old[600];
    (void)state;
    (void)snprintf(old, sizeof old, "%s.old", plan.folders[0]);
    assert_int_equal(confine(&plan, 0, &confinement), 0); /* remembers, gives up nothing */
    assert_false(confine_is_outdated(&confinement));
    assert_int_equal(rename(plan.folders[0], old), 0);
    assert_false(confine_is_outdated(&confinement)); /* there may be none for a moment */
    assert_int_equal(mkdir(plan.folders[0], 0700), 0);
    assert_true(confine_is_outdated(&confinement));
    assert_int_equal(rmdir(plan.folders[0]), 0);
    assert_int_equal(rename(old, plan.folders[0]), 0);
    assert_false(confine_is_outdated(&confinement));
    assert_false(confine_is_outdated(&(struct confinement){.count = 0}));
}

static void layers_are_named(void **state)
{
    char words[CONFINE_TEXT_MAX];
    (void)state;
    confine_print(0, words);
    assert_string_equal(words, "");
    confine_print(CONFINE_FILES, words);
    assert_string_equal(words, "files (Landlock)");
    confine_print(CONFINE_ALL, words);
    assert_string_equal(words, "limits, files (Landlock), system calls (seccomp)");
}

static void a_plan_is_made_of_the_configuration(void **state)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    const char *path = scratch_write("plan.conf", "[state]\ndirectory = /a\nrun_directory = /b\n"
                                                  "[database]\nurl = sqlite:/c/d.db\n");
    (void)state;
    assert_int_equal(config_load(path, &config, error), OK);
    const struct confine_habits plain = {.connections = 128};
    const struct confine_habits hashing = {.connections = 128, .hashes = true, .watches = true};
    assert_int_equal(confine_plan_make(config, &plain, &plan), OK);
    assert_string_equal(plan.folders[0], "/a");
    assert_string_equal(plan.folders[1], "/b");
    assert_string_equal(plan.folders[2], "/c");
    assert_false(plan.watches || plan.sends_messages);
    assert_true(plan.descriptors > 128);
    uint64_t least = plan.memory_bytes;
    assert_int_equal(confine_plan_make(config, &hashing, &plan), OK);
    assert_true(plan.watches && plan.sends_messages);
    assert_true(plan.memory_bytes >= least + ((uint64_t)256 << 20));
    config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_confined_process_reaches_its_folders_alone, start, end),
        cmocka_unit_test_setup_teardown(habits_open_what_they_need_and_no_more, start, end),
        cmocka_unit_test_setup_teardown(descriptors_are_limited, start, end),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_stays_out_of_reach, start, end),
        cmocka_unit_test_setup_teardown(a_process_knows_when_its_folder_is_another_one, start, end),
        cmocka_unit_test_setup_teardown(layers_are_named, start, end),
        cmocka_unit_test_setup_teardown(a_plan_is_made_of_the_configuration, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
