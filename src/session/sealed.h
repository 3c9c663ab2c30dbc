/* A session in the body of a sealed token, and back.
 *
 *   0         8       40        48     56       64         65
 *   +---------+-------+---------+------+---------+----------+---------------
 *   | user id | salt  | created | idle | expires | remember | data, if any
 *   +---------+-------+---------+------+---------+----------+---------------
 *
 * Numbers big-endian. The time of last use is the token's time of issue. */
#ifndef LATCHKEY_SESSION_SEALED_H
#define LATCHKEY_SESSION_SEALED_H

#include "crypto/token.h"
#include "store/sessions.h"

#define SEALED_FIXED_BYTES 65

/* Writes the body of *token from the row and the data, encoded as in session/data_code.h.
 * ERR_TOO_LARGE: more data than a token holds; the token is as it was. */
enum status sealed_pack(const struct session_row *row, struct text data, struct token *token)
    MUST_USE;

/* Reads the body; row->key is left alone, address and agent are emptied. ERR_INPUT: not a body that
 * sealed_pack writes, though it was sealed by us; *row is untouched then. */
enum status sealed_unpack(const struct token *token, struct session_row *row) MUST_USE;

/* The data, borrowed from the token. */
struct text sealed_data(const struct token *token);

#endif
