/* What a session remembers, in rows beside the session's own. */
#ifndef LATCHKEY_SESSION_DATA_ROWS_H
#define LATCHKEY_SESSION_DATA_ROWS_H

#include "session/data.h"

/* Reads the rows of a session into empty data. ERR_STORE, ERR_MEMORY; the data is empty then. */
enum status session_data_load(struct session_data *data, struct store *store,
                              const uint8_t key[SESSION_KEY_BYTES]) MUST_USE;

/* Writes what was changed, and nothing else, as session_data_apply does, and keeps it. The failures
 * are its own and ERR_MEMORY; the data is untouched then. */
enum status session_data_save(struct session_data *data, struct store *store,
                              const uint8_t key[SESSION_KEY_BYTES], uint64_t limit,
                              uint64_t *excess) MUST_USE;

#endif
