/* The database of users and sessions: opened when first needed, given up on any fault and opened
 * again at the next request, so that it may come back without a restart of anything. */
#ifndef LATCHKEY_STORE_STORE_H
#define LATCHKEY_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/status.h"

struct store;

/* Who uses the store. Each statement names the roles that may run it; one that is run in another
 * role fails with ERR_PERMISSION (logged) before SQLite sees it, and SQLite's authorizer refuses
 * the same by table and column as a second layer: the gate can read no hash and write no user. */
enum store_role {
    STORE_ROLE_GATE,  /* finds and touches sessions */
    STORE_ROLE_LOGIN, /* also reads users and hashes, renews a hash, adds, ends, purges, and carries
                         what sessions remember */
    STORE_ROLE_LOGOUT,  /* finds, touches and ends sessions */
    STORE_ROLE_ACCOUNT, /* all of the login's, sets a user's password and salt, lists and ends
                           sessions, reads the audit log */
    STORE_ROLE_APP,     /* finds and touches sessions, reads and writes what they remember */
    STORE_ROLE_ADMIN,   /* everything: the command line */
};

/* A store for the SQLite file `path`, which is not touched yet: a store that was never used may
 * cross fork, as may one after store_disconnect. Revocations are announced in the file `generation`
 * (store/generation.h); NULL only where nothing can be revoked or nothing runs. ERR_MEMORY. Close
 * with store_close. */
enum status store_open(const char *path, const char *generation, enum store_role role,
                       struct store **out) MUST_USE;
void store_close(struct store **store);

/* The same for the memory cache of sessions, a second database that holds no users. The file is
 * made (mode 0600) when it is first used and is missing, and made anew, with a line in the log,
 * when it is damaged, of another schema, of another program or larger than `size_bytes`, which
 * bounds the file and the log beside it; a database of users is never touched. See store/cache.h.
 */
enum status store_open_cache(const char *path, uint64_t size_bytes, enum store_role role,
                             struct store **out) MUST_USE;

/* Makes sure that the store is connected to the file that its path names now, as everything does
 * that reads or writes; to know whether that can be done. ERR_STORE, ERR_SCHEMA_OLD,
 * ERR_SCHEMA_NEW, ERR_PERMISSION: logged with what to do (`latchkey init`, `latchkey migrate`, a
 * newer program, chmod). */
enum status store_connect(struct store *store) MUST_USE;

/* Says what number a watch of the file gave in this request (watch_count_changes), until 0 is said:
 * while it is the one at which the file was last found in its place, reads do not look again.
 * Whatever begins to write always looks. Begins a request: takes back store_reuse, and what is kept
 * from before counts as old. */
void store_watch(struct store *store, uint64_t changes);

/* After store_watch, when all that was revoked up to that number is known: reads of this request
 * may go on in the state that an earlier one of the same number read. Whoever allows that calls
 * store_rest before the program waits. */
void store_reuse(struct store *store);

/* Lets go of the kept state if it is older than this request. True: it was, and what is read anew
 * may differ; false: what was read is not older than the request. */
bool store_renew(struct store *store) MUST_USE;

/* Lets go of the state that is kept for the next request when its time, 28 ms at most, is up.
 * Returns the milliseconds until it must be called again, -1: none is kept. */
int store_rest(struct store *store) MUST_USE;

/* Lets go of it at once. */
void store_let_go(struct store *store);

/* Closes the connection, which rolls back what was not committed; the next call opens another. A
 * store without a connection may cross fork: SQLite's locks would not. */
void store_disconnect(struct store *store);

/* Makes the file (mode 0600) when it is missing, and applies the schema's steps that it has not
 * yet, each in a transaction with its number. *from and *to receive the schema's number before and
 * after. ERR_STORE, ERR_SCHEMA_NEW. */
enum status store_migrate(struct store *store, int *from, int *to) MUST_USE;

/* Whether the database's structure is sound (PRAGMA quick_check and foreign_key_check); ERR_STORE,
 * logged, when it is not. For `latchkey check`. */
enum status store_verify(struct store *store) MUST_USE;

/* A transaction around several calls; taken for writing at once (BEGIN IMMEDIATE). Between begin
 * and commit or rollback, any call that fails with ERR_STORE has rolled it back already. */
enum status store_begin(struct store *store) MUST_USE;
/* The same, but ERR_BUSY (not logged) when another program is writing now. */
enum status store_try_begin(struct store *store) MUST_USE;
enum status store_commit(struct store *store) MUST_USE;
/* Commits if `status` is OK, else rolls back; what the whole came to. */
enum status store_end(struct store *store, enum status status) MUST_USE;
void store_rollback(struct store *store);

/* Writes a consistent copy of the database to the new file `path`, mode 0600, while programs run.
 * ERR_EXISTS, ERR_STORE, ERR_SYSTEM. */
enum status store_backup(struct store *store, const char *path) MUST_USE;

/* *exists: whether there is a file at the path; nothing is opened, and none made. ERR_STORE
 * (logged): that cannot be told. */
enum status store_exists(const struct store *store, bool *exists) MUST_USE;

/* The stat of the file that the path leads to, or zeros. */
void store_stat(const struct store *store, struct stat *out);

/* The newest schema number that this program knows. */
int store_schema_number(void);

#endif
