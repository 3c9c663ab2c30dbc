/* Numbers as bytes, in the order of the network: in tokens, and in what is sealed into them. */
#ifndef LATCHKEY_BASE_BYTES_H
#define LATCHKEY_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Writes the lowest `len` bytes of a number, at most 8, big-endian; and reads what that wrote. */
void bytes_put_number(uint8_t *out, uint64_t number, size_t len);
uint64_t bytes_get_number(const uint8_t *bytes, size_t len);

#endif
