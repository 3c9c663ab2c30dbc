/* The latchkey command, run in a process of its own over an installation in the scratch folder. */
#ifndef LATCHKEY_TESTS_COMMAND_LINE_H
#define LATCHKEY_TESTS_COMMAND_LINE_H

#include <stddef.h>

struct outcome {
    int status;      /* exit status; -1 when a signal ended it */
    char out[32768]; /* standard output */
    char err[8192];  /* standard error */
};

/* Writes a configuration for state and run directories in the scratch folder, with cheap password
 * hashes and `more` at its end, and makes $LATCHKEY_CONFIG name it. */
void command_line_configure(const char *more);

/* The same with whatever was there removed, then latchkey init, which must succeed. */
void command_line_install(void);

/* Runs command_dispatch on the words (without the program's name, NULL at the end); `input` is its
 * standard input of `len` bytes. What it leaks, and sanitizers find, fails the test. */
void command_line_run_bytes(struct outcome *outcome, const char *const words[], const char *input,
                            size_t len);

/* The same for a string, or NULL for no input, and with the words in the call. */
void command_line_run(struct outcome *outcome, const char *input, const char *const words[]);
#define COMMAND(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Fails the test unless the status was `status`, standard output holds `out` and standard error
 * holds `err`; "" means that nothing at all was written there. */
void command_line_expect(const struct outcome *outcome, int status, const char *out,
                         const char *err);

/* Sends standard output of later runs to this path instead of *outcome; NULL ends that. */
void command_line_output_to(const char *path);

#endif
