/* Random bytes from the kernel. */
#ifndef LATCHKEY_CRYPTO_RANDOM_H
#define LATCHKEY_CRYPTO_RANDOM_H

#include <stddef.h>

#include "base/status.h"

/* Fills memory from getrandom(2). ERR_CRYPTO (logged); the memory is zeroed then. */
enum status random_fill(void *out, size_t len) MUST_USE;

#endif
