/* The reference of the bench: the least that a FastCGI responder on libfcgi can do. It answers 204
 * to everything, in as many processes as its one argument says, and ends on SIGTERM. */
#include <fcgiapp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int answer_all(void)
{
    FCGX_Request request;
    if (FCGX_InitRequest(&request, STDIN_FILENO, 0) != 0) {
        return EXIT_FAILURE;
    }
    while (FCGX_Accept_r(&request) >= 0) {
        const char *role = FCGX_GetParam("FCGI_ROLE", request.envp);
        bool authorizes = role != NULL && strcmp(role, "AUTHORIZER") == 0;
        (void)FCGX_PutS(authorizes ? "Status: 200 OK\r\n\r\n" : "Status: 204 No Content\r\n\r\n",
                        request.out);
        FCGX_Finish_r(&request);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    long processes = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    if (FCGX_Init() != 0) {
        return EXIT_FAILURE;
    }
    (void)signal(SIGTERM, SIG_DFL); /* libfcgi's own handler would only set a flag */
    for (long i = 1; i < processes; i++) {
        if (fork() == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
            break;
        }
    }
    return answer_all();
}
