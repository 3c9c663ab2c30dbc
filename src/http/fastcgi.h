/* A FastCGI worker: many connections waited for, one request answered at a time. */
#ifndef LATCHKEY_HTTP_FASTCGI_H
#define LATCHKEY_HTTP_FASTCGI_H

#include "http/program.h"

/* Serves the listening socket until one of the stop signals (prefork_stop_signals, which must be
 * blocked) comes; then accepts nothing more, answers what is pending until the deadlines, and
 * returns 0. Returns 1 when it cannot serve (logged). The socket becomes non-blocking. */
int fastcgi_serve(const struct http_program *program, void *context, int listener) MUST_USE;

#endif
