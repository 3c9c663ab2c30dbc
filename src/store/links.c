/* The one-time links.
 *
 * What stands in a link is 32 random bytes in base64url. The table has the SHA-256 of these 43
 * characters: whoever reads the database, its log or a backup of it cannot make a link from that,
 * and the bytes are too many to be tried, so that neither salt nor slow hash is needed. A code is
 * looked up by its digest, which tells by its time nothing of another one.
 *
 * Invariants: a user has one link at most; it leaves in the transaction that sets the password,
 * whichever way that is set; and whether it is there is asked within that transaction, so that it
 * serves once.
 *
 * A text that is no code is refused before the database is asked, and a code that is none before
 * anything is locked: who guesses keeps nobody waiting.
 *
 * What this does not protect: whoever sees the link before its user can use it first. The user
 * notices, since it then is good no more. */
#include "store/links.h"

#include "base/secret.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "store/call.h"
#include "store/internal.h"
#include "store/revocations.h"

_Static_assert(BASE64URL_LEN(LINK_CODE_BYTES) == LINK_CODE_LEN, "a code is its bytes as text");

static enum status make_code(char out[LINK_CODE_LEN + 1])
{
    uint8_t bytes[LINK_CODE_BYTES];
    enum status status = random_fill(bytes, sizeof bytes);
    if (status == OK) {
        base64url_encode(bytes, sizeof bytes, out);
    }
    secret_wipe(bytes, sizeof bytes);
    return status;
}

static bool is_code(struct text code)
{
    uint8_t bytes[LINK_CODE_BYTES];
    bool is = base64url_decode(code, bytes, sizeof bytes) == OK;
    secret_wipe(bytes, sizeof bytes);
    return is;
}

static enum status purge(struct store *store, int64_t now_s)
{
    struct call call;
    enum status status = call_begin(store, LINK_PURGE, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    return call_run(&call, NULL);
}

enum status links_remove_all(struct store *store)
{
    return purge(store, INT64_MAX);
}

/* REPLACE takes the place of the user's earlier one, for user_id is unique too. */
static enum status put(struct store *store, struct text code, int64_t user_id, int64_t until_s)
{
    struct call call;
    uint8_t digest[DIGEST_BYTES];
    enum status status = call_begin(store, LINK_PUT, &call);
    if (status != OK) {
        return status;
    }
    digest_sha256(code, digest);
    db_bind_blob(call.statement, 1, digest, sizeof digest);
    db_bind_int64(call.statement, 2, user_id);
    db_bind_int64(call.statement, 3, until_s);
    return call_run(&call, NULL);
}

/* Within a transaction: the user is there until its end. */
static enum status make(struct store *store, int64_t user_id, int64_t now_s, struct text code)
{
    struct user user = {0};
    enum status status = users_find_by_id(store, user_id, &user);
    secret_wipe(&user, sizeof user);
    if (status == OK) {
        status = purge(store, now_s);
    }
    return status == OK ? put(store, code, user_id, now_s + LINK_LIFE_S) : status;
}

enum status links_make(struct store *store, int64_t user_id, int64_t now_s,
                       char out[LINK_CODE_LEN + 1])
{
    bool own = false;
    char code[LINK_CODE_LEN + 1];
    enum status status = make_code(code);
    if (status == OK) {
        status = scope_open(store, &own);
    }
    if (status == OK) {
        status = scope_close(store, own, make(store, user_id, now_s, text_of(code)));
    }
    if (status == OK) {
        memcpy(out, code, sizeof code);
    }
    secret_wipe(code, sizeof code);
    return status;
}

static enum status find_user_id(struct store *store, struct text code, int64_t now_s, int64_t *out)
{
    struct call call;
    uint8_t digest[DIGEST_BYTES];
    enum status status = call_begin(store, LINK_FIND, &call);
    if (status != OK) {
        return status;
    }
    digest_sha256(code, digest);
    db_bind_blob(call.statement, 1, digest, sizeof digest);
    db_bind_int64(call.statement, 2, now_s);
    status = call_next(&call);
    if (status == OK) {
        *out = db_column_int64(call.statement, 0);
    }
    return call_end(&call, status);
}

enum status links_find(struct store *store, struct text code, int64_t now_s, struct user *out)
{
    int64_t id = 0;
    struct user user = {0};
    enum status status = is_code(code) ? find_user_id(store, code, now_s, &id) : ERR_NOT_FOUND;
    if (status == OK) {
        status = users_find_by_id(store, id, &user);
    }
    if (status == OK && user.locked) {
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        *out = user;
    }
    secret_wipe(&user, sizeof user);
    return status;
}

/* Within a revocation: asks once more, for another may have been faster. */
static enum status use(struct store *store, struct text code, const char *hash, int64_t now_s,
                       struct user_change *change)
{
    enum status status = links_find(store, code, now_s, &change->user);
    int64_t id = change->user.id;
    if (status == OK) {
        status = user_put_password(store, id, hash, now_s, &change->ended);
    }
    return status == OK ? users_find_by_id(store, id, &change->user) : status;
}

enum status links_begin_use(struct store *store, struct text code, const char *hash, int64_t now_s,
                            struct user_change *out)
{
    struct user_change change = {0};
    enum status status = links_find(store, code, now_s, &change.user);
    if (status == OK) {
        status = revocations_begin(store);
    }
    if (status == OK) {
        status = use(store, code, hash, now_s, &change);
        if (status != OK) {
            status = revocations_end(store, status);
        }
    }
    if (status == OK) {
        *out = change;
    }
    secret_wipe(&change, sizeof change);
    return status;
}
