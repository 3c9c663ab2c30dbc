/* The policy of throttling: what an attempt at a password is counted against, and how long who
 * failed too often has to wait. The counts themselves: store/throttle.h. */
#ifndef LATCHKEY_AUTH_THROTTLING_H
#define LATCHKEY_AUTH_THROTTLING_H

#include "auth/auth.h"
#include "store/throttle.h"

/* The counts of one attempt. They point into it: not to be copied. */
struct throttling {
    struct throttle_count counts[THROTTLE_COUNTS_MAX];
    size_t count;
    char network[THROTTLE_NETWORK_MAX + 1];
};

/* Who tries: the name as it was typed, and the user who has it, with the id 0 when nobody has. The
 * user is borrowed as long as the counts. */
struct throttled {
    struct text name;
    const struct user *user;
    const struct origin *origin;
    int64_t now_s;
};

/* The network of an address, as lists show it: "192.0.2.7/32", "2001:db8::/64"; "unix:" and
 * "unknown" for what is no address. */
void throttling_print_network(const struct config *config, struct text address,
                              char out[THROTTLE_NETWORK_MAX + 1]);

/* Finds out what the attempt counts in. From a browser that is known to the account: in the count
 * of that browser. Else in those of account and network together, of the network, and of the
 * account; a name that nobody has is as good as an account, but shares its count with other such
 * names, of which there are 65,536 counts in all. ERR_NOT_FOUND: no secret. */
enum status throttling_plan(const struct config *config, const struct keyring *keyring,
                            const struct throttled *who, struct throttling *out) MUST_USE;

/* After it was counted. The password was right: clears what it was counted in, but takes it back
 * only from the network, where others may have failed. To be called in a transaction. ERR_STORE. */
enum status throttling_clear(struct store *store, const struct throttling *plan) MUST_USE;

/* The password was not looked at: takes the attempt back everywhere. In a transaction too. */
enum status throttling_release(struct store *store, const struct throttling *plan) MUST_USE;

#endif
