/* Trying a password: whoever wants to sign in, and whoever is asked for the own password once more.
 * Throttled, in line with all others who hash, and written to the audit log when it was wrong. */
#ifndef LATCHKEY_AUTH_ATTEMPT_H
#define LATCHKEY_AUTH_ATTEMPT_H

#include "auth/throttling.h"

struct attempt {
    struct text name;
    struct text password;
    const struct origin *origin;
    int64_t now_s;
    enum audit_act act; /* what for: AUDIT_SIGN_IN, AUDIT_PASSWORD (to change it), AUDIT_REVOKE (to
                         * end sessions) */
};

/* Zeroed, it was wrong. Not to be copied. */
struct attempt_result {
    enum trial trial;
    int64_t wait_s;         /* with TRIAL_THROTTLED: seconds until the next one is heard */
    bool stale;             /* with TRIAL_RIGHT: the hash is to be brought up to date */
    struct user user;       /* with TRIAL_RIGHT; a secret: wipe the whole */
    struct throttling plan; /* with TRIAL_RIGHT: what it was counted in */
};

/* Tries. The same work is done for unknown, locked and known users, and no reason is given. A right
 * one ends what was counted against this account from here; a wrong one is logged, audited, and
 * counted. ERR_STORE and all else: it cannot be told now; *out is zeros then. */
enum status attempt_run(struct auth *auth, const struct attempt *attempt,
                        struct attempt_result *out) MUST_USE;

/* The same, but a right one stays counted until the caller clears it with throttling_clear, in the
 * transaction that holds what comes of it. */
enum status attempt_try(struct auth *auth, const struct attempt *attempt,
                        struct attempt_result *out) MUST_USE;

#endif
