/* What a store of sessions can do. session.store says which one new sessions go to; a token says by
 * its kind which one to ask. For the files of this folder. */
#ifndef LATCHKEY_SESSION_BACKEND_H
#define LATCHKEY_SESSION_BACKEND_H

#include "session/session.h"

#define SESSION_PURGE_ROWS 64 /* enough to keep up with sign-ins, too few to be felt */

struct session_backend {
    enum token_kind kind; /* of its tokens */
    bool shares_database; /* its rows go with a revocation in one transaction */

    /* The store in which the sessions have rows whose uses are noted. NULL: no use is noted. */
    struct store *(*rows)(const struct sessions *sessions);

    /* Keeps a session that is new here. ERR_NOT_FOUND: the user's salt is another one by now, or
     * the session was revoked. ERR_EXISTS: it is here already. */
    enum status (*add)(const struct sessions *sessions, const struct session_row *row);

    /* What the store knows of the session of a verified token; row.key is set by the caller. The
     * user, times and revocations are not looked at, but *user is filled in if it costs little; it
     * keeps the id 0 otherwise. */
    enum status (*find)(const struct sessions *sessions, const struct token *token,
                        struct session_row *row, struct user *user);

    /* Puts into a token, whose id and times are set, what goes with it. NULL: nothing. */
    enum status (*fill)(const struct sessions *sessions, const struct session_row *row,
                        struct token *token);

    /* Removes some sessions that are over, of SESSION_PURGE_ROWS rows at most; called from each
     * sign-in. */
    enum status (*purge)(const struct sessions *sessions, int64_t now_s);
};

extern const struct session_backend session_backend_database;
extern const struct session_backend session_backend_cache;
extern const struct session_backend session_backend_cookie;

/* Takes the row, if there is any, of a session that was ended in the database out of the cache.
 * Where it cannot be taken out (logged), its revocation is kept for good. ERR_STORE (logged): nor
 * that was done, and nobody may be told that the session has ended: it has, but may come back when
 * the clock goes ahead and back. */
enum status session_end_beside(const struct sessions *sessions,
                               const uint8_t key[SESSION_KEY_BYTES]) MUST_USE;

/* Looks at what became of taking rows out of the cache whose sessions a new salt has ended. They
 * count for nothing there, so a failure is logged and no more. */
void session_tell_left_over(enum status status);

/* The one of a kind of token; NULL for tokens that are of no session. */
const struct session_backend *session_backend_find(enum token_kind kind);

#endif
