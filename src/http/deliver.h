/* One request that the screen found complete, through libfcgi to the program and back. */
#ifndef LATCHKEY_HTTP_DELIVER_H
#define LATCHKEY_HTTP_DELIVER_H

#include <fcgiapp.h>

#include "http/exchange.h"
#include "http/screen.h"

/* Prepares libfcgi, once in a process, and its request object. From now on, large pieces of memory
 * are overwritten when they are freed, also by libraries. ERR_SYSTEM (logged). Changes the handlers
 * of SIGPIPE, SIGTERM and SIGUSR1. */
enum status deliver_init(FCGX_Request *out) MUST_USE;

/* Reads the request at *fd, a blocking descriptor on which `seen` was found complete, and answers
 * it. True: it was answered, and gone from the descriptor before that, so that the descriptor can
 * be used again. False: it is to be closed, which nothing that is left unread will turn into a
 * reset. Closes nothing, but when libfcgi and the screen disagree, then *fd becomes -1. Whatever
 * fails (logged) is left without an end, which no server takes for a grant. */
bool deliver(FCGX_Request *request, int *fd, const struct screen *seen, struct exchange *exchange);

/* Before an answer of so many bytes: a peer that does not read it must not hold the worker for
 * long. A socket from which all was taken so far takes a small one without waiting. */
void deliver_limit_wait(int fd, size_t answer_bytes);

#endif
