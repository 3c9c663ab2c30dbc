/* One run of a statement of the closed set: what the other files of this folder are made of. */
#ifndef LATCHKEY_STORE_CALL_H
#define LATCHKEY_STORE_CALL_H

#include "store/statements.h"

struct call {
    struct store *store;
    enum statement which;
    struct db_statement *statement; /* borrowed from the store; bind to it */
    bool has_found;                 /* a row, so far */
};

/* Gets the statement ready, opening the database if need be. ERR_PERMISSION (logged): not of this
 * store's role. ERR_STORE, ERR_SCHEMA_OLD, ERR_SCHEMA_NEW, ERR_MEMORY. After OK, end it with
 * call_run or call_end. */
enum status call_begin(struct store *store, enum statement which, struct call *out) MUST_USE;

/* Goes to the next row: ERR_NOT_FOUND when there is none (more). That there is none at all is never
 * said of a state of the database that is older than the request. */
enum status call_next(struct call *call) MUST_USE;

/* Ends the call: lets go of everything, and after a failure gives up the transaction, if any, and
 * the connection if it is spoiled. Returns `status`; but after a write that went to a file which is
 * no longer in its place, ERR_STORE. */
enum status call_end(struct call *call, enum status status) MUST_USE;

/* Runs a statement without rows to its end, and ends the call. *changes (may be NULL) becomes the
 * number of rows inserted, changed or removed. */
enum status call_run(struct call *call, int64_t *changes) MUST_USE;

/* The same, and ERR_NOT_FOUND when no row was changed. */
enum status call_run_on_one(struct call *call) MUST_USE;

/* Copies a text column into `out` of `room` bytes, NUL included, or a blob of exactly `len` bytes.
 * False when the column holds what the schema does not allow: the file is damaged. */
bool call_get_string(struct call *call, int column, char *out, size_t room) MUST_USE;
bool call_get_bytes(struct call *call, int column, uint8_t *out, size_t len) MUST_USE;

/* Logs that a row holds what the schema does not allow, and returns ERR_STORE. */
enum status call_fault_row(struct call *call) MUST_USE;

/* A transaction of its own, unless the caller is in one already. scope_close commits or, unless
 * `status` is OK, rolls back; it returns what the whole came to. */
enum status scope_open(struct store *store, bool *own) MUST_USE;
enum status scope_close(struct store *store, bool own, enum status status) MUST_USE;

#endif
