/* Locks between programs, which end with whoever holds them. */
#ifndef LATCHKEY_BASE_LOCK_H
#define LATCHKEY_BASE_LOCK_H

#include <stdbool.h>

#include "base/status.h"

/* Locks an open file or folder against everybody else who locks it (flock), waiting up to limit_ms,
 * without an end when that is negative. False: errno tells why, EWOULDBLOCK when somebody else
 * holds it. */
bool lock_within(int descriptor, int limit_ms) MUST_USE;

/* Locks the folder that `path` lies in against everybody else who locks it so, waiting up to
 * limit_ms, without an end when that is negative. Closing *descriptor, or the end of the process,
 * ends the lock; a child that was forked meanwhile holds it as well. The file need not exist.
 * ERR_NOT_FOUND (no such folder), ERR_SYSTEM (among others: not within the limit), both logged;
 * *descriptor is untouched. */
enum status lock_folder(const char *path, int limit_ms, int *descriptor) MUST_USE;

#endif
