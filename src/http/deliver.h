/* One request that the screen found complete, through libfcgi to the program and back. */
#ifndef LATCHKEY_HTTP_DELIVER_H
#define LATCHKEY_HTTP_DELIVER_H

#include <fcgiapp.h>

#include "http/exchange.h"
#include "http/screen.h"

/* Prepares libfcgi, once in a process, and its request object. With `wipes_memory`, large pieces of
 * memory are overwritten when they are freed from now on, also by libraries. ERR_SYSTEM (logged).
 * Changes the handlers of SIGPIPE, SIGTERM and SIGUSR1. */
enum status deliver_init(bool wipes_memory, FCGX_Request *out) MUST_USE;

/* Reads the request at *fd, a blocking descriptor on which `seen` was found complete, answers it,
 * and leaves nothing unread. Closes nothing, but when libfcgi and the screen disagree, then *fd
 * becomes -1. Whatever fails (logged) is left without an end, which no server takes for a grant. */
void deliver(FCGX_Request *request, int *fd, const struct screen *seen, struct exchange *exchange);

#endif
