/* Programs as CGI, in processes of their own, with an environment and pipes. */
#include "http/cgi.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "http/screen.h"
#include "scratch.h"

#define VARIABLES_MAX (SCREEN_PARAMS_MAX + 8)
#define ANSWER_MAX    (128 * 1024)
#define TEND_MS       1500

/* How a request is handed to the program. */
struct call {
    const char *const *environment; /* besides the usual, or NULL */
    struct text body;
    bool keeps_open;   /* the end of input never comes */
    bool ignores_body; /* the program does not read bodies */
    bool without_usual;
    bool without_input, without_output; /* the descriptor is closed */
    bool tends;                         /* which takes TEND_MS */
    bool is_terminated;                 /* gets SIGTERM when its answer has ended */
};

static char *usual[] = {
    (char[]){"REQUEST_METHOD=GET"},        (char[]){"REQUEST_URI=/x?y=z"},
    (char[]){"SERVER_PROTOCOL=HTTP/1.1"},  (char[]){"REMOTE_ADDR=192.0.2.7"},
    (char[]){"HTTP_HOST=www.example.org"},
};

static struct buffer answer;
static int64_t answered_ms; /* when the answer had ended */

static void handle(void *context, const struct request *request, struct response *response)
{
    extern char **environ;
    (void)context;
    int fd = open("/dev/null", O_RDONLY); /* must not become one of the standard three */
    response->status = fd > STDERR_FILENO ? 200 : 500;
    buffer_print(&response->body, "%d %.*s %zu", (int)request->method, (int)request->path.len,
                 request->path.data, request->form.count);
    for (char **variable = environ; *variable != NULL; variable++) {
        buffer_print(&response->body, " [%s]", *variable);
    }
    if (request->form.count > 0) {
        buffer_add_text(&response->body, request->form.items[0].value);
    }
    if (text_is(request->path, "/much")) {
        buffer_print(&response->body, "%60000d", 1);
        buffer_add(&response->body, usual, RESPONSE_BODY_MAX); /* does not fit: a failed answer */
    }
}

static void refuse(void *context, const struct request *request, int status,
                   struct response *response)
{
    (void)context;
    (void)request;
    response->status = status;
}

