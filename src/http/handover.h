/* Two lines in which connections wait between the process that accepts them and the workers. */
#ifndef LATCHKEY_HTTP_HANDOVER_H
#define LATCHKEY_HTTP_HANDOVER_H

#include <stddef.h>

#include "base/status.h"

enum handover_line { HANDOVER_KNOWN, HANDOVER_STRANGERS };
#define HANDOVER_LINES 2

/* So many known ones are taken before a stranger who waits. */
#define HANDOVER_KNOWN_IN_A_ROW 3

struct handover {
    int in[HANDOVER_LINES], out[HANDOVER_LINES]; /* owned; what is read of `out` came by `in` */
};

/* To be opened before the processes are forked. They share the lines, and whoever of them dies
 * takes nothing from there. ERR_SYSTEM (logged). Close with handover_close, also after a failure:
 * each process its own descriptors. */
enum status handover_open(struct handover *out) MUST_USE;
void handover_close(struct handover *handover);

/* Puts a connection at the end of a line, without waiting. The caller closes fd, as it would
 * otherwise; the connection lives on in the line. ERR_SYSTEM (logged): there is no room. */
enum status handover_put(const struct handover *handover, enum handover_line line, int fd) MUST_USE;

/* Takes the first of a line that has one, without waiting: of the known ones, or of the strangers
 * after HANDOVER_KNOWN_IN_A_ROW known ones. *known_in_a_row counts these for the process, and is 0
 * at first. *fd, on OK only, is the caller's, closed on exec. ERR_NOT_FOUND: nobody waits.
 * ERR_MEMORY (logged): there was no descriptor left, and the connection is lost. ERR_SYSTEM
 * (logged): the lines are of no use. */
enum status handover_take(const struct handover *handover, size_t *known_in_a_row, int *fd)
    MUST_USE;

/* How many wait in a line now. */
size_t handover_count(const struct handover *handover, enum handover_line line);

#endif
