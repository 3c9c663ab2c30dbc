/* The set of ended keys: open addressing, at most half full. The keys are SHA-256 digests, which
 * are their own hash; a digest of all zeros does not occur. */
#include "session/ended.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "session/memory.h"

#define ROOM_AT_FIRST 64

static const uint8_t free_place[SESSION_KEY_BYTES];

static bool is_free(const uint8_t key[SESSION_KEY_BYTES])
{
    return secret_is_equal(key, free_place, sizeof free_place);
}

/* Where the key is, or would be put. */
static size_t find_place(const struct ended *ended, const uint8_t key[SESSION_KEY_BYTES])
{
    uint64_t hash;
    memcpy(&hash, key, sizeof hash);
    size_t at = hash & (ended->room - 1);
    while (!is_free(ended->keys[at]) && !secret_is_equal(ended->keys[at], key, SESSION_KEY_BYTES)) {
        at = (at + 1) & (ended->room - 1);
    }
    return at;
}

static enum status grow(struct ended *ended)
{
    struct ended grown = {.room = ended->room > 0 ? ended->room * 2 : ROOM_AT_FIRST};
    if (ended->count >= MEMORY_ENDED_MAX) {
        log_error("too many ended sessions to remember (%zu): every check asks the database",
                  ended->count);
        return ERR_MEMORY;
    }
    grown.keys = calloc(grown.room, sizeof *grown.keys);
    if (grown.keys == NULL) {
        log_error("not enough memory to remember more than %zu ended sessions: every check asks "
                  "the database",
                  ended->count);
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < ended->room; i++) {
        if (!is_free(ended->keys[i])) {
            memcpy(grown.keys[find_place(&grown, ended->keys[i])], ended->keys[i],
                   SESSION_KEY_BYTES);
        }
    }
    grown.count = ended->count;
    free(ended->keys);
    *ended = grown;
    return OK;
}

enum status ended_add(struct ended *ended, const uint8_t key[SESSION_KEY_BYTES])
{
    if (is_free(key)) {
        return OK;
    }
    if ((ended->count + 1) * 2 > ended->room) {
        enum status status = grow(ended);
        if (status != OK) {
            return status;
        }
    }
    size_t at = find_place(ended, key);
    if (is_free(ended->keys[at])) {
        memcpy(ended->keys[at], key, SESSION_KEY_BYTES);
        ended->count++;
    }
    return OK;
}

bool ended_has(const struct ended *ended, const uint8_t key[SESSION_KEY_BYTES])
{
    return ended->count > 0 && !is_free(ended->keys[find_place(ended, key)]);
}

void ended_clear(struct ended *ended)
{
    free(ended->keys);
    *ended = (struct ended){0};
}
