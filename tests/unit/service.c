#define _GNU_SOURCE
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "fastcgi_client.h"
#include "http/program.h"
#include "pause.h"
#include "scratch.h"

#define SLOW_MS       600
#define STEADY_MS     30
#define LARGE_BYTES   60000
#define READ_LIMIT_S  20
#define BACKLOG       512
#define TENDED        "tended "
#define CHECK(action) ((action) >= 0 ? (void)0 : give_up(#action))

static struct sockaddr_storage address; /* of the service that runs */
static socklen_t address_len;

static void give_up(const char *action)
{
    perror(action);
    abort();
}

static size_t handled; /* requests, in this process */

static void log_form(const struct service_options *options, const struct request *request)
{
    if (options->is_slow && request->form.count > 0) {
        const struct text *value = &request->form.items[0].value;
        log_info("answers %.*s", (int)value->len, value->data);
    }
}

static uint64_t known_as(void *context, const struct request *request)
{
    static const char known[] = "/known/";
    size_t len = strlen(known);
    (void)context;
    if (request->path.len <= len || memcmp(request->path.data, known, len) != 0) {
        return 0;
    }
    return strtoull(request->path.data + len, NULL, 10);
}

static void handle(void *context, const struct request *request, struct response *response)
{
    handled++;
    log_form(context, request);
    if (text_is(request->path, "/crash")) {
        (void)raise(SIGKILL);
    }
    if (text_is(request->path, "/slow")) {
        pause_ms(SLOW_MS);
    }
    if (text_is(request->path, "/steady")) {
        pause_ms(STEADY_MS);
    }
    response->status = 200;
    if (text_is(request->path, "/large")) {
        for (size_t i = 0; i < LARGE_BYTES; i++) {
            buffer_add(&response->body, "x", 1);
        }
        return;
    }
    buffer_print(&response->body, "%d %s %d %.*s %zu ", (int)getpid(),
                 request->role == ROLE_AUTHORIZER ? "authorizer" : "responder",
                 (int)request->method, (int)request->path.len, request->path.data,
                 request->form.count);
    if (request->form.count > 0) {
        buffer_add_text(&response->body, request->form.items[0].value);
    }
    buffer_add_string(&response->body, "\n");
}

static void refuse(void *context, const struct request *request, int status,
                   struct response *response)
{
    (void)context;
    response->status = status;
    buffer_print(&response->body, "refused %.*s\n", (int)request->path.len, request->path.data);
}

static int tend(void *context, bool leaving)
{
    const struct service_options *options = context;
    int64_t begin_ms = clock_monotonic_ms();
    pause_ms(options->tend_ms);
    log_info(TENDED "%" PRId64 " %zu %d", begin_ms, handled, leaving ? 1 : 0);
    return options->again_ms;
}

static int note_rest(void *context)
{
    const struct service_options *options = context;
    static size_t noted;
    bool is_second = handled == noted;
    noted = handled;
    log_info("rests after %zu", handled);
    return is_second ? -1 : options->again_ms;
}

static int open_socket(bool is_tcp)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_un un;
        struct sockaddr_in in;
    } own = {0};
    if (is_tcp) {
        own.in.sin_family = AF_INET;
        own.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address_len = sizeof own.in;
    } else {
        own.un.sun_family = AF_UNIX;
        (void)snprintf(own.un.sun_path, sizeof own.un.sun_path, "%s", scratch_path("s.sock"));
        (void)unlink(own.un.sun_path);
        address_len = sizeof own.un;
    }
    int fd = socket(own.any.ss_family, SOCK_STREAM, 0);
    CHECK(fd);
    CHECK(bind(fd, (struct sockaddr *)&own, address_len));
    CHECK(listen(fd, BACKLOG));
    CHECK(getsockname(fd, (struct sockaddr *)&address, &address_len));
    return fd;
}

static void run(struct service_options options, int listener)
{
    const struct http_program program = {.name = "service",
                                         .reads_body = !options.ignores_body,
                                         .is_brief = options.is_brief,
                                         .is_slow = options.is_slow,
                                         .known_as = options.is_slow ? known_as : NULL,
                                         .handle = handle,
                                         .refuse = refuse,
                                         .tend = options.tends ? tend : NULL,
                                         .rest = options.rests ? note_rest : NULL};
    int log = open(scratch_path("service.log"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    CHECK(log);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM)); /* a test that fails leaves nothing behind */
    CHECK(dup2(log, STDERR_FILENO));
    CHECK(dup2(listener, STDIN_FILENO));
    CHECK(close(log));
    CHECK(close(listener));
    if (options.files > 0) {
        const struct rlimit limit = {options.files, options.files};
        CHECK(setrlimit(RLIMIT_NOFILE, &limit));
    }
    if (options.peers != NULL) {
        CHECK(setenv("FCGI_WEB_SERVER_ADDRS", options.peers, 1));
    }
    log_open("service", LOG_LEVEL_DEBUG);
    char **environment = NULL;
    if (!program_is_fastcgi() || !program_prepare(&environment)) {
        abort();
    }
    /* Not _exit: leaks in master and workers are to be found. */
    exit(program_run(&program, options.workers, environment, &options));
}

