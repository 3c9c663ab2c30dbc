/* Counting failed attempts, in rows that survive a restart. An attempt counts as failed from its
 * beginning until it is told to have been right, so that many at once are as many failures. What is
 * counted against what is the caller's: see auth/throttle.h. */
#ifndef LATCHKEY_STORE_THROTTLE_H
#define LATCHKEY_STORE_THROTTLE_H

#include "store/users.h"

#define THROTTLE_KEY_BYTES   16
#define THROTTLE_NETWORK_MAX 50    /* bytes of "2001:db8::/64", without NUL */
#define THROTTLE_ROWS_MAX    65536 /* about; the least that failed goes first */

enum throttle_kind {
    THROTTLE_ACCOUNT_AND_NETWORK = 1,
    THROTTLE_NETWORK,
    THROTTLE_ACCOUNT,
    THROTTLE_BROWSER, /* that signed in to the account before */
};

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

/* Counts an attempt in all of `counts`, unless one of them still has to wait: then nothing is
 * counted and *wait_s, the longest of those waits, is over 0. One transaction; a refusal writes
 * nothing. *began (may be NULL) receives which count this attempt made the next one wait for; NULL:
 * none. ERR_STORE. */
enum status throttle_admit(struct store *store, const struct throttle_count *counts, size_t count,
                           int64_t now_s, int64_t *wait_s, const struct throttle_count **began)
    MUST_USE;

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
enum status throttle_forget(struct store *store, struct text account, struct text network,
                            int64_t *cleared) MUST_USE;

#endif
