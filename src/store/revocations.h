/* What has ended: written in one transaction with what it ends, announced to all programs, and read
 * by those that keep sessions and users in memory.
 *
 * A revocation names a session by its key, a user (everything bound to an earlier salt, and what is
 * known of the user), or everybody. It has a number, one more than the one before. */
#ifndef LATCHKEY_STORE_REVOCATIONS_H
#define LATCHKEY_STORE_REVOCATIONS_H

#include "store/generation.h"
#include "store/sessions.h"

/* Begins to revoke: takes the generation's lock and makes it odd, then begins a transaction. After
 * OK, and only then, end it with revocations_end. ERR_STORE, ERR_SYSTEM: nothing may be revoked
 * now, for programs could not be told. Not within another transaction. */
enum status revocations_begin(struct store *store) MUST_USE;

/* In between: adds the revocation of a session, until `until_s` at the earliest, the time from
 * which on it could not be alive; or of a user, or with user_id 0 of everybody. That of a session
 * is there once, and counted once, however often copies of its token sign out; the latest
 * `until_s` counts. ERR_STORE. */
enum status revocations_add_session(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                                    int64_t until_s) MUST_USE;
enum status revocations_add_user(struct store *store, int64_t user_id) MUST_USE;

/* Keeps the revocation of a session whatever time it gets to be: of one that may lie in another
 * store still. ERR_NOT_FOUND: there is none (more). ERR_STORE. */
enum status revocations_keep_session(struct store *store, const uint8_t key[SESSION_KEY_BYTES])
    MUST_USE;

/* Commits if `status` is OK, else rolls back; settles the generation either way, and lets go of the
 * lock. Returns what the whole came to. After OK, it holds for every request that begins later, in
 * every program. */
enum status revocations_end(struct store *store, enum status status) MUST_USE;

/* Whether the session of that key was revoked, or would end so early that it may have been
 * (`expires_s`, its absolute limit; with REVOKED_BY_KEY, only what is known for certain counts).
 * *out is true on any failure. ERR_STORE. */
#define REVOKED_BY_KEY INT64_MAX
enum status revocations_has(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                            int64_t expires_s, bool *out) MUST_USE;

/* Where the revocations stand. */
struct revocation_state {
    uint64_t sequence;   /* the number of the last one */
    uint64_t forgotten;  /* who knows less than this must forget all, for rows have been removed */
    int64_t forgotten_s; /* sessions with an absolute limit up to this may have been revoked */
};

struct revocation {
    uint64_t sequence;
    int64_t until_s;                /* its row stays at least so long */
    bool of_session;                /* else of a user, or of everybody */
    uint8_t key[SESSION_KEY_BYTES]; /* of the session */
    int64_t user_id;                /* 0: everybody */
};

/* Reads, in one statement, the state and calls `each` for every revocation with a number over
 * `known`, in order; false from it ends the reading with ERR_MEMORY. ERR_STORE. */
enum status revocations_read(struct store *store, uint64_t known, struct revocation_state *state,
                             bool (*each)(void *context, const struct revocation *revocation),
                             void *context) MUST_USE;

/* What the generation is now. ERR_NOT_FOUND: in doubt. */
enum status revocations_mark(struct store *store, struct generation_mark *out) MUST_USE;

/* Brings a generation that is in doubt in line with the database, if no one is writing it now.
 * Failing is no harm: programs go on asking the database. */
void revocations_mend(struct store *store);

/* Removes the revocations that nobody needs at `now_s`, but for the last. */
enum status revocations_purge(struct store *store, int64_t now_s) MUST_USE;

#endif
