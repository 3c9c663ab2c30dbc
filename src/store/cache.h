/* The sessions of the memory cache: a store made with store_open_cache.
 *
 * Its rows are found, touched, listed and removed with the functions of sessions.h, but are added
 * here, and without revocations, which stand in the other database. There is no end of room: what
 * is over makes room first, then what was not used for the longest time. */
#ifndef LATCHKEY_STORE_CACHE_H
#define LATCHKEY_STORE_CACHE_H

#include "store/sessions.h"

/* Adds a session, making room for it; takes row->seen_s for the present time. Nobody is asked about
 * user and revocations, which stand in the other database: whoever calls looks there afterwards,
 * and removes the row again if need be. ERR_EXISTS, ERR_STORE. Time: bounded, whatever the number
 * of sessions. */
enum status cache_add(struct store *store, const struct session_row *row) MUST_USE;

/* Makes sure that `bytes` more can be written, and what indexes need beside it: called before other
 * writes (touches, data), within their transaction. Does nothing with a store that is no cache.
 * ERR_STORE; also, logged, when it is more than half of the cache. */
enum status cache_make_room(struct store *store, int64_t now_s, uint64_t bytes) MUST_USE;

/* Removes what is over at `now_s`, up to `limit` rows (0: all, with rests between); *removed: how
 * many. Not one transaction, but many small ones. */
enum status cache_purge(struct store *store, int64_t now_s, int64_t limit, int64_t *removed)
    MUST_USE;

/* *row: the number of the session that was added last, 0: there is none. */
enum status cache_get_newest(struct store *store, int64_t *row) MUST_USE;

/* Removes the sessions of a user or, with user_id 0, all, likewise, that were added up to `newest`;
 * whoever has signed in since stays, unless the one added last has gone meanwhile, for then its
 * number is given again. */
enum status cache_remove(struct store *store, int64_t user_id, int64_t newest, int64_t *removed)
    MUST_USE;

struct cache_use {
    int64_t sessions; /* rows, those that are over among them */
    int64_t evicted;  /* sessions that were alive when they had to go, since the cache was made */
    uint64_t used_bytes, most_bytes; /* of the file; the rest of cache.size is for its log */
};

/* ERR_STORE. For `latchkey check`. */
enum status cache_get_use(struct store *store, struct cache_use *out) MUST_USE;

#endif
