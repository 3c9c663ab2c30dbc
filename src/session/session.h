/* Sessions: who is signed in, since when, until when; kept by one of several stores.
 *
 * A session begins with a token of a fresh id, lives while it is neither idle nor old nor revoked,
 * and ends at once when it is ended. What exactly "revoked" asks of a store stands in its own file.
 */
#ifndef LATCHKEY_SESSION_SESSION_H
#define LATCHKEY_SESSION_SESSION_H

#include "base/config.h"
#include "crypto/token.h"
#include "store/sessions.h"

/* What a store of sessions can do. Which one is used, session.store says. */
struct session_backend {
    const char *name;

    /* Keeps a new session. ERR_NOT_FOUND: the user's salt is another one by now. */
    enum status (*add)(struct store *store, const struct session_row *session);

    /* The session of that key if it was neither ended nor revoked; times are checked by the caller.
     */
    enum status (*find)(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                        struct session_row *out);

    /* Notes that it was used. */
    enum status (*touch)(struct store *store, const uint8_t key[SESSION_KEY_BYTES], int64_t seen_s);

    /* Ends it. When this answers OK, no later find anywhere gives it. */
    enum status (*remove)(struct store *store, const uint8_t key[SESSION_KEY_BYTES]);

    /* Forgets some sessions that are over; called now and then from sign-ins. */
    enum status (*purge)(struct store *store, int64_t now_s);
};

struct sessions {
    const struct session_backend *backend;
    const struct config *config; /* borrowed */
    struct store *store;         /* borrowed */
};

/* Chooses the store that the configuration names. ERR_INPUT (logged) when it is not to be had. */
enum status sessions_open(const struct config *config, struct store *store, struct sessions *out)
    MUST_USE;

/* How a session begins. Address and agent are for lists of sessions: both may be empty, and both
 * are cut and cleaned. */
struct session_start {
    int64_t now_s;
    bool remember; /* both limits are session.remember */
    struct text address;
    struct text agent;
};

/* Begins a session of the user with a token never seen before. ERR_NOT_FOUND: the user was changed
 * or locked since it was read; ERR_STORE, ERR_CRYPTO. */
enum status session_begin(const struct sessions *sessions, const struct user *user,
                          const struct session_start *start, struct token *out) MUST_USE;

/* The session of a verified token. ERR_NOT_FOUND: there is none, it is over, or the clock stands
 * before its beginning; ERR_STORE. Notes the use, at most every idle/20 and at least every minute;
 * that this fails is logged and does not end the session. */
enum status session_find(const struct sessions *sessions, const struct token *token, int64_t now_s,
                         struct session_row *out) MUST_USE;

/* When the session ends if it is not used again: seconds since 1970. */
int64_t session_end_s(const struct session_row *session);

/* What to call the user before people: the name for people, or the user name where there is none.
 * Borrowed from the session. */
const char *session_display(const struct session_row *session);

/* Ends the session of a token; OK when there is none. */
enum status session_end(const struct sessions *sessions, const struct token *token) MUST_USE;

#endif