/* Says on standard error how it was called, after a while. */
static int tend(void *context, bool leaving)
{
    const struct timespec pause = {.tv_sec = TEND_MS / 1000, .tv_nsec = TEND_MS % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
    int fd = open("/dev/null", O_RDONLY); /* must not become one of the standard three */
    (void)dprintf(STDERR_FILENO, "tended%s%s for %s\n", leaving ? " leaving" : "",
                  fd > STDERR_FILENO ? "" : " as output", (const char *)context);
    return 1;
}

static void become_program(const struct call *call, int input, int output)
{
    extern char **environ;
    char *variables[VARIABLES_MAX] = {NULL};
    size_t count = 0;
    const struct http_program program = {.name = "cgi",
                                         .reads_body = !call->ignores_body,
                                         .handle = handle,
                                         .refuse = refuse,
                                         .tend = call->tends ? tend : NULL};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0] && !call->without_usual; i++) {
        variables[count++] = usual[i];
    }
    for (size_t i = 0; call->environment != NULL && call->environment[i] != NULL; i++) {
        variables[count++] = strdup(call->environment[i]);
    }
    environ = variables;
    int log = open(scratch_path("cgi.log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)dup2(log, STDERR_FILENO);
    (void)dup2(input, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    for (int fd = STDERR_FILENO + 1; fd < 32; fd++) {
        (void)close(fd);
    }
    if (call->without_input) {
        (void)close(STDIN_FILENO);
    }
    if (call->without_output) {
        (void)close(STDOUT_FILENO);
    }
    log_open("cgi", LOG_LEVEL_ERROR);
    char **environment = NULL;
    char context[] = "the context";
    bool prepared = program_prepare(&environment) && !program_is_fastcgi();
    _exit(prepared ? program_run(&program, 3, environment, context) : 99);
}

/* Runs a request; `answer` holds what was written. Returns the exit status. */
static int run(const struct call *call)
{
    int input[2], output[2];
    int result = -1;
    char bytes[8192];
    ssize_t len = 0;
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        become_program(call, input[0], output[1]);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    struct text body = call->body;
    while (body.len > 0) {
        len = write(input[1], body.data, body.len);
        if (len <= 0) {
            break;
        }
        body = (struct text){body.data + len, body.len - (size_t)len};
    }
    if (!call->keeps_open) {
        (void)close(input[1]);
    }
    buffer_clear(&answer);
    while ((len = read(output[0], bytes, sizeof bytes)) > 0) {
        buffer_add(&answer, bytes, (size_t)len);
    }
    answered_ms = clock_monotonic_ms();
    (void)close(output[0]);
    if (call->is_terminated) {
        assert_int_equal(kill(pid, SIGTERM), 0);
    }
    if (call->keeps_open) {
        (void)close(input[1]);
    }
    assert_int_equal(waitpid(pid, &result, 0), pid);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

static int prepare(void **state)
{
    (void)state;
    (void)scratch_folder(); /* of this process, not of a child that leaves it behind */
    (void)signal(SIGPIPE, SIG_IGN);
    buffer_init(&answer, ANSWER_MAX);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    buffer_clear(&answer);
    return 0;
}

static void assert_answer(const char *begin, const char *part)
{
    if (answer.data == NULL || strncmp(answer.data, begin, strlen(begin)) != 0 ||
        strstr(answer.data, part) == NULL) {
        fail_msg("instead of %s … %s: %.300s", begin, part,
                 answer.data == NULL ? "nothing" : answer.data);
    }
}

#define FORM "CONTENT_TYPE=application/x-www-form-urlencoded"

static void a_request_is_answered_with_its_status_first(void **state)
{
    (void)state;
    assert_int_equal(run(&(struct call){.without_input = false}), 0);
    assert_answer("Status: 200 OK\r\n", "\r\n\r\n1 /x 0");
}

static void a_form_is_read_up_to_its_length_without_waiting_for_the_end(void **state)
{
    static const char *const environment[] = {"REQUEST_METHOD=POST",
                                              FORM,
                                              "CONTENT_LENGTH=7",
                                              "REQUEST_URI=/f",
                                              "SERVER_PROTOCOL=HTTP/1.1",
                                              "REMOTE_ADDR=::1",
                                              NULL};
    (void)state;
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(run(&(struct call){.environment = environment,
                                        .without_usual = true,
                                        .body = TEXT("abc=defgarbage"),
                                        .keeps_open = true}),
                     0);
    assert_answer("Status: 200 ", "3 /f 1");
    assert_answer("Status: 200 ", "]def");
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 3000);
}

static void the_environment_is_gone_when_the_program_runs(void **state)
{
    static const char *const environment[] = {"TMPDIR=/evil", "HTTP_COOKIE=a=b", "PATH=/evil",
                                              "SQLITE_TMPDIR=/evil", NULL};
    (void)state;
    assert_int_equal(run(&(struct call){.environment = environment}), 0);
    assert_answer("Status: 200 ", "1 /x 0 [PATH=/usr/bin:/bin]");
    assert_int_equal(strstr(answer.data, "evil") == NULL, 1);
    assert_int_equal(strlen(strchr(answer.data, '[')), strlen("[PATH=/usr/bin:/bin]"));
}

static void lengths_that_are_wrong_are_refused(void **state)
{
    static const char *const lengths[] = {
        "-1", "+5", " 5", "5 ", "0x5", "5,5", "1e3", "8", "99999999999999999999", "6"};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char length[64];
        const char *const environment[] = {
            "REQUEST_METHOD=POST", FORM, length, "REQUEST_URI=/f", "SERVER_PROTOCOL=HTTP/1.1",
            "REMOTE_ADDR=::1",     NULL};
        (void)snprintf(length, sizeof length, "CONTENT_LENGTH=%s", lengths[i]);
        (void)run(&(struct call){
            .environment = environment, .without_usual = true, .body = TEXT("a=b&c")});
        if (strncmp(answer.data, "Status: 400 ", 12) != 0) {
            fail_msg("length \"%s\": %.40s", lengths[i], answer.data);
        }
    }
}

static void a_body_over_the_limit_gets_413_and_is_read(void **state)
{
    static const char *const environment[] = {"REQUEST_METHOD=POST",
                                              FORM,
                                              "CONTENT_LENGTH=500000",
                                              "REQUEST_URI=/f",
                                              "SERVER_PROTOCOL=HTTP/1.1",
                                              "REMOTE_ADDR=::1",
                                              NULL};
    static char body[500000];
    (void)state;
    assert_int_equal(run(&(struct call){.environment = environment,
                                        .without_usual = true,
                                        .body = {body, sizeof body},
                                        .keeps_open = true}),
                     0);
    assert_answer("Status: 413 ", "");
}

static void a_program_without_forms_reads_no_body(void **state)
{
    static const char *const environment[] = {"CONTENT_LENGTH=7", FORM, NULL};
    (void)state;
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(
        run(&(struct call){.environment = environment, .ignores_body = true, .keeps_open = true}),
        0);
    assert_answer("Status: 200 ", "1 /x 0");
    assert_in_range(clock_monotonic_ms() - begin_ms, 0, 3000);
}

static void too_many_variables_get_413(void **state)
{
    static const char *environment[SCREEN_PARAMS_MAX + 1];
    (void)state;
    for (size_t i = 0; i < SCREEN_PARAMS_MAX; i++) {
        environment[i] = "HTTP_A=b";
    }
    (void)run(&(struct call){.environment = environment});
    assert_answer("Status: 413 ", "");
}

static void an_environment_over_the_limit_gets_413(void **state)
{
    static char variable[PARAMS_MAX_BYTES + 8] = "HTTP_A=";
    const char *const environment[] = {variable, NULL};
    (void)state;
    memset(variable + 7, 'x', PARAMS_MAX_BYTES);
    (void)run(&(struct call){.environment = environment});
    assert_answer("Status: 413 ", "");
}

static void an_empty_environment_is_malformed_and_no_grant(void **state)
{
    (void)state;
    (void)run(&(struct call){.without_usual = true});
    assert_answer("Status: 400 ", "");
}

static void an_answer_that_does_not_fit_is_a_500(void **state)
{
    static const char *const environment[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/much",
                                              "SERVER_PROTOCOL=HTTP/1.1", "REMOTE_ADDR=::1", NULL};
    (void)state;
    (void)run(&(struct call){.environment = environment, .without_usual = true});
    assert_answer("Status: 500 Internal Server Error\r\n", "\r\n\r\n");
}

static void closed_descriptors_are_survived(void **state)
{
    (void)state;
    assert_int_equal(run(&(struct call){.without_input = true}), 0);
    assert_answer("Status: 200 ", "1 /x 0");
    assert_int_equal(run(&(struct call){.without_output = true}), 0);
    assert_int_equal(answer.len, 0);
}

static void assert_tended(void)
{
    struct buffer log;
    buffer_init(&log, ANSWER_MAX);
    assert_int_equal(file_read(scratch_path("cgi.log"), &log), OK);
    assert_string_equal(log.data, "tended leaving for the context\n");
    buffer_clear(&log);
}

static void what_is_to_be_tended_comes_after_the_end_of_the_answer(void **state)
{
    (void)state;
    int64_t begin_ms = clock_monotonic_ms();
    assert_int_equal(run(&(struct call){.tends = true}), 0);
    assert_answer("Status: 200 ", "1 /x 0");
    assert_in_range(answered_ms - begin_ms, 0, TEND_MS - 200);
    assert_in_range(clock_monotonic_ms() - begin_ms, TEND_MS, TEND_MS + 5000);
    assert_tended();
    (void)run(&(struct call){.tends = true, .without_usual = true});
    assert_answer("Status: 400 ", "");
    assert_tended();
    assert_int_equal(run(&(struct call){.tends = true, .without_output = true}), 0);
    assert_tended();
}

/* lighttpd does that as soon as standard output ends. */
static void what_is_to_be_tended_is_finished_although_the_web_server_terminates_it(void **state)
{
    (void)state;
    assert_int_equal(run(&(struct call){.tends = true, .is_terminated = true}), 0);
    assert_answer("Status: 200 ", "1 /x 0");
    assert_tended();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_with_its_status_first),
        TEST(a_form_is_read_up_to_its_length_without_waiting_for_the_end),
        TEST(the_environment_is_gone_when_the_program_runs),
        TEST(lengths_that_are_wrong_are_refused),
        TEST(a_body_over_the_limit_gets_413_and_is_read),
        TEST(a_program_without_forms_reads_no_body),
        TEST(too_many_variables_get_413),
        TEST(an_environment_over_the_limit_gets_413),
        TEST(an_empty_environment_is_malformed_and_no_grant),
        TEST(an_answer_that_does_not_fit_is_a_500),
        TEST(closed_descriptors_are_survived),
        TEST(what_is_to_be_tended_comes_after_the_end_of_the_answer),
        TEST(what_is_to_be_tended_is_finished_although_the_web_server_terminates_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
