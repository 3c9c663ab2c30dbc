/* The one home for wiping and for comparing secrets, and for keeping them where they belong. */
#ifndef LATCHKEY_BASE_SECRET_H
#define LATCHKEY_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Overwrites memory with zeros in a way that the compiler keeps. NULL with len 0 is allowed. */
void secret_wipe(void *memory, size_t len);

/* Whether two runs of `len` bytes are equal. Time depends on len only. */
bool secret_is_equal(const void *a, const void *b, size_t len);

/* Zeroed memory for secrets that stay for as long as a program runs: pages of their own, which no
 * core dump shows, and which are locked (secret_pin). NULL: there is none. Free with secret_free,
 * which wipes; NULL is allowed there. */
void *secret_new(size_t len) MUST_USE;
void secret_free(void *memory, size_t len);

/* Keeps such memory from being swapped out, as far as limits let it. Of pages that processes share
 * since a fork that is true as long as one of them has pinned them; who writes there has a copy of
 * his own then, and pins it. */
void secret_pin(const void *memory, size_t len);

/* Keeps the memory of this process, and of what it starts, out of core dumps, as far as the kernel
 * lets it. */
void secret_forbid_dumps(void);

#endif
