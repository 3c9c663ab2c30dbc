/* What is counted, and why those numbers, with throttle.attempts A and throttle.window W:
 *
 *   account and network together   A free    who guesses at one account from one place
 *   network                        10 A      who tries many accounts from one place
 *   account                        20 A      who guesses at one account from many places
 *   known browser                  A free    instead of all three
 *
 * After that each failure makes the next attempt wait: W/60 at first, twice as long each time, W at
 * most. With the default of 5 an account takes 100 failures, as many as NIST SP 800-63B-4 §3.2.2
 * lets pass, and remembers them for a day. That count alone would let anybody keep anybody out; so
 * a browser from which somebody signed in to the account before has a count of its own.
 *
 * Names that nobody has are counted like those of users, by the letters as the database compares
 * them, so that neither an answer nor its time tells which of the two it was. Keys are digests with
 * a secret: what was typed as a name may have been a password. A new secret begins all counts anew.
 *
 * Counts of accounts are never pushed out of the table (store/throttle.c), so there must not be one
 * for each name that somebody makes up: such names share 65,536 of them, by 16 bits of the key.
 * Which of them share one only the secret tells. Not protected: who lets a name wait, and then
 * tries made-up ones until one has to wait at once, some 65,000 attempts from as many networks as
 * they take, has learnt that the name is nobody's.
 */
#include "auth/throttling.h"

#include <stdio.h>
#include <string.h>

#include "auth/device.h"
#include "base/address.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/mac.h"

#define NETWORK_TIMES    10
#define ACCOUNT_TIMES    20
#define DAY_S            INT64_C(86400)
#define ACCOUNT_BYTES    DIGEST_BYTES
#define KEY_INPUT_MAX    (1 + ACCOUNT_BYTES + DEVICE_ID_BYTES + THROTTLE_NETWORK_MAX)
#define FIRST_DELAY_PART 60

#define SHARED_KEY_BYTES 2 /* what is left of the key of an account that is none */

/* Keeps the first bits and makes the others zero. */
static void mask(struct address *address, uint64_t bits)
{
    for (size_t i = 0; i < address->len; i++) {
        uint64_t kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8) {
            address->bytes[i] &= (unsigned char)(0xff00U >> kept);
        }
    }
}

void throttling_print_network(const struct config *config, struct text address,
                              char out[THROTTLE_NETWORK_MAX + 1])
{
    struct address parsed;
    char text[ADDRESS_TEXT_MAX];
    if (address_parse(address, &parsed) != OK) {
        (void)snprintf(out, THROTTLE_NETWORK_MAX + 1, "%s",
                       text_is(address, "unix:") ? "unix:" : "unknown");
        return;
    }
    uint64_t bits = parsed.len == 4 ? config->throttle.ipv4_bits : config->throttle.ipv6_bits;
    mask(&parsed, bits);
    address_print(&parsed, text);
    (void)snprintf(out, THROTTLE_NETWORK_MAX + 1, "%s/%u", text, (unsigned)bits);
}

/* What stands for the account in keys: a user's number, or a digest of the name without case. The
 * digest is made for users too, to take the same time. Longer names are no user's anyway. */
static void name_account(const struct throttled *who, uint8_t out[ACCOUNT_BYTES])
{
    char lower[USER_NAME_MAX];
    struct text name = who->name;
    if (name.len <= sizeof lower) {
        for (size_t i = 0; i < name.len; i++) {
            lower[i] = text_lower(name.data[i]);
        }
        name.data = lower;
    }
    digest_sha256(name, out);
    if (who->user->id != 0) {
        /* No name that anybody could find has such a digest. */
        (void)memset(out, 0xff, ACCOUNT_BYTES);
        bytes_put_number(out, (uint64_t)who->user->id, 8);
    }
    secret_wipe(lower, sizeof lower);
}

/* Parts of a key; each has one length for its kind but the last, so that two never read alike. */
struct key_parts {
    enum throttle_kind kind;
    const uint8_t *account; /* ACCOUNT_BYTES, or NULL */
    const uint8_t *device;  /* DEVICE_ID_BYTES, or NULL */
    struct text network;    /* or empty */
};

static void make_key(const uint8_t *secret, const struct key_parts *parts,
                     uint8_t out[THROTTLE_KEY_BYTES])
{
    uint8_t input[KEY_INPUT_MAX];
    uint8_t tag[MAC_BYTES];
    size_t len = 0;
    input[len++] = (uint8_t)parts->kind;
    if (parts->account != NULL) {
        memcpy(input + len, parts->account, ACCOUNT_BYTES);
        len += ACCOUNT_BYTES;
    }
    if (parts->device != NULL) {
        memcpy(input + len, parts->device, DEVICE_ID_BYTES);
        len += DEVICE_ID_BYTES;
    }
    if (parts->network.len > 0) {
        memcpy(input + len, parts->network.data, parts->network.len);
        len += parts->network.len;
    }
    mac_sha256((struct text){(const char *)secret, KEY_BYTES},
               (struct text){(const char *)input, len}, tag);
    memcpy(out, tag, THROTTLE_KEY_BYTES);
    secret_wipe(input, sizeof input);
    secret_wipe(tag, sizeof tag);
}

