/* A set of keys of sessions that have ended: all of them, for a miss lets a session live. */
#ifndef LATCHKEY_SESSION_ENDED_H
#define LATCHKEY_SESSION_ENDED_H

#include "store/sessions.h"

struct ended {
    uint8_t (*keys)[SESSION_KEY_BYTES]; /* `room` places, a power of two; all zeros: free */
    size_t room, count;
};

/* Adds a key. ERR_MEMORY (logged), also when there are MEMORY_ENDED_MAX and the table would have to
 * grow for more: it is not in the set then, so nothing may be decided by the set. */
enum status ended_add(struct ended *ended, const uint8_t key[SESSION_KEY_BYTES]) MUST_USE;

/* Whether the key is in the set. */
bool ended_has(const struct ended *ended, const uint8_t key[SESSION_KEY_BYTES]);

/* Empties the set and frees it. */
void ended_clear(struct ended *ended);

#endif
