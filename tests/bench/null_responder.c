/* What a gate could be at best: processes in an accept loop of the same libfcgi that pass everybody
 * and look at nothing. Usage: null_responder SOCKET PROCESSES [BYTES]
 *
 * Its numbers are the reference of those of the gate. It answers 204 as a responder and 200 as an
 * authorizer, which is what lets a request pass in each role. With BYTES it is the reference of
 * pages, and answers with one of that length. */
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
#define PAGE_MAX      65536

static int answer(FCGX_Request *request, const char *page)
{
    const char *role = FCGX_GetParam("FCGI_ROLE", request->envp);
    if (page[0] != '\0') {
        return FCGX_FPrintF(request->out,
                            "Status: 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s",
                            page);
    }
    bool is_authorizer = role != NULL && strcmp(role, "AUTHORIZER") == 0;
    return FCGX_PutS(is_authorizer ? "Status: 200 OK\r\n\r\n" : "Status: 204 No Content\r\n\r\n",
                     request->out);
}

static int serve(int listener, const char *page)
{
    FCGX_Request request;
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, listener, 0) != 0) {
        return 1;
    }
    while (FCGX_Accept_r(&request) == 0) {
        (void)answer(&request, page);
        FCGX_Finish_r(&request);
    }
    return 1;
}

int main(int argc, char **argv)
{
    static char page[PAGE_MAX + 1];
    long processes = argc == 3 || argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long bytes = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (processes < 1 || processes > PROCESSES_MAX || bytes < 0 || bytes > PAGE_MAX) {
        (void)fprintf(stderr, "usage: null_responder SOCKET PROCESSES [BYTES]\n");
        return 2;
    }
    memset(page, 'x', (size_t)bytes);
    int listener = FCGX_Init() == 0 ? FCGX_OpenSocket(argv[1], BACKLOG) : -1;
    if (listener < 0) {
        (void)fprintf(stderr, "null_responder: %s cannot be listened at\n", argv[1]);
        return 1;
    }
    for (long i = 0; i < processes; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
            return serve(listener, page);
        }
        if (pid < 0) {
            return 1;
        }
    }
    while (wait(NULL) > 0) {
    }
    return 1;
}
