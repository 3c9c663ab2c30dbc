/* What sessions remember: rows of the table `session_data`, one for each name of a session.
 *
 * Only names that were changed are written, so that two programs that change different ones of the
 * same session at the same time do not undo each other. What a name may be is said in
 * session/data.h. */
#ifndef LATCHKEY_STORE_SESSION_DATA_H
#define LATCHKEY_STORE_SESSION_DATA_H

#include "store/sessions.h"

#define SESSION_DATA_NAME_MAX 64 /* bytes */

struct session_change {
    struct text name;
    struct text value; /* without `removed` */
    bool removed;
};

/* Changes of one session, each name at most once; borrowed. */
struct session_changes {
    const struct session_change *items;
    size_t count;
};

/* Calls `each` for every name of the session in order of bytes; stops early when it returns false.
 * Texts are borrowed until it returns; the store must not be used from inside. A session that is
 * gone has none. ERR_STORE. One statement, no transaction. */
enum status session_data_list(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                              bool (*each)(void *context, struct text name, struct text value),
                              void *context) MUST_USE;

/* Makes all changes, or none. ERR_NOT_FOUND: the session is gone. ERR_TOO_LARGE: names and values
 * would be more than `limit` bytes together afterwards, and not less than before; *excess: by how
 * many. ERR_STORE. One transaction; what was answered OK is durable. */
enum status session_data_apply(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                               const struct session_changes *changes, uint64_t limit,
                               uint64_t *excess) MUST_USE;

#endif
