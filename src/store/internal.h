/* What the files of this folder share about a store. Nothing outside includes it. */
#ifndef LATCHKEY_STORE_INTERNAL_H
#define LATCHKEY_STORE_INTERNAL_H

#include "store/sessions.h"
#include "store/statements.h"

/* See store/snapshot.h. */
struct snapshot {
    bool is_open;
    bool is_old;      /* store_watch was called since it was begun */
    uint64_t changes; /* at which it was begun */
    int64_t turn;     /* of the monotonic clock, in which it was begun */
};

struct store {
    char *path;
    enum store_role role;
    uint64_t cache_bytes;                        /* its size when it is a cache, else 0 */
    struct db *db;                               /* NULL until needed, and after a fault */
    struct db_statement *statements[STATEMENTS]; /* prepared when first needed */
    uint64_t changes, looked; /* see store_watch: the present number, and that of the last look */
    bool reuses;              /* see store_reuse */
    struct snapshot snapshot;
    unsigned calls;                /* begun and not ended: the connection must stay */
    struct generation *generation; /* NULL: nobody is to be told of revocations */
};

/* Binds a key to the parameters 1 and 2: the number of its row, and the rest of it. */
void session_key_bind(struct db_statement *statement, const uint8_t key[SESSION_KEY_BYTES]);

/* Binds a row to the parameters 1 to 11 of a statement that adds one. */
void session_row_bind(struct db_statement *statement, const struct session_row *row);

/* Reads the first USER_COLUMNS columns that the statements which find users give, without `secrets`
 * no salt, as for lists that people see. False: see call_get_string. */
#define USER_COLUMNS 10
struct call;
bool user_read(struct call *call, struct user *out, bool secrets) MUST_USE;

/* Gives a user a salt that was never used, and does nothing else that has to go with it: its
 * sessions' rows and the revocation are the caller's. ERR_NOT_FOUND, ERR_STORE, ERR_CRYPTO. */
enum status user_put_salt(struct store *store, int64_t id) MUST_USE;

/* Sets a password, within a revocation that was begun: the hash, a new salt, the sessions' rows as
 * far as one step goes, and no link that would set another. End it with user_end_renewal, which
 * commits if `status` is OK, and removes the rows that are left. *ended counts the rows.
 * ERR_NOT_FOUND, ERR_STORE, ERR_CRYPTO. */
enum status user_put_password(struct store *store, int64_t id, const char *hash, int64_t now_s,
                              int64_t *ended) MUST_USE;
/* Within a revocation: what ends with a password or at a lock, the link and, by a new salt, all
 * sessions. */
enum status user_end_credentials(struct store *store, int64_t id, int64_t *ended) MUST_USE;
enum status user_end_renewal(struct store *store, int64_t id, enum status status, int64_t *ended)
    MUST_USE;

/* To be called with what a use of the connection came to. A failure other than ERR_NOT_FOUND,
 * ERR_EXISTS and ERR_BUSY is rolled back, a damaged cache is discarded, and a spoiled connection is
 * closed. Returns `status`, but ERR_STORE (logged) for ERR_TOO_LARGE of a cache. */
enum status store_settle(struct store *store, enum status status) MUST_USE;

#endif
