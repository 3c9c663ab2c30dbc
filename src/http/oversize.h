/* A request that is well-formed but too large: read, thrown away, and answered with 413. */
#ifndef LATCHKEY_HTTP_OVERSIZE_H
#define LATCHKEY_HTTP_OVERSIZE_H

#include "http/exchange.h"
#include "http/screen.h"

#define OVERSIZE_MAX_BYTES ((size_t)1024 * 1024) /* more is not read: the connection is closed */

struct oversize;

/* `seen` and `params` as screen_look left them, nothing of the connection read yet. ERR_MEMORY. */
enum status oversize_new(const struct screen *seen, const char *params, struct oversize **out)
    MUST_USE;

/* Wipes and frees; *oversize becomes NULL. NULL is allowed. */
void oversize_free(struct oversize **oversize);

/* Reads and drops what has come, without waiting. INCOMPLETE: more is to come; COMPLETE: it may be
 * answered; MALFORMED: it is broken, cut off or over OVERSIZE_MAX_BYTES, and must be closed without
 * an answer. `scratch` is room for `room` bytes. */
enum screen_verdict oversize_drop(struct oversize *oversize, int fd, char *scratch, size_t room);

/* Answers on fd, a blocking descriptor. Failures are logged and leave the answer without an end. */
void oversize_answer(const struct oversize *oversize, int fd, struct exchange *exchange);

#endif
