/* What a gate could be at best: processes in an accept loop of the same libfcgi that pass everybody
 * and look at nothing. Usage: null_responder SOCKET PROCESSES
 *
 * Its numbers are the reference of those of the gate. It answers 204 as a responder and 200 as an
 * authorizer, which is what lets a request pass in each role. */
#define _GNU_SOURCE
#include <fcgiapp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG       1024
#define PROCESSES_MAX 64

static int serve(int listener)
{
    FCGX_Request request;
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, listener, 0) != 0) {
        return 1;
    }
    while (FCGX_Accept_r(&request) == 0) {
        const char *role = FCGX_GetParam("FCGI_ROLE", request.envp);
        bool is_authorizer = role != NULL && strcmp(role, "AUTHORIZER") == 0;
        (void)FCGX_PutS(is_authorizer ? "Status: 200 OK\r\n\r\n" : "Status: 204 No Content\r\n\r\n",
                        request.out);
        FCGX_Finish_r(&request);
    }
    return 1;
}

int main(int argc, char **argv)
{
    long processes = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (processes < 1 || processes > PROCESSES_MAX) {
        (void)fprintf(stderr, "usage: null_responder SOCKET PROCESSES\n");
        return 2;
    }
    int listener = FCGX_Init() == 0 ? FCGX_OpenSocket(argv[1], BACKLOG) : -1;
    if (listener < 0) {
        (void)fprintf(stderr, "null_responder: %s cannot be listened at\n", argv[1]);
        return 1;
    }
    for (long i = 0; i < processes; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
            return serve(listener);
        }
        if (pid < 0) {
            return 1;
        }
    }
    while (wait(NULL) > 0) {
    }
    return 1;
}
