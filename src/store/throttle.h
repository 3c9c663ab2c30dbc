/* Counting failed attempts, in rows that survive a restart. An attempt counts as failed from its
 * beginning until it is told to have been right, so that many at once are as many failures. What is
 * counted against what is the caller's: see auth/throttling.h. */
#ifndef LATCHKEY_STORE_THROTTLE_H
#define LATCHKEY_STORE_THROTTLE_H

#include "store/users.h"

#define THROTTLE_KEY_BYTES   16
#define THROTTLE_NETWORK_MAX 50 /* bytes of "2001:db8::/64", without NUL */
#define THROTTLE_ROWS_MAX                                                                          \
    65536 /* about; the least that failed goes first, but THROTTLE_ACCOUNT never */
#define THROTTLE_COUNTS_MAX 4 /* that one attempt adds to */

enum throttle_kind {
    THROTTLE_ACCOUNT_AND_NETWORK = 1,
    THROTTLE_NETWORK,
    THROTTLE_ACCOUNT, /* of as few keys as there are users, and some more */
    THROTTLE_BROWSER, /* that signed in to the account before */
};

/* In words, for lists and the audit log: "account and network". Static. */
const char *throttle_kind_word(enum throttle_kind kind);

/* One count that an attempt adds to. */
struct throttle_count {
    enum throttle_kind kind;
    uint8_t key[THROTTLE_KEY_BYTES];
    struct text account; /* name of the user, for lists; empty: none known */
    struct text network; /* for lists */
    uint64_t free;       /* failures before delays begin */
    int64_t first_s;     /* the first delay; each further one is twice as long */
    int64_t longest_s;   /* at most */
    int64_t memory_s;    /* how long after the last failure and its delay the count is kept */
};

/* What became of an attempt that asked to be counted. */
struct throttle_admission {
    int64_t wait_s; /* over 0: it was refused, and is to wait so long; else it was counted */
    const struct throttle_count
        *began;      /* makes the next one wait, of several the longest; or NULL */
    int64_t delay_s; /* with began: so long */
};

/* Counts an attempt in all of `counts`, unless one of them still has to wait: then nothing is
 * counted or written. What was counted is durable before the attempt is made. ERR_STORE; *out then
 * says to wait. */
enum status throttle_admit(struct store *store, const struct throttle_count *counts, size_t count,
                           int64_t now_s, struct throttle_admission *out) MUST_USE;

/* The attempt was right: forgets all that is in the count. ERR_STORE. */
enum status throttle_clear(struct store *store, const struct throttle_count *count) MUST_USE;

/* The attempt was none, or does not count: takes it back from the count. ERR_STORE. */
enum status throttle_release(struct store *store, const struct throttle_count *count) MUST_USE;

/* A row as it is read. */
struct throttle_row {
    enum throttle_kind kind;
    char account[USER_NAME_MAX + 1];
    char network[THROTTLE_NETWORK_MAX + 1];
    int64_t failures, failed_s, until_s;
};

/* Calls `each` for every count that is not forgotten at `now_s`, the last that failed first; stops
 * early when it returns false. ERR_STORE. */
enum status throttle_list(struct store *store, int64_t now_s,
                          bool (*each)(void *context, const struct throttle_row *row),
                          void *context) MUST_USE;

/* Forgets what is counted against an account (without case) or a network as lists show it, or with
 * both empty all. *cleared: how many counts. ERR_STORE. */
enum status throttle_clear_listed(struct store *store, struct text account, struct text network,
                                  int64_t *cleared) MUST_USE;

#endif
