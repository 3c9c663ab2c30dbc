/* What every token begins with. For token*.c only.
 *
 *   0        1      2         6 bytes
 *   +--------+------+---------+
 *   | version| kind | key id  |
 *   +--------+------+---------+ */
#ifndef LATCHKEY_CRYPTO_TOKEN_HEADER_H
#define LATCHKEY_CRYPTO_TOKEN_HEADER_H

#include "crypto/token.h"

#define TOKEN_HEADER_BYTES 6

/* Writes the header with the id of the newest secret; *key receives that secret's key for tokens of
 * this kind, borrowed from the keyring. ERR_NOT_FOUND: no key. */
enum status token_header_write(const struct keyring *keyring, enum token_kind kind,
                               uint8_t out[TOKEN_HEADER_BYTES], const uint8_t **key) MUST_USE;

/* Reads what token_header_write wrote: the kind, and in *key the key, borrowed. TOKEN_NONE, *key
 * untouched, for another version, a kind that there is not, and a secret that is not there (any
 * more). Nothing of it is to be believed before a tag over it was compared. */
enum token_kind token_header_read(const struct keyring *keyring,
                                  const uint8_t bytes[TOKEN_HEADER_BYTES], const uint8_t **key)
    MUST_USE;

#endif
