/* Reading again and again in one state of the database: a snapshot. */
#ifndef LATCHKEY_STORE_SNAPSHOT_H
#define LATCHKEY_STORE_SNAPSHOT_H

#include "store/store.h"

/* Before a read: ends the snapshot if this request may not read on in it. */
void snapshot_check(struct store *store);

/* Before a statement reads, on an open connection: begins a snapshot if none is open and this
 * request may keep one; else does nothing. ERR_STORE. */
enum status snapshot_begin(struct store *store) MUST_USE;

/* Whether what is read now may be older than the request. */
bool snapshot_is_old(const struct store *store);

/* Ends the snapshot, if one is open. */
void snapshot_end(struct store *store);

#endif
