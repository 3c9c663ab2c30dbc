/* What users may do with their own account. Every act is bound to the visitor's own user, and
 * stands in the audit log. */
#ifndef LATCHKEY_AUTH_OWN_ACCOUNT_H
#define LATCHKEY_AUTH_OWN_ACCOUNT_H

#include "auth/attempt.h"

/* A new password; who asks for it has the present one too. */
struct password_change {
    struct text current;
    struct text wanted; /* as it came; password_rules_check is the caller's */
    struct origin origin;
    int64_t now_s;
};

/* Sets a new password for the visitor, who is signed in, if `current` is the present one: that is
 * an attempt like any other, counted and throttled. On TRIAL_RIGHT every session of the user has
 * ended but this browser's, which has become a new one with out->token and out->device; it
 * remembers what the former one did. ERR_NOT_FOUND: nothing was changed, for somebody else ended
 * this session, locked the user or set another password meanwhile; ERR_STORE and all else: nothing
 * was changed. */
enum status account_set_password(struct auth *auth, const struct visitor *visitor,
                                 const struct password_change *change, struct sign_in *out)
    MUST_USE;

struct session_choice {
    struct text id; /* as the visitor's lists show it */
    struct origin origin;
    int64_t now_s;
};

/* Ends a session of the visitor's user. *own becomes whether it was the visitor's own. ERR_INPUT:
 * no id; ERR_NOT_FOUND: none of this user; ERR_STORE, ERR_SYSTEM. */
enum status account_end_session(struct auth *auth, const struct visitor *visitor,
                                const struct session_choice *choice, bool *own) MUST_USE;

/* Ends all sessions of the visitor's user, this one too. ERR_STORE, ERR_SYSTEM, ERR_CRYPTO. */
enum status account_end_all(struct auth *auth, const struct visitor *visitor,
                            const struct origin *origin, int64_t now_s) MUST_USE;

/* A password set on a one-time link. */
struct link_use {
    struct text code;
    struct text wanted; /* as it came; password_rules_check is the caller's */
    struct origin origin;
    int64_t now_s;
};

/* Uses the link up, sets the password and signs its user in; ends the visitor's session, if any.
 * TRIAL_RIGHT: done, with out->token and out->device; TRIAL_BUSY: nothing was done, too many wait
 * to hash. ERR_NOT_FOUND: the link is not good; ERR_STORE and all else: cannot be told now. */
enum status account_use_link(struct auth *auth, const struct visitor *visitor,
                             const struct link_use *use, struct sign_in *out) MUST_USE;

#endif
