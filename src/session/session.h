/* Sessions: who is signed in, since when, until when; kept by one of three stores.
 *
 * A session begins with a token of a fresh id, whose SHA-256 is its key; it keeps both when its
 * token is renewed or exchanged. It is alive while
 *   - it is neither idle nor old, by its limits and this clock,
 *   - its salt is its user's present one, and the user is not locked,
 *   - it was not revoked.
 * All three hold for all stores. A revocation that was answered holds for every request that begins
 * later. */
#ifndef LATCHKEY_SESSION_SESSION_H
#define LATCHKEY_SESSION_SESSION_H

#include "base/config.h"
#include "crypto/token.h"
#include "session/uses.h"
#include "store/revocations.h"

struct session_backend; /* session/backend.h */
struct memory;          /* session/memory.h */
struct session_data;    /* session/data.h */

struct sessions {
    const struct session_backend *backend; /* of new sessions */
    const struct config *config;           /* borrowed */
    struct store *store;                   /* borrowed: the database */
    struct store *cache;                   /* owned */
    struct memory *memory;                 /* owned; NULL: every check asks the stores */
    uint64_t changes;                      /* of files, set for each check; see memory_refresh */
    struct uses *uses;                     /* owned: two, of the database and of the cache */
};

/* Prepares for what the configuration names. With `remembers`, for programs that answer many
 * requests, sessions and users are kept in memory as long as nothing was revoked. ERR_MEMORY. Close
 * with sessions_close, also after a failure. */
enum status sessions_open(const struct config *config, struct store *store, enum store_role role,
                          bool remembers, struct sessions *out) MUST_USE;
void sessions_close(struct sessions *sessions);

/* Lets go of what must not cross fork. */
void sessions_disconnect(struct sessions *sessions);

/* How a session begins, or goes on. Address and agent are for lists of sessions: both may be empty,
 * and both are cut and cleaned. */
struct session_start {
    int64_t now_s;
    bool remember; /* both limits are session.remember */
    struct text address;
    struct text agent;
    /* Of a session that takes the place of another: */
    enum token_kind kind;            /* of that one, in whose store it goes on; TOKEN_NONE: none */
    const struct session_data *data; /* what it remembers from the first; NULL: nothing */
};

/* Begins a session of the user with a token never seen before. ERR_NOT_FOUND: the user was changed
 * or locked since it was read; ERR_TOO_LARGE: the data does not fit into a sealed token; ERR_STORE,
 * ERR_CRYPTO. */
enum status session_begin(const struct sessions *sessions, const struct user *user,
                          const struct session_start *start, struct token *out) MUST_USE;

/* The session of a verified token, with its user; address and agent may be empty.
 * ERR_NOT_FOUND: there is none that is alive; ERR_STORE: it cannot be told now; *out is zeros then.
 * Notes the use, for session_tend to write, when the last one noted is a twentieth of the idle
 * limit ago, or a minute where that is shorter. */
enum status session_find(const struct sessions *sessions, const struct token *token, int64_t now_s,
                         struct session_row *out) MUST_USE;

/* Fills in address and agent of a session where they are missing and known. */
enum status session_describe(const struct sessions *sessions, struct session_row *row) MUST_USE;

/* Whether the session is still bound to its user, as found by its user_id: the user is not locked,
 * and the salt is the one of the session's beginning. */
bool session_is_bound(const struct session_row *session, const struct user *user);

/* When the session ends if it is not used again: seconds since 1970. */
int64_t session_end_s(const struct session_row *session);

/* What to call the user before people: the name for people, or the user name where there is none.
 * Borrowed from the session. */
const char *session_display(const struct session_row *session);

/* Whether the token of a session that is alive should be renewed now: past half of the idle limit
 * since its issue, if it is sealed and would be renewed for longer, or is of another store than
 * session.store names. */
bool session_is_due(const struct sessions *sessions, const struct token *token,
                    const struct session_row *row, int64_t now_s);

/* A new token for the same session, of the kind that session.store names, or of the former kind if
 * it remembers more than a sealed token holds; the idle time begins anew. ERR_NOT_FOUND: it was
 * revoked meanwhile; ERR_STORE, ERR_CRYPTO. The former token stays good until it ends by itself or
 * is revoked with this one. */
enum status session_renew(const struct sessions *sessions, const struct token *token,
                          const struct session_row *row, const struct session_start *start,
                          struct token *out) MUST_USE;

/* Ends the session of a verified token, for all its tokens; OK when it is not alive. ERR_STORE,
 * ERR_SYSTEM: it may have ended all the same, and is to be ended again. */
enum status session_end(const struct sessions *sessions, const struct token *token) MUST_USE;

/* The same for a session whose token nobody was given: one of the cache goes also while nothing can
 * be written to the database, for nobody has to be kept from using it. */
enum status session_take_back(const struct sessions *sessions, const struct token *token) MUST_USE;

/* Does what was put off, when nothing else is to be done: returns the milliseconds after which to
 * call again, -1 when nothing waits. */
int session_tend(const struct sessions *sessions, enum uses_moment moment);

/* Lets go of what session_find keeps for the next one, if that was long enough: see store_rest. To
 * be called before the program waits for it; not needed where sessions are not remembered. Returns
 * the milliseconds until it must be called again, -1: nothing is kept. */
int session_rest(const struct sessions *sessions);

#endif