/* Leaves 16 bits of the key when `shares`; the same work when not. No user's key is among those
 * that this makes: it would have to end with 112 zero bits. */
static void share_key(bool shares, uint8_t key[THROTTLE_KEY_BYTES])
{
    const uint8_t kept = shares ? 0 : 0xff;
    for (size_t i = SHARED_KEY_BYTES; i < THROTTLE_KEY_BYTES; i++) {
        key[i] &= kept;
    }
}

static const uint8_t *find_secret(const struct keyring *keyring)
{
    uint32_t id = 0;
    return keyring_get_current(keyring, &id) == OK ? keyring_get_key(keyring, id, KEY_THROTTLE)
                                                   : NULL;
}

/* A count as most are, still without a key. */
static struct throttle_count *add_count(struct throttling *plan, const struct config *config,
                                        enum throttle_kind kind)
{
    int64_t window_s = config->throttle.window_s;
    int64_t first_s = window_s / FIRST_DELAY_PART;
    struct throttle_count *count = &plan->counts[plan->count++];
    *count = (struct throttle_count){
        .kind = kind,
        .free = config->throttle.attempts,
        .first_s = first_s > 0 ? first_s : 1,
        .longest_s = window_s,
        .memory_s = window_s,
    };
    return count;
}

static void plan_for_browser(const struct config *config, const struct throttled *who,
                             struct throttling *plan)
{
    struct throttle_count *count = add_count(plan, config, THROTTLE_BROWSER);
    count->account = text_of(who->user->name);
    count->network = text_of(plan->network);
}

static void plan_for_others(const struct config *config, const struct throttled *who,
                            struct throttling *plan)
{
    struct throttle_count *both = add_count(plan, config, THROTTLE_ACCOUNT_AND_NETWORK);
    both->account = text_of(who->user->name);
    both->network = text_of(plan->network);

    struct throttle_count *network = add_count(plan, config, THROTTLE_NETWORK);
    network->network = text_of(plan->network);
    network->free *= NETWORK_TIMES;

    struct throttle_count *account = add_count(plan, config, THROTTLE_ACCOUNT);
    account->account = text_of(who->user->name);
    account->free *= ACCOUNT_TIMES;
    account->memory_s = account->memory_s > DAY_S ? account->memory_s : DAY_S;
}

static void make_keys(const uint8_t *secret, const struct throttled *who, const uint8_t *device,
                      struct throttling *plan)
{
    uint8_t account[ACCOUNT_BYTES];
    name_account(who, account);
    for (size_t i = 0; i < plan->count; i++) {
        struct throttle_count *count = &plan->counts[i];
        bool has_network =
            count->kind == THROTTLE_ACCOUNT_AND_NETWORK || count->kind == THROTTLE_NETWORK;
        const struct key_parts parts = {
            .kind = count->kind,
            .account = count->kind != THROTTLE_NETWORK ? account : NULL,
            .device = count->kind == THROTTLE_BROWSER ? device : NULL,
            .network = has_network ? count->network : (struct text){0},
        };
        make_key(secret, &parts, count->key);
        share_key(count->kind == THROTTLE_ACCOUNT && who->user->id == 0, count->key);
    }
    secret_wipe(account, sizeof account);
}

enum status throttling_plan(const struct config *config, const struct keyring *keyring,
                            const struct throttled *who, struct throttling *out)
{
    uint8_t device[DEVICE_ID_BYTES];
    const uint8_t *secret = find_secret(keyring);
    *out = (struct throttling){0};
    if (secret == NULL) {
        return ERR_NOT_FOUND;
    }
    throttling_print_network(config, who->origin->address, out->network);
    if (device_find(keyring, who->origin, who->user, who->now_s, device)) {
        plan_for_browser(config, who, out);
    } else {
        plan_for_others(config, who, out);
    }
    make_keys(secret, who, device, out);
    secret_wipe(device, sizeof device);
    return OK;
}

enum status throttling_clear(struct store *store, const struct throttling *plan)
{
    enum status status = OK;
    for (size_t i = 0; i < plan->count && status == OK; i++) {
        const struct throttle_count *count = &plan->counts[i];
        status = count->kind == THROTTLE_NETWORK ? throttle_release(store, count)
                                                 : throttle_clear(store, count);
    }
    return status;
}

enum status throttling_release(struct store *store, const struct throttling *plan)
{
    enum status status = OK;
    for (size_t i = 0; i < plan->count && status == OK; i++) {
        status = throttle_release(store, &plan->counts[i]);
    }
    return status;
}
