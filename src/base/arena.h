/* Memory that lives as long as a request: taken piece by piece, wiped and given back at once. */
#ifndef LATCHKEY_BASE_ARENA_H
#define LATCHKEY_BASE_ARENA_H

#include "base/text.h"

struct arena;

/* An arena that gives out up to `limit` bytes between resets, each piece counted as rounded up to
 * the alignment of max_align_t (16). ERR_MEMORY. Free with arena_free. */
enum status arena_new(size_t limit, struct arena **out) MUST_USE;

/* Wipes and frees; *arena becomes NULL. NULL is allowed. */
void arena_free(struct arena **arena);

/* Wipes everything given out and takes it back; keeps the first block for the next request. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any type, valid until reset; NULL when the limit or memory is
 * reached. A length of 0 gives a valid pointer. */
void *arena_get(struct arena *arena, size_t bytes) MUST_USE;

/* Space for `count` items of `size` bytes; NULL also when the product overflows. */
void *arena_get_array(struct arena *arena, size_t count, size_t size) MUST_USE;

/* A NUL-terminated copy of the text; NULL as above. */
char *arena_copy(struct arena *arena, struct text text) MUST_USE;

#endif
