#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

void scratch_shell(const char *command)
{
    int result = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (chdir(scratch_folder()) == 0) {
            (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        }
        _exit(127);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    if (result != 0) {
        fail_msg("failed: %s", command);
    }
}
