/* The audit log: who did what, when, from where, and what came of it; in rows that are chained, so
 * that one which was altered or taken away is found.
 *
 * Each row has a digest over the digest of the row before it and all that it says itself, and an
 * HMAC of that digest; a further HMAC is over where the log begins and ends. Whoever can write the
 * database but has not read the secret cannot change, remove, insert or reorder rows unnoticed.
 * What it does not show: that all of the log was put back to an earlier state of itself, or to
 * none, and what was altered by somebody who had read the secret. */
#ifndef LATCHKEY_STORE_AUDIT_H
#define LATCHKEY_STORE_AUDIT_H

#include "crypto/keyring.h"
#include "store/sessions.h"

#define AUDIT_DETAIL_MAX  200     /* bytes of a detail, without NUL */
#define AUDIT_PROGRAM_MAX 64      /* likewise of who wrote a row */
#define AUDIT_ROWS_MAX    1000000 /* older ones go, however long they should be kept */

enum audit_act {
    AUDIT_SIGN_IN,
    AUDIT_SIGN_OUT,
    AUDIT_PASSWORD, /* set or changed, also on a link */
    AUDIT_LINK,     /* made */
    AUDIT_USER,     /* added, removed */
    AUDIT_LOCK,     /* locked, unlocked */
    AUDIT_REVOKE,   /* one session, or all of a user or of everybody */
    AUDIT_SECRET,   /* rotated, revoked */
    AUDIT_IMPORT,
    AUDIT_THROTTLE, /* an account, network or browser has to wait; cleared by hand */
    AUDIT_ACTS
};

enum audit_outcome { AUDIT_DONE, AUDIT_REFUSED, AUDIT_OUTCOMES };

/* The words that stand in the database, in lists and in options: "sign-in", "done". Static. */
const char *audit_act_word(enum audit_act act);
const char *audit_outcome_word(enum audit_outcome outcome);

/* What happened. Texts may be empty and are borrowed; longer ones are cut, misleading characters
 * (base/text.h) replaced. A name that no user has is not to be given: it may be a password in the
 * wrong field. */
struct audit_event {
    enum audit_act act;
    enum audit_outcome outcome;
    int64_t user_id; /* whose account it is about; 0: nobody's, or nobody known */
    struct text user;
    struct text address; /* of the browser; empty on the command line */
    struct text detail;
};

/* Where rows are written to. */
struct audit {
    struct store *store;     /* borrowed */
    struct keyring *keyring; /* borrowed; read again if it changed: see keyring_refresh */
    const struct keyring
        *former;         /* borrowed; with what it had before, while secrets are being
                            replaced: by it the end of the log is judged. NULL: by keyring */
    struct text program; /* who writes: "login", "latchkey (uid 0)" */
    int64_t keep_s;      /* log.keep */
    bool is_on;          /* log.audit; otherwise nothing is written, and all is OK */
};

/* Adds a row, in the caller's transaction if there is one, else durably in one of its own; takes
 * away a few rows that were kept for long enough, or are beyond AUDIT_ROWS_MAX; that of the
 * latter some were not, is logged with each thousandth row. If the end of the log, or what is taken
 * away, is not as it was left, the row is written all the same, marked as following a break, and
 * that is logged. ERR_STORE; as keyring_refresh: nothing was written, logged. */
enum status audit_note(const struct audit *audit, int64_t now_s, const struct audit_event *event)
    MUST_USE;

/* Whether there is a log, so that it has to go on with the secrets. ERR_STORE. */
enum status audit_is_begun(struct store *store, bool *out) MUST_USE;

/* A row as it is read. */
struct audit_row {
    int64_t id, at_s, user_id;
    char act[33], outcome[33];
    char user[USER_NAME_MAX + 1];
    char address[SESSION_ADDRESS_MAX + 1];
    char program[AUDIT_PROGRAM_MAX + 1];
    char detail[AUDIT_DETAIL_MAX + 1];
    bool broken;
};

/* Calls `each` for every row since `since_s`, oldest first, of all or of the name `user` (whoever
 * had it); stops early when it returns false. Nothing is verified, but texts are fit for terminals,
 * whoever wrote them. ERR_STORE. */
enum status audit_list(struct store *store, struct text user, int64_t since_s,
                       bool (*each)(void *context, const struct audit_row *row), void *context)
    MUST_USE;

/* The last `limit` rows about the account of that id, newest first. ERR_STORE. */
enum status audit_list_last(struct store *store, int64_t user_id, int64_t limit,
                            bool (*each)(void *context, const struct audit_row *row), void *context)
    MUST_USE;

/* What a look at the whole log came to. */
struct audit_finding {
    int64_t rows;       /* that are there */
    int64_t unverified; /* of them: their secrets are gone; later rows vouch for them */
    const char
        *what;   /* is wrong with the row `bad`: the end of a sentence, static; NULL: nothing */
    int64_t bad; /* with `what`: number of the first row that is wrong or missing */
};

/* Checks every row, the chain and both ends. OK also when something is wrong: *out says so.
 * ERR_STORE. Reads row by row; time grows with the number of rows. */
enum status audit_verify(struct store *store, const struct keyring *keyring,
                         struct audit_finding *out) MUST_USE;

#endif
