/* Test vectors as they stand in standards. */
#ifndef LATCHKEY_TESTS_HEX_H
#define LATCHKEY_TESTS_HEX_H

#include "base/text.h"

/* The bytes that hexadecimal digits stand for, up to 256; spaces are skipped. One of four buffers
 * used in turn. */
struct text hex_bytes(const char *digits);

#endif
