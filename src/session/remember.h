/* What a session remembers, wherever it is kept: in rows beside the session's own, or in the body
 * of a sealed token. */
#ifndef LATCHKEY_SESSION_REMEMBER_H
#define LATCHKEY_SESSION_REMEMBER_H

#include "session/data.h"
#include "session/session.h"

/* Bytes that session_data_encode may use in a sealed token of `text_len` characters; 0: none. */
size_t remember_room(size_t text_len);

/* Reads into empty data what the session of a verified token remembers. ERR_STORE, ERR_MEMORY. */
enum status remember_read(const struct sessions *sessions, const struct token *token,
                          const struct session_row *row, struct session_data *data) MUST_USE;

/* Saves what was changed into the rows of a session whose token is not sealed, all or nothing, and
 * keeps it. ERR_TOO_LARGE: over session.data_limit; *excess says by how many bytes; ERR_NOT_FOUND:
 * the session is gone; ERR_STORE, ERR_MEMORY; the data is as before. */
enum status remember_save(const struct sessions *sessions, const struct token *token,
                          const struct session_row *row, struct session_data *data,
                          uint64_t *excess) MUST_USE;

/* Puts all data into the body of a sealed token. It is saved when the browser has the token.
 * ERR_TOO_LARGE: more than `room` bytes (see remember_room); *excess says by how many; the token is
 * as before. */
enum status remember_seal(const struct session_row *row, const struct session_data *data,
                          size_t room, struct token *token, uint64_t *excess) MUST_USE;

/* Gives the rows of a session, or the token of one that is sealed, all data that another session of
 * the same kind remembered, and nothing else. ERR_TOO_LARGE: more than a sealed token holds;
 * ERR_STORE, ERR_MEMORY; *token is as before. */
enum status remember_hand_on(const struct sessions *sessions, const struct session_data *data,
                             const struct session_row *row, struct token *token) MUST_USE;

/* Gives the token `fresh`, or the rows of its kind, what the session remembers under `token` and
 * nothing else, when it is renewed or exchanged for another kind. ERR_TOO_LARGE: more than a sealed
 * token holds; ERR_STORE, ERR_MEMORY; *fresh is as before. */
enum status remember_carry(const struct sessions *sessions, const struct token *token,
                           const struct session_row *row, struct token *fresh) MUST_USE;

#endif
