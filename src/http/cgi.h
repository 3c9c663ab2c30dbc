/* One request as CGI/1.1 hands it over: environment, standard input, standard output. */
#ifndef LATCHKEY_HTTP_CGI_H
#define LATCHKEY_HTTP_CGI_H

#include "http/program.h"

#define CGI_DEADLINE_MS 10000 /* for the whole body */

/* Answers the request that `environment` is, a list as `environ`. Returns an exit status: 0 when
 * something was answered.
 *
 * The program tends after standard output was given up, and SIGTERM is ignored from there on.
 * lighttpd has passed the whole answer on by then. Apache and fcgiwrap have passed on its bytes or
 * hold them, and wait for the end of standard error, which stays open for the log. */
int cgi_serve(const struct http_program *program, char *const *environment, void *context) MUST_USE;

#endif
