/* What a session remembers, as bytes for the inside of a sealed token. For each name in order:
 *
 *   0         1           3        3+n     3+n+m bytes
 *   +---------+-----------+--------+-------+
 *   | n       | m         | name   | value |
 *   +---------+-----------+--------+-------+
 *
 * n and m are the lengths of name and value, big-endian. */
#ifndef LATCHKEY_SESSION_DATA_CODE_H
#define LATCHKEY_SESSION_DATA_CODE_H

#include "session/data.h"

#define SESSION_DATA_FRAME_BYTES 3 /* for each name, beside name and value */

/* Writes all of it. *len receives how many bytes that takes. ERR_TOO_LARGE: more than `room` (at
 * most 65535), *len says how many. */
enum status session_data_encode(const struct session_data *data, uint8_t *out, size_t room,
                                size_t *len) MUST_USE;

/* The inverse, into empty data. ERR_INPUT for whatever session_data_encode would not have made
 * (names out of order or twice, bytes left over), ERR_MEMORY; the data is empty then. */
enum status session_data_decode(struct session_data *data, const uint8_t *bytes, size_t len)
    MUST_USE;

#endif
