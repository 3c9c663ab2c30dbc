/* A master process that keeps worker processes alive. */
#ifndef LATCHKEY_HTTP_PREFORK_H
#define LATCHKEY_HTTP_PREFORK_H

#include <signal.h>
#include <stddef.h>

#include "base/status.h"

/* How long workers may take to stop before they are killed: a worker's deadline and a margin. */
#define PREFORK_STOP_MS 15000

/* The signals that ask a program to finish: TERM, INT, HUP, and USR1 as FastCGI process managers
 * send it. */
void prefork_stop_signals(sigset_t *out);

/* Keeps `count` (at least 1) children alive, each running serve(argument, number), with numbers
 * from 0 on and the stop signals blocked, until one of these arrives; then passes it on as SIGTERM
 * and waits. A child that dies is replaced by one with its number; one that dies young after a
 * pause that doubles each time.
 *
 * Returns in the master, and in each child with the result of `serve`: the caller does the same in
 * both, it cleans up and exits. The result is an exit status. The stop signals stay blocked. */
int prefork_run(size_t count, int (*serve)(void *argument, size_t number), void *argument) MUST_USE;

#endif
