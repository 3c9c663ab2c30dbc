/* Memory for one request.
 *
 * Blocks in a list, newest first; the oldest is made with the arena and stays, so that an ordinary
 * request asks malloc for nothing:
 *
 *     arena -> block (newest) -> ... -> block (first) -> NULL
 *              | header | given out, `used` | zeros, up to `size` |
 *
 * Invariants: what lies behind `used` is zero (a block comes from calloc, and reset wipes what was
 * given out), so that a piece needs no clearing; `used` and `size` are multiples of the strictest
 * alignment; the pieces given out never exceed `limit`, which keeps all blocks together below about
 * twice the limit and one block.
 *
 * What it does not do: find a write past the end of a piece into the next one. */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define BLOCK_BYTES ((size_t)16 * 1024)
#define ALIGNMENT   _Alignof(max_align_t)

struct block {
    struct block *next; /* the one made before; NULL in the first */
    size_t size;        /* bytes of data */
    size_t used;        /* bytes given out */
    max_align_t data[];
};

struct arena {
    struct block *newest; /* owned, never NULL */
    size_t limit;
    size_t given; /* bytes since the last reset, at most limit */
};

/* Callers keep `bytes` below SIZE_MAX - ALIGNMENT. */
static size_t round_up(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block)) {
        return NULL;
    }
    struct block *block = calloc(1, sizeof *block + size);
    if (block != NULL) {
        block->size = size;
    }
    return block;
}

static void block_wipe(struct block *block)
{
    secret_wipe(block->data, block->used);
    block->used = 0;
}

enum status arena_new(size_t limit, struct arena **out)
{
    struct arena *arena = malloc(sizeof *arena);
    struct block *block = block_new(limit < BLOCK_BYTES ? round_up(limit) : BLOCK_BYTES);
    if (arena == NULL || block == NULL) {
        free(arena);
        free(block);
        return ERR_MEMORY;
    }
    *arena = (struct arena){.newest = block, .limit = limit};
    *out = arena;
    return OK;
}

void arena_free(struct arena **arena)
{
    if (arena == NULL || *arena == NULL) {
        return;
    }
    arena_reset(*arena);
    free((*arena)->newest);
    free(*arena);
    *arena = NULL;
}

void arena_reset(struct arena *arena)
{
    while (arena->newest->next != NULL) {
        struct block *block = arena->newest;
        arena->newest = block->next;
        block_wipe(block);
        free(block);
    }
    block_wipe(arena->newest);
    arena->given = 0;
}

void *arena_get(struct arena *arena, size_t bytes)
{
    size_t left = arena->limit - arena->given;
    if (bytes > left || bytes > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size_t rounded = round_up(bytes);
    if (rounded > arena->newest->size - arena->newest->used) {
        struct block *block = block_new(rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
        if (block == NULL) {
            return NULL;
        }
        block->next = arena->newest;
        arena->newest = block;
    }
    void *piece = (char *)arena->newest->data + arena->newest->used;
    arena->newest->used += rounded;
    arena->given += rounded < left ? rounded : left;
    return piece;
}

void *arena_get_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return arena_get(arena, count * size);
}

char *arena_copy(struct arena *arena, struct text text)
{
    if (text.len == SIZE_MAX) {
        return NULL;
    }
    char *copy = arena_get(arena, text.len + 1);
    if (copy != NULL && text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    return copy;
}
