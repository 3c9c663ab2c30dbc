/* Where the command looks for the web programs: beside its own place. So this program copies itself
 * to several places, and asks there. */
#define _GNU_SOURCE /* realpath */
#include "cli/programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "cli/sockets.h"
#include "scratch.h"

#define ASK "--ask"

static void make_folder(const char *name)
{
    assert_int_equal(file_make_folder(scratch_path(name), 0700), OK);
}

/* Puts the four programs, which do nothing, into the folder. */
static void install_programs(const char *folder)
{
    make_folder(folder);
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s/%s", folder, socket_programs[i]);
        assert_int_equal(chmod(scratch_write(name, "#!/bin/sh\n"), 0700), 0);
    }
}

static int copy_self(void **state)
{
    struct buffer self;
    (void)state;
    make_folder("bin");
    buffer_init(&self, (size_t)256 << 20);
    assert_int_equal(file_read("/proc/self/exe", &self), OK);
    FILE *file = fopen(scratch_path("bin/latchkey"), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(self.data, 1, self.len, file), self.len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(scratch_path("bin/latchkey"), 0700), 0);
    buffer_clear(&self);
    return 0;
}

/* Runs the program at `path` to ask; the folder it found is in `out`, "" for none. */
static void ask(const char *path, char out[512])
{
    int status = 0;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (freopen(scratch_path("found"), "w", stdout) != NULL &&
            freopen(scratch_path("log"), "w", stderr) != NULL) {
            (void)execl(path, path, ASK, (char *)NULL);
        }
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    struct buffer found;
    buffer_init(&found, 500);
    assert_int_equal(file_read(scratch_path("found"), &found), OK);
    (void)snprintf(out, 512, "%s", found.len > 0 ? found.data : "");
    assert_int_equal(WEXITSTATUS(status), found.len > 0 ? 0 : 1);
    buffer_clear(&found);
}

static void expect_folder(const char *path, const char *folder)
{
    char found[512];
    char real_found[4096] = "", real_wanted[4096] = "";
    ask(path, found);
    assert_true(found[0] != '\0');
    assert_non_null(realpath(found, real_found));
    assert_non_null(realpath(scratch_path(folder), real_wanted));
    assert_string_equal(real_found, real_wanted);
}

static void expect_none(const char *path)
{
    char found[512];
    struct buffer log;
    ask(path, found);
    assert_string_equal(found, "");
    buffer_init(&log, 4096);
    assert_int_equal(file_read(scratch_path("log"), &log), OK);
    assert_non_null(strstr(log.data, "install all of Latchkey"));
    buffer_clear(&log);
}

static void they_are_found_in_the_build_tree_and_where_they_are_installed(void **state)
{
    (void)state;
    expect_none(scratch_path("bin/latchkey"));
    install_programs("lib/latchkey/cgi-bin");
    expect_folder(scratch_path("bin/latchkey"), "lib/latchkey/cgi-bin");
    install_programs("cgi-bin");
    expect_folder(scratch_path("bin/latchkey"), "cgi-bin");
}

static void all_four_must_be_there_and_may_be_run(void **state)
{
    (void)state;
    install_programs("lib/latchkey/cgi-bin");
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        char name[128];
        install_programs("cgi-bin");
        (void)snprintf(name, sizeof name, "cgi-bin/%s", socket_programs[i]);
        assert_int_equal(chmod(scratch_path(name), 0600), 0);
        expect_folder(scratch_path("bin/latchkey"), "lib/latchkey/cgi-bin");
        assert_int_equal(unlink(scratch_path(name)), 0);
        expect_folder(scratch_path("bin/latchkey"), "lib/latchkey/cgi-bin");
    }
    install_programs("cgi-bin");
    assert_int_equal(unlink(scratch_path("lib/latchkey/cgi-bin/gate")), 0);
    assert_int_equal(unlink(scratch_path("cgi-bin/login")), 0);
    expect_none(scratch_path("bin/latchkey"));
}

static void a_link_to_the_command_leads_to_its_own_programs(void **state)
{
    (void)state;
    install_programs("cgi-bin");
    make_folder("elsewhere/bin");
    install_programs("elsewhere/cgi-bin");
    (void)unlink(scratch_path("elsewhere/bin/latchkey"));
    assert_int_equal(symlink(scratch_path("bin/latchkey"), scratch_path("elsewhere/bin/latchkey")),
                     0);
    expect_folder(scratch_path("elsewhere/bin/latchkey"), "cgi-bin");
}

static void a_folder_that_does_not_fit_is_not_cut(void **state)
{
    char narrow[8];
    (void)state;
    assert_int_equal(programs_find(narrow, sizeof narrow), ERR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_found_in_the_build_tree_and_where_they_are_installed),
        cmocka_unit_test(all_four_must_be_there_and_may_be_run),
        cmocka_unit_test(a_link_to_the_command_leads_to_its_own_programs),
        cmocka_unit_test(a_folder_that_does_not_fit_is_not_cut),
    };
    if (argc == 2 && strcmp(argv[1], ASK) == 0) {
        char folder[4096];
        bool found = programs_find(folder, sizeof folder) == OK;
        (void)fputs(found ? folder : "", stdout);
        return found ? 0 : 1;
    }
    return cmocka_run_group_tests(tests, copy_self, NULL);
}
