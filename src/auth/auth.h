/* The policy: who sent a request, and who may sign in. Programs ask here and nowhere else. */
#ifndef LATCHKEY_AUTH_AUTH_H
#define LATCHKEY_AUTH_AUTH_H

#include "base/watch.h"
#include "crypto/hash_line.h"
#include "session/session.h"
#include "store/audit.h"

#define AUTH_COOKIES_MAX      8     /* cookies of our name that are tried */
#define AUTH_ANONYMOUS_LIFE_S 86400 /* a login form may be sent this long after it was shown */
#define AUTH_FRESH_S          600   /* a sign-in this old is not enough to end other sessions */

/* What a program holds for its life; all owned. */
struct auth {
    const struct config *config; /* borrowed */
    struct keyring *keyring;
    struct store *store;
    struct sessions sessions;
    struct watch *watch;   /* of the secrets, the database, the generation; NULL: none */
    uint64_t keys_changes; /* the watch's number when the secrets were read; 0: read them anew */
    struct audit audit;
    struct hash_line *line; /* owned; opened by programs that hash, NULL in others */
};

/* Reads the secrets and prepares the store for a program's role; `program` is its name, borrowed. A
 * database that is of another version stops the program; one that cannot answer now does not, for
 * it may come back. With `remembers`, sessions are kept in memory and files are watched, for
 * programs that check many. Failures are logged with the remedy. ERR_PERMISSION, ERR_INPUT,
 * ERR_NOT_FOUND, ERR_SYSTEM, ERR_SCHEMA_OLD, ERR_SCHEMA_NEW, ERR_MEMORY. Close with auth_close,
 * also after a failure. */
enum status auth_open(const struct config *config, const char *program, enum store_role role,
                      bool remembers, struct auth *out) MUST_USE;
void auth_close(struct auth *auth);

/* Lets go of what must not cross fork, both databases; requests open them again. */
void auth_disconnect(struct auth *auth);

/* Who sent a request. Zeroed, it is nobody. Wipe after use: it holds a token. */
struct visitor {
    bool has_token;             /* exactly one token of ours came */
    bool signed_in;             /* and it is that of a session that is alive */
    struct token token;         /* with has_token */
    struct session_row session; /* with signed_in */
};

/* Wipes what is in use of it, and leaves nobody. */
void visitor_wipe(struct visitor *visitor);

/* Finds out by the cookies of our name, as they came: exactly one token that verifies counts, two
 * different ones count as none. Nobody is an answer (OK), not a failure. ERR_STORE and all else: it
 * cannot be known now; *out is nobody. */
enum status auth_identify(struct auth *auth, const struct text *cookies, size_t count,
                          int64_t now_s, struct visitor *out) MUST_USE;

/* Where a request came from, for limits, lists and the audit log. All borrowed; may be empty. */
struct origin {
    struct text address;        /* of the client */
    struct text agent;          /* its User-Agent, as it came */
    struct text browser;        /* the same in words */
    const struct text *devices; /* values of the cookie that tells known browsers, as they came */
    size_t device_count;
};

/* What somebody claims who wants to sign in. */
struct credentials {
    struct text name;
    struct text password;
    struct origin origin;
    int64_t now_s;
    bool remember; /* see struct session_start */
};

/* What came of trying a password. */
enum trial {
    TRIAL_WRONG = 0,
    TRIAL_RIGHT,
    TRIAL_THROTTLED, /* too many were wrong: nothing was hashed */
    TRIAL_BUSY,      /* too many wait to have theirs hashed: nothing was hashed or counted */
};

/* What came of signing in. Zeroed, it was refused. Wipe. */
struct sign_in {
    enum trial trial;    /* TRIAL_RIGHT alone lets in */
    int64_t wait_s;      /* with TRIAL_THROTTLED */
    struct token token;  /* with TRIAL_RIGHT: of the new session */
    struct token device; /* likewise: by which this browser is known from now on */
};

/* Checks the credentials and, if they are right, begins a new session and ends the visitor's, if
 * any. Otherwise the visitor's session stays as it is. ERR_STORE, ERR_CRYPTO, ERR_MEMORY: cannot be
 * told now; *out is zeros then. */
enum status auth_sign_in(struct auth *auth, const struct credentials *credentials,
                         const struct visitor *visitor, struct sign_in *out) MUST_USE;

/* A new token for the session of a visitor who is signed in: see session_renew. *renewed is false,
 * and the visitor is nobody any more, when it was revoked meanwhile. ERR_STORE, ERR_CRYPTO. */
enum status auth_renew(struct auth *auth, struct visitor *visitor,
                       const struct session_start *start, bool *renewed, struct token *out)
    MUST_USE;

/* Ends the session that the browser came with, so that nothing of it outlives a change of person.
 * To be called when the new one has begun, which is not to be given out after a failure. ERR_STORE.
 */
enum status auth_end_former(struct auth *auth, const struct visitor *visitor) MUST_USE;

/* Ends the visitor's session. After OK no request that begins later is answered as signed in by it.
 * Noted in the audit log; that it cannot be noted is logged alone. */
enum status auth_sign_out(struct auth *auth, const struct visitor *visitor,
                          const struct origin *origin, int64_t now_s) MUST_USE;

#endif
