#define _GNU_SOURCE /* nftw */
#include "command_line.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "scratch.h"

#define WORDS_MAX 48

static const char *output_path;

void command_line_output_to(const char *path)
{
    output_path = path;
}

void command_line_configure(const char *more)
{
    char content[4096];
    (void)snprintf(content, sizeof content,
                   "[state]\ndirectory = %s/state\nrun_directory = %s/run\n"
                   "[password]\nmemory = 1M\npasses = 1\n%s",
                   scratch_folder(), scratch_folder(), more);
    assert_int_equal(setenv("LATCHKEY_CONFIG", scratch_write("latchkey.conf", content), 1), 0);
}

static int remove_entry(const char *path, const struct stat *found, int type, struct FTW *walk)
{
    (void)found;
    (void)type;
    (void)walk;
    return remove(path);
}

void command_line_install(void)
{
    struct outcome outcome;
    (void)nftw(scratch_path("state"), remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    (void)nftw(scratch_path("run"), remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    command_line_configure("");
    command_line_run(&outcome, NULL, COMMAND("init"));
    command_line_expect(&outcome, EXIT_DONE, "made", "");
}

/* In the child: three files in the place of the standard descriptors, then the command. */
static void run_child(const char *const words[])
{
    char *arguments[WORDS_MAX] = {strdup("latchkey")};
    int argc = 1;
    const char *output = output_path != NULL ? output_path : scratch_path("stdout");
    while (words[argc - 1] != NULL && argc < WORDS_MAX - 1) {
        arguments[argc] = strdup(words[argc - 1]);
        argc++;
    }
    int in = open(scratch_path("stdin"), O_RDONLY);
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(err, STDERR_FILENO) < 0) {
        _exit(99);
    }
    (void)close(in);
    (void)close(out);
    (void)close(err);
    int status = command_dispatch(argc, arguments);
    for (int i = 0; i < argc; i++) {
        free(arguments[i]);
    }
    exit(status); /* not _exit: leaks are looked for at exit */
}

static void read_back(const char *name, char *out, size_t room)
{
    FILE *file = fopen(scratch_path(name), "r");
    assert_non_null(file);
    size_t len = fread(out, 1, room - 1, file);
    out[len] = '\0';
    (void)fclose(file);
}

void command_line_run_bytes(struct outcome *outcome, const char *const words[], const char *input,
                            size_t len)
{
    int result = 0;
    FILE *file = fopen(scratch_path("stdin"), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(input, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    (void)scratch_write("stdout", "");
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_child(words);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    *outcome = (struct outcome){.status = WIFEXITED(result) ? WEXITSTATUS(result) : -1};
    read_back("stdout", outcome->out, sizeof outcome->out);
    read_back("stderr", outcome->err, sizeof outcome->err);
}

void command_line_run(struct outcome *outcome, const char *input, const char *const words[])
{
    command_line_run_bytes(outcome, words, input != NULL ? input : "",
                           input != NULL ? strlen(input) : 0);
}

static bool holds(const char *written, const char *wanted)
{
    return wanted[0] == '\0' ? written[0] == '\0' : strstr(written, wanted) != NULL;
}

void command_line_expect(const struct outcome *outcome, int status, const char *out,
                         const char *err)
{
    if (outcome->status != status || !holds(outcome->out, out) || !holds(outcome->err, err)) {
        fail_msg("expected status %d, output \"%s\", error \"%s\"\n"
                 "came status %d, output:\n%s\nerror:\n%s",
                 status, out, err, outcome->status, outcome->out, outcome->err);
    }
}
