/* Connections that are not one whole, sound FastCGI request: all must be closed without a byte. */
#ifndef LATCHKEY_TESTS_BAD_REQUESTS_H
#define LATCHKEY_TESTS_BAD_REQUESTS_H

#include "base/buffer.h"

/* Adds the bytes of bad connection number `index`; false when there is none of that number.
 * *what says what is wrong with it. */
bool bad_request_add(struct buffer *out, size_t index, const char **what);

#endif
