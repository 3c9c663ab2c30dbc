/* What a worker remembers of sessions and users, so that a check need not ask the database.
 *
 * It holds what was read from the stores: users, rows of sessions, and the keys of all sessions
 * that were revoked while they could still be alive. It counts only while the revocation generation
 * is the one at which it was learned; see store/revocations.h. */
#ifndef LATCHKEY_SESSION_MEMORY_H
#define LATCHKEY_SESSION_MEMORY_H

#include "crypto/token.h"
#include "store/revocations.h"

struct memory;

/* Most of what is remembered, in entries. Sessions and users beyond it take the places of others;
 * with more ended keys the memory is of no use, for all of them are needed. */
#define MEMORY_SESSIONS_MAX 4096
#define MEMORY_USERS_MAX    1024
#define MEMORY_ENDED_MAX    1000000

/* ERR_MEMORY. Close with memory_close, which wipes. */
enum status memory_open(struct memory **out) MUST_USE;
void memory_close(struct memory **memory);

/* Brings the memory up to date with the store: true when it may be used for a request that began
 * before the call. False: in doubt, or asked for the first time (as by a program that answers one
 * request), so ask the store; nothing of the memory counts until this gives true again.
 *
 * `changes` is the number that a watch of the database and the generation gave in this request, see
 * watch_count_changes; 0: they are not watched. Costs nothing when it is the one of the last time
 * that gave true, else three system calls when nothing ended since, a statement besides when
 * something did. */
bool memory_refresh(struct memory *memory, struct store *store, uint64_t changes) MUST_USE;

/* After memory_refresh gave true, in the same request: */

/* Whether the session of that key and absolute limit was revoked or, with a limit other than
 * REVOKED_BY_KEY, may have been: see revocations_has. */
bool memory_is_ended(const struct memory *memory, const uint8_t key[SESSION_KEY_BYTES],
                     int64_t expires_s) MUST_USE;

/* A row that was put before, without address, agent and user (empty texts), and with the latest
 * seen_s that was noted. `key` may be the one in *out. False: not remembered; *out untouched. */
bool memory_get_session(const struct memory *memory, enum token_kind kind,
                        const uint8_t key[SESSION_KEY_BYTES], struct session_row *out) MUST_USE;
void memory_put_session(struct memory *memory, enum token_kind kind, const struct session_row *row);
void memory_drop_session(struct memory *memory, const uint8_t key[SESSION_KEY_BYTES]);

/* The same for a user, without the hash. What cannot be remembered for want of memory is not. */
bool memory_get_user(const struct memory *memory, int64_t id, struct user *out) MUST_USE;
void memory_put_user(struct memory *memory, const struct user *user);

#endif
