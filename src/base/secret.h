/* The one home for wiping and for comparing secrets. */
#ifndef LATCHKEY_BASE_SECRET_H
#define LATCHKEY_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites memory with zeros in a way that the compiler keeps. NULL with len 0 is allowed. */
void secret_wipe(void *memory, size_t len);

/* Whether two runs of `len` bytes are equal. Time depends on len only. */
bool secret_is_equal(const void *a, const void *b, size_t len);

/* Keeps the memory of this process, and of what it starts, out of core dumps, as far as the kernel
 * lets it. */
void secret_forbid_dumps(void);

#endif
