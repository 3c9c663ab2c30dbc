/* Numbers as bytes, written by shifts, so that the machine's own order does not matter. */
#include "base/bytes.h"

void bytes_put_number(uint8_t *out, uint64_t number, size_t len)
{
    for (size_t i = len; i > 0; i--) {
        out[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

uint64_t bytes_get_number(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}
