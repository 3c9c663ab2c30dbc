/* A FastCGI worker: many connections waited for, one request answered at a time. */
#ifndef LATCHKEY_HTTP_FASTCGI_H
#define LATCHKEY_HTTP_FASTCGI_H

#include <stdatomic.h>

#include "http/program.h"

/* What the workers of a program know of each other, in memory that they share; all zero at first.
 */
struct fastcgi_crew {
    atomic_bool is_first_away; /* the one that is no helper does something else than answer */
};

/* Serves the listening socket, which it shares with the other workers, until one of the stop
 * signals (prefork_stop_signals, which must be blocked) comes; then accepts nothing more, answers
 * what is pending until the deadlines, and returns 0. Returns 1 when it cannot serve (logged). The
 * socket becomes non-blocking. `crew` (borrowed) is in memory that all workers share. A helper of a
 * program whose answers are brief leaves the socket alone for 20 ms when it has helped and nobody
 * waits any more; exactly one worker must be no helper. */
int fastcgi_serve(const struct http_program *program, void *context, int listener,
                  struct fastcgi_crew *crew, bool is_helper) MUST_USE;

#endif
