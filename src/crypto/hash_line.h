/* The line in which all programs of an installation wait to hash a password: so many at once on the
 * whole machine, the others in the order in which they came, and not too many of them.
 *
 * Held with locks on one small file in the run directory, which the kernel lets go of when a
 * program dies. */
#ifndef LATCHKEY_CRYPTO_HASH_LINE_H
#define LATCHKEY_CRYPTO_HASH_LINE_H

#include <stdint.h>

#include "base/status.h"

#define HASH_LINE_WAITING_MAX 64    /* who comes when so many wait is sent away */
#define HASH_LINE_WAIT_MS     10000 /* who has waited so long, too */

struct hash_line;

/* For the file `path`, made with mode 0600 when it is first needed; `at_once` hashes. ERR_MEMORY.
 * Nothing is opened before hash_line_enter or after hash_line_leave, so it may cross fork between
 * them. Close with hash_line_close; NULL in *line is allowed there. */
enum status hash_line_open(const char *path, uint64_t at_once, struct hash_line **out) MUST_USE;
void hash_line_close(struct hash_line **line);

/* Another patience than HASH_LINE_WAIT_MS. */
void hash_line_limit_wait(struct hash_line *line, int64_t wait_ms);

/* Waits for a place, no longer than the patience, whatever others do. ERR_BUSY (not logged): too
 * many wait, or for too long; ERR_SYSTEM (logged with the remedy): it cannot be told, as when the
 * folder of the file is not there. After OK, and only then, end it with hash_line_leave; the end of
 * the process does that as well. Not to be called again before, nor by two threads for one line. */
enum status hash_line_enter(struct hash_line *line) MUST_USE;
void hash_line_leave(struct hash_line *line);

#endif
