/* What starts a program: a socket that listens as descriptor 0 makes it FastCGI (FastCGI 1.0 §2.2),
 * anything else CGI. */
#include "http/program.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/cgi.h"
#include "http/fastcgi.h"
#include "http/prefork.h"

struct service {
    const struct http_program *program;
    void *context;
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

static int serve(void *argument)
{
    const struct service *service = argument;
    return fastcgi_serve(service->program, service->context, STDIN_FILENO);
}

int program_run(const struct http_program *program, size_t workers, void *context)
{
    struct service service = {program, context};
    if (!fill_standard_descriptors()) {
        return 1;
    }
    if (!program_is_fastcgi()) {
        return cgi_serve(program, context);
    }
    return prefork_run(workers, serve, &service);
}
