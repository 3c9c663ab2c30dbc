/* A web program: one handler, run as CGI or as FastCGI with worker processes.
 *
 * Descriptor 0 decides: a listening socket means FastCGI, anything else CGI. */
#ifndef LATCHKEY_HTTP_PROGRAM_H
#define LATCHKEY_HTTP_PROGRAM_H

#include "http/request.h"
#include "http/response.h"

struct http_program {
    const char *name;
    bool reads_body; /* forms are read and parsed; otherwise no byte of a body is */
    bool is_brief; /* an answer takes microseconds: one worker does what it can before others do */
    bool is_slow; /* an answer to a POST takes long, as hashing does, any other does not. As FastCGI
                   * one process more, the porter, then accepts, answers all that is no POST, lets
                   * POSTs wait in order for the workers, and answers 503, by `refuse`, when too
                   * many wait (http/porter.h) */

    /* Called once in each process that is to serve, when it has all that the ones before it made
     * and before it sees a byte of a client: to give up what serving does not need. False (logged):
     * it must not serve, and ends. NULL: nothing. */
    bool (*enter)(void *context);

    /* Answers a request by filling *response. */
    void (*handle)(void *context, const struct request *request, struct response *response);

    /* Answers a request that could not be taken, with `status`, as request_parse returned it. The
     * request holds what was known. */
    void (*refuse)(void *context, const struct request *request, int status,
                   struct response *response);

    /* Who sends a POST to a slow program: a number that stands for somebody who is known, and so
     * goes before strangers, as long as that one does not come too often (http/porter.h); 0: a
     * stranger. NULL: all are. Asked by the porter, for each: it should take microseconds. The
     * request is whole but for `fields` and `form`, which are empty. */
    uint64_t (*known_as)(void *context, const struct request *request);

    /* Does what must never stand in the way of an answer, such as writing down what the answers
     * left to be written; NULL: nothing. Called when answers were given, their connections are
     * closed and no other request is ready; in a burst of requests that does not end, one second
     * later all the same. This worker answers no request meanwhile: it should take milliseconds.
     * Returns after how many milliseconds it wants to be called again, be there requests or not,
     * but not earlier; -1: after the next answer.
     *
     * With `leaving` it is the last call, what it returns is ignored: once in each worker that
     * served, after its last answer, and as CGI after the answer was given away (see cgi.h). A
     * process that is killed leaves without it. */
    int (*tend)(void *context, bool leaving);

    /* Lets go of what is kept for the next answer, such as locks that others wait for, if by the
     * program's own measure it was kept for long enough; NULL: nothing is kept. Called whenever a
     * FastCGI worker looks for what comes next, from an answer on until it returns -1: nothing is
     * kept any more. Returns the milliseconds until it must be called again otherwise. Not called
     * when a worker leaves. */
    int (*rest)(void *context);
};

/* Whether descriptor 0 is a listening socket: FastCGI then, CGI otherwise. As CGI a program must
 * not look at its arguments, for a client makes them (RFC 3875 §4.4). */
bool program_is_fastcgi(void);

/* Makes the process safe; to be called before anything is opened or any library is used.
 * Descriptors 0 to 2 that are closed are filled, core dumps are switched off, and no privilege can
 * be gained any more. As CGI the environment, which is the request, is taken out of the way and
 * replaced by a plain PATH and LATCHKEY_CONFIG, so that no library takes orders from what a web
 * server passes on. *environment receives what was there, borrowed from the process. False: it
 * could not be done; exit. */
bool program_prepare(char ***environment) MUST_USE;

/* Serves until there is nothing left to serve (CGI: one request; FastCGI: SIGTERM, after the
 * requests at hand are answered). `workers` processes are kept alive, at least 1, and the porter of
 * a slow program; one that dies is replaced, with a growing pause when it dies at once. `context`
 * goes to the handlers; it must hold nothing that does not survive fork (such as an open database),
 * see store_open. `environment` is that of program_prepare.
 *
 * Returns the exit status of the process, in the master and in each worker: the caller cleans up
 * and exits in all of them alike. */
int program_run(const struct http_program *program, size_t workers, char **environment,
                void *context) MUST_USE;

#endif
