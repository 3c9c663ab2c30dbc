/* Reading again and again in one state of the database. */
#ifndef LATCHKEY_STORE_SNAPSHOT_H
#define LATCHKEY_STORE_SNAPSHOT_H

#include "store/store.h"

/* Before a connection is used: ends what must not be gone on with. */
void snapshot_check(struct store *store);

/* Before a statement reads: begins one, if there is none and there may be. ERR_STORE. */
enum status snapshot_begin(struct store *store) MUST_USE;

/* Whether what is read now may be older than the request. */
bool snapshot_is_old(const struct store *store);

/* Ends it, if there is one. */
void snapshot_end(struct store *store);

#endif
