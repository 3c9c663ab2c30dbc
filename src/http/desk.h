/* Where a worker looks at a connection and answers it. */
#ifndef LATCHKEY_HTTP_DESK_H
#define LATCHKEY_HTTP_DESK_H

#include <fcgiapp.h>

#include "http/connections.h"
#include "http/exchange.h"
#include "http/porter.h"
#include "http/screen.h"

#define DESK_BUSY 503 /* the status that answers whom there is no time for */

struct desk {
    struct exchange exchange;
    struct porter *porter; /* borrowed; NULL: all is answered here */
    size_t answers;        /* given so far, also those that were not taken */

    FCGX_Request request;             /* the rest is private to desk.c */
    char bytes[SCREEN_RAW_MAX_BYTES]; /* what was peeked, wiped after each look */
    struct screen_room room;          /* the parameters in it, likewise */
};

/* Without a porter. `program` and `context` are borrowed. ERR_MEMORY, ERR_SYSTEM (logged); close it
 * all the same. */
enum status desk_open(const struct http_program *program, void *context, struct desk *out) MUST_USE;

/* Wipes. */
void desk_close(struct desk *desk);

enum outcome {
    OUTCOME_DONE = 0,    /* answered, refused or broken: to be closed */
    OUTCOME_HANDED_OVER, /* to be closed here, and no longer watched: it lives on elsewhere */
    OUTCOME_NOTHING,     /* nothing is there yet */
    OUTCOME_WAIT,        /* something is there, and more is to come */
    OUTCOME_KEEP,        /* answered; another request may come */
};

/* Looks at what a connection holds, without waiting for more, and answers when that is a request.
 * has_ended: no more will come. Logs why a connection is refused. */
enum outcome desk_attend(struct desk *desk, struct connection *connection, bool has_ended) MUST_USE;

#endif
