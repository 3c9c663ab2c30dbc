/* What starts a program: a socket that listens as descriptor 0 makes it FastCGI (FastCGI 1.0 §2.2),
 * anything else CGI.
 *
 * The environment of a CGI program is half configuration, half whatever the web server's modules
 * put there, and libraries read theirs (TMPDIR, SQLITE_TMPDIR …) when they are first used. So it is
 * gone before that. A FastCGI program has that of whoever administers it, and keeps it.
 *
 * What this does not reach: variables that count before main, LD_PRELOAD and its like, and nettle's
 * NETTLE_FAT_OVERRIDE, which makes it compute without the processor's instructions for it. What a
 * client says is in variables of other names. */
#define _GNU_SOURCE /* clearenv, environ */
#include "http/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "http/cgi.h"
#include "http/fastcgi.h"
#include "http/prefork.h"

struct service {
    const struct http_program *program;
    void *context;
    struct fastcgi_crew *crew;
    struct handover handover; /* of a slow program */
};

bool program_is_fastcgi(void)
{
    int is_listening = 0;
    socklen_t len = sizeof is_listening;
    return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) == 0 &&
           is_listening != 0;
}

/* A program started with one of the three closed would get a database or a client there, and then
 * write its log or its answer into it. */
static bool fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return false;
        }
    }
    return true;
}

/* The value of a variable in a list that is no longer the environment; NULL when it is not there.
 */
static const char *find_variable(char *const *list, const char *name)
{
    size_t len = strlen(name);
    for (; list != NULL && *list != NULL; list++) {
        if (strncmp(*list, name, len) == 0 && (*list)[len] == '=') {
            return *list + len + 1;
        }
    }
    return NULL;
}

static bool take_environment(char **taken)
{
    const char *config = find_variable(taken, "LATCHKEY_CONFIG");
    return clearenv() == 0 && setenv("PATH", "/usr/bin:/bin", 1) == 0 &&
           (config == NULL || setenv("LATCHKEY_CONFIG", config, 1) == 0);
}

bool program_prepare(char ***environment)
{
    *environment = environ;
    secret_forbid_dumps();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) { /* nothing here runs other programs */
        return false;
    }
    return fill_standard_descriptors() && (program_is_fastcgi() || take_environment(environ));
}

static int serve(void *argument, size_t number)
{
    const struct service *service = argument;
    bool is_slow = service->program->is_slow;
    if (service->program->enter != NULL && !service->program->enter(service->context)) {
        return 1;
    }
    const struct fastcgi_duty duty = {
        .listener = STDIN_FILENO,
        .handover = is_slow ? &service->handover : NULL,
        .is_porter = is_slow && number == 0,
        .is_helper = number != (is_slow ? 1 : 0),
    };
    return fastcgi_serve(service->program, service->context, &duty, service->crew);
}

/* In the master and in all processes that it forks. */
static int run_processes(struct service *service, size_t workers)
{
    int result = 1;
    if (!service->program->is_slow) {
        return prefork_run(workers, serve, service);
    }
    if (handover_open(&service->handover) == OK) {
        result = prefork_run((workers > 0 ? workers : 1) + 1, serve, service);
    }
    handover_close(&service->handover);
    return result;
}

int program_run(const struct http_program *program, size_t workers, char **environment,
                void *context)
{
    struct service service = {.program = program, .context = context};
    if (!program_is_fastcgi()) {
        return cgi_serve(program, environment, context);
    }
    void *shared =
        mmap(NULL, sizeof *service.crew, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        log_error("no memory that workers could share: %s", strerror(errno));
        return 1;
    }
    service.crew = shared;
    int result = run_processes(&service, workers);
    (void)munmap(shared, sizeof *service.crew);
    return result;
}
