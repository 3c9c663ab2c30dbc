#include "hex.h"

#include <stdlib.h>

#define BYTES_MAX 256
#define BUFFERS   4

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a' + 10);
    }
    abort();
}

struct text hex_bytes(const char *digits)
{
    static char buffers[BUFFERS][BYTES_MAX];
    static size_t turn;
    char *bytes = buffers[turn++ % BUFFERS];
    size_t len = 0;
    while (*digits != '\0') {
        if (*digits == ' ') {
            digits++;
            continue;
        }
        if (len == BYTES_MAX) {
            abort();
        }
        bytes[len++] = (char)(digit_of(digits[0]) << 4 | digit_of(digits[1]));
        digits += 2;
    }
    return (struct text){bytes, len};
}
