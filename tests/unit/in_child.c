#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "in_child.h"

int in_child(int (*ask)(int argument), int argument)
{
    int result = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(ask(argument));
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &result, 0), pid);
    return WIFSIGNALED(result) ? -WTERMSIG(result) : WEXITSTATUS(result);
}
