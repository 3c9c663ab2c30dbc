/* A FastCGI worker: many connections waited for, one request answered at a time. */
#ifndef LATCHKEY_HTTP_FASTCGI_H
#define LATCHKEY_HTTP_FASTCGI_H

#include <stdatomic.h>

#include "http/handover.h"
#include "http/program.h"

#define FASTCGI_PORTER_LEFT (-1) /* nobody is handed over any more, unless a next porter comes */

/* What the workers of a program know of each other, in memory that they share; all zero at first.
 */
struct fastcgi_crew {
    atomic_bool is_first_away;      /* the one that is no helper does something else than answer */
    atomic_int porter;              /* 0: none yet; its process id; FASTCGI_PORTER_LEFT */
    atomic_bool is_porter_stopping; /* it was told to */
};

/* What one process does among the others of its program. */
struct fastcgi_duty {
    int listener;                    /* borrowed; shared with the others; becomes non-blocking */
    const struct handover *handover; /* borrowed; NULL: each worker accepts for itself */
    bool is_porter;                  /* accepts for the others, who take from `handover` */
    bool is_helper;                  /* exactly one process must be none, and it no porter */
};

/* Serves the listening socket until one of the stop signals (prefork_stop_signals, which must be
 * blocked) comes; then accepts nothing more, answers what is pending until the deadlines, and
 * returns 0. Returns 1 when it cannot serve (logged). `crew` (borrowed) is in memory that all
 * processes share. A helper of a program whose answers are brief leaves the socket alone for 20 ms
 * when it has helped and nobody waits any more.
 *
 * Who takes over from a porter goes on, when it is to stop, until he has left, or died, and nobody
 * waits any more: 8 s later it refuses with 503 who still does, 12 s later it leaves in any case.
 * When the porter is not told to stop within 2 s, it alone is meant: it leaves, and who waits is
 * for the others. */
int fastcgi_serve(const struct http_program *program, void *context,
                  const struct fastcgi_duty *duty, struct fastcgi_crew *crew) MUST_USE;

#endif
