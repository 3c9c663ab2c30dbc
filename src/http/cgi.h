/* One request as CGI/1.1 hands it over: environment, standard input, standard output. */
#ifndef LATCHKEY_HTTP_CGI_H
#define LATCHKEY_HTTP_CGI_H

#include "http/program.h"

#define CGI_DEADLINE_MS 10000 /* for the whole body */

/* Answers the request in the environment, which is emptied but for a plain PATH before the program
 * sees it. Returns an exit status: 0 when something was answered. */
int cgi_serve(const struct http_program *program, void *context) MUST_USE;

#endif
