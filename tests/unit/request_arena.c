#include "request_arena.h"

#include "base/arena.h"

#define ARENA_MAX_BYTES ((size_t)1024 * 1024)

int request_arena_set_up(void **state)
{
    struct arena *arena = NULL;
    enum status status = arena_new(ARENA_MAX_BYTES, &arena);
    *state = arena;
    return status == OK ? 0 : -1;
}

int request_arena_tear_down(void **state)
{
    struct arena *arena = *state;
    arena_free(&arena);
    return 0;
}
