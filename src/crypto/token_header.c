/* The first bytes of a token: which format, which kind, whose key.
 *
 * They are in clear and choose how the rest is checked, so they choose among few fixed things: one
 * version, one key purpose for each kind, one secret for each key id. A key of plain tokens never
 * opens a sealed one, nor the other way round. A key id that the file does not hold is refused
 * without trying other keys. The header is under the tag in all kinds: changing the kind changes
 * what the tag must be. */
#include "crypto/token_header.h"

#include "base/bytes.h"

#define VERSION 1

enum { AT_VERSION = 0, AT_KIND = 1, AT_KEY_ID = 2 };

static enum key_purpose purpose_of(enum token_kind kind)
{
    return kind == TOKEN_SEALED ? KEY_SEAL : KEY_TOKEN;
}

static enum token_kind kind_of(uint8_t byte)
{
    static const enum token_kind kinds[] = {TOKEN_ANONYMOUS, TOKEN_STORED, TOKEN_CACHED,
                                            TOKEN_SEALED, TOKEN_DEVICE};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (byte == (uint8_t)kinds[i]) {
            return kinds[i];
        }
    }
    return TOKEN_NONE;
}

enum status token_header_write(const struct keyring *keyring, enum token_kind kind,
                               uint8_t out[TOKEN_HEADER_BYTES], const uint8_t **key)
{
    uint32_t key_id = 0;
    enum status status = keyring_get_current(keyring, &key_id);
    if (status != OK) {
        return status;
    }
    const uint8_t *found = keyring_get_key(keyring, key_id, purpose_of(kind));
    if (found == NULL) {
        return ERR_NOT_FOUND;
    }
    out[AT_VERSION] = VERSION;
    out[AT_KIND] = (uint8_t)kind;
    bytes_put_number(out + AT_KEY_ID, key_id, TOKEN_HEADER_BYTES - AT_KEY_ID);
    *key = found;
    return OK;
}

enum token_kind token_header_read(const struct keyring *keyring,
                                  const uint8_t bytes[TOKEN_HEADER_BYTES], const uint8_t **key)
{
    enum token_kind kind = kind_of(bytes[AT_KIND]);
    if (bytes[AT_VERSION] != VERSION || kind == TOKEN_NONE) {
        return TOKEN_NONE;
    }
    uint64_t key_id = bytes_get_number(bytes + AT_KEY_ID, TOKEN_HEADER_BYTES - AT_KEY_ID);
    const uint8_t *found = keyring_get_key(keyring, (uint32_t)key_id, purpose_of(kind));
    if (found == NULL) {
        return TOKEN_NONE;
    }
    *key = found;
    return kind;
}
