/* Memory that cannot be had. What is allocated inside libc for its own functions is not seen here,
 * except where it goes by malloc's name. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "interpose.h"

/* dlsym may allocate while it looks for these very functions; it can do without. */
#define INTERPOSE_ALLOCATOR(name, parameters, arguments)                                           \
    void *name parameters                                                                          \
    {                                                                                              \
        static void *(*original)parameters;                                                        \
        static int is_looking;                                                                     \
        struct fault fault = fault_ask(FAULT_##name, __builtin_return_address(0));                 \
        if (original == NULL && !is_looking) {                                                     \
            is_looking = 1;                                                                        \
            fault_find(#name, &original);                                                          \
        }                                                                                          \
        if (original == NULL || fault.how != FAULT_NONE) {                                         \
            errno = ENOMEM;                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        return original arguments;                                                                 \
    }

INTERPOSE_ALLOCATOR(malloc, (size_t bytes), (bytes))
INTERPOSE_ALLOCATOR(calloc, (size_t count, size_t bytes), (count, bytes))
INTERPOSE_ALLOCATOR(realloc, (void *old, size_t bytes), (old, bytes))

INTERPOSE(strdup, char *, NULL, strdup, (const char *text), (text))
INTERPOSE(strndup, char *, NULL, strndup, (const char *text, size_t len), (text, len))

INTERPOSE(mmap, void *, MAP_FAILED, mmap,
          (void *place, size_t len, int rights, int flags, int fd, off_t offset),
          (place, len, rights, flags, fd, offset))
INTERPOSE(mmap, void *, MAP_FAILED, mmap64,
          (void *place, size_t len, int rights, int flags, int fd, off64_t offset),
          (place, len, rights, flags, fd, offset))
INTERPOSE(mprotect, int, -1, mprotect, (void *place, size_t len, int rights), (place, len, rights))
INTERPOSE(madvise, int, -1, madvise, (void *place, size_t len, int advice), (place, len, advice))
INTERPOSE(mlock, int, -1, mlock, (const void *place, size_t len), (place, len))

void *mremap(void *place, size_t len, size_t new_len, int flags, ...)
{
    struct fault fault = fault_ask(FAULT_mremap, __builtin_return_address(0));
    void *(*original)(void *, size_t, size_t, int, ...) = NULL;
    va_list list;
    va_start(list, flags);
    void *new_place = va_arg(list, void *);
    va_end(list);
    if (fault.how != FAULT_NONE) {
        errno = fault.error;
        return MAP_FAILED;
    }
    fault_find("mremap", &original);
    return original(place, len, new_len, flags, new_place);
}
