#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/priority.h"
#include "capture.h"
#include "in_child.h"
#include "tables.h"

static int own_nice(void)
{
    return getpriority(PRIO_PROCESS, 0);
}

static int lower_from(int niceness)
{
    if (setpriority(PRIO_PROCESS, 0, niceness) != 0) {
        return 255;
    }
    priority_lower();
    return own_nice();
}

static void the_priority_falls_below_where_it_was_but_not_below_the_lowest(void **state)
{
    (void)state;
    int first = own_nice();
    for (int niceness = first; niceness <= 19; niceness++) {
        int lowered = niceness + PRIORITY_STEPS < 19 ? niceness + PRIORITY_STEPS : 19;
        assert_int_equal(in_child(lower_from, niceness), lowered);
    }
    assert_int_equal(own_nice(), first);
}

static int lower_and_fork(int unused)
{
    (void)unused;
    priority_lower();
    int own = own_nice();
    pid_t pid = fork();
    if (pid == 0) {
        _exit(own_nice() == own ? 0 : 1);
    }
    int result = 1;
    return pid > 0 && waitpid(pid, &result, 0) == pid && result == 0 ? 0 : 1;
}

static void children_stand_behind_too(void **state)
{
    (void)state;
    assert_int_equal(in_child(lower_and_fork, 0), 0);
}

/* As a filter of the service manager does it. */
static bool refuse_priorities(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setpriority, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT(rules), rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int lower_where_it_is_refused(int unused)
{
    (void)unused;
    int first = own_nice();
    if (!refuse_priorities()) {
        return 2;
    }
    priority_lower();
    return own_nice() == first ? 0 : 1;
}

static void a_refusal_is_logged_and_the_process_goes_on(void **state)
{
    (void)state;
    capture_start();
    int result = in_child(lower_where_it_is_refused, 0);
    const char *line = capture_next();
    bool told = strstr(line, "warning: the priority cannot be lowered: Operation not permitted");
    bool is_all = capture_next()[0] == '\0';
    capture_end();
    assert_int_equal(result, 0);
    assert_true(told);
    assert_true(is_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_priority_falls_below_where_it_was_but_not_below_the_lowest),
        cmocka_unit_test(children_stand_behind_too),
        cmocka_unit_test(a_refusal_is_logged_and_the_process_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