pid_t service_start(struct service_options options)
{
    int listener = open_socket(options.peers != NULL);
    pid_t master = fork();
    CHECK(master);
    if (master == 0) {
        run(options, listener);
    }
    CHECK(close(listener)); /* so that connecting fails once the service is gone */
    return master;
}

int service_stop(pid_t master)
{
    int result = 0;
    (void)kill(master, SIGTERM);
    CHECK(waitpid(master, &result, 0));
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

int service_connect(void)
{
    const struct timeval limit = {.tv_sec = READ_LIMIT_S};
    int fd = socket(address.ss_family, SOCK_STREAM, 0);
    CHECK(fd);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    if (connect(fd, (struct sockaddr *)&address, address_len) != 0) {
        CHECK(close(fd));
        return -1;
    }
    return fd;
}

bool service_send(int fd, struct text bytes, size_t piece)
{
    while (bytes.len > 0) {
        size_t len = bytes.len < piece ? bytes.len : piece;
        ssize_t sent = send(fd, bytes.data, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes = (struct text){bytes.data + sent, bytes.len - (size_t)sent};
    }
    return true;
}

enum ending service_read(int fd, struct buffer *out)
{
    char bytes[8192];
    ssize_t len = 0;
    while ((len = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        buffer_add(out, bytes, (size_t)len);
    }
    int reason = errno;
    CHECK(close(fd));
    if (len == 0) {
        return ENDING_CLOSED;
    }
    return reason == ECONNRESET ? ENDING_RESET : ENDING_NONE;
}

bool service_read_answer(int fd, struct buffer *out)
{
    char bytes[8192];
    struct buffer raw;
    ssize_t len = 0;
    bool whole = false;
    buffer_init(&raw, RECORDS_MAX);
    while (!whole && (len = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        buffer_add(&raw, bytes, (size_t)len);
        buffer_clear(out);
        whole = answer_read(buffer_text(&raw), out);
    }
    buffer_clear(&raw);
    return whole;
}

bool service_ask(struct text request, struct buffer *out)
{
    struct buffer raw;
    int fd = service_connect();
    if (fd < 0) {
        return false;
    }
    buffer_init(&raw, RECORDS_MAX);
    (void)service_send(fd, request, request.len);
    bool whole = service_read(fd, &raw) == ENDING_CLOSED && answer_read(buffer_text(&raw), out);
    buffer_clear(&raw);
    return whole;
}

pid_t service_ask_pid(const char *path)
{
    struct buffer request, answer;
    pid_t pid = 0;
    buffer_init(&request, RECORDS_MAX);
    buffer_init(&answer, RECORDS_MAX);
    request_add(&request, 1, path, (struct text){0});
    if (service_ask(buffer_text(&request), &answer)) {
        const char *body = strstr(answer.data, "\r\n\r\n");
        pid = body == NULL ? 0 : (pid_t)strtol(body, NULL, 10);
    }
    buffer_clear(&request);
    buffer_clear(&answer);
    return pid;
}

void service_read_log(struct buffer *out)
{
    if (file_read(scratch_path("service.log"), out) != OK) {
        abort();
    }
}

size_t service_read_tends(struct tended *out, size_t room)
{
    struct buffer log;
    size_t count = 0;
    buffer_init(&log, RECORDS_MAX);
    service_read_log(&log);
    const char *at = log.data == NULL ? NULL : strstr(log.data, TENDED);
    for (; at != NULL && count < room; at = strstr(at, TENDED)) {
        char *rest_of_line = NULL;
        at += strlen(TENDED);
        out[count].at_ms = strtoll(at, &rest_of_line, 10);
        out[count].answers = strtoul(rest_of_line, &rest_of_line, 10);
        out[count].leaving = strtol(rest_of_line, NULL, 10) != 0;
        count++;
    }
    buffer_clear(&log);
    return count;
}
