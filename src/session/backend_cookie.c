/* The cookie store: the session itself travels in the token, sealed.
 *
 * Using one writes nothing and, while nothing is revoked, reads nothing on the server. What a
 * signed cookie alone cannot do is done by the others: the salt in it is compared with the user's,
 * its key is looked for among the revocations. A row in the database records the sign-in, for lists
 * and for ending sessions by their id; a session lives on if that record is lost (but see
 * check_revoked in session.c).
 *
 * Whoever has the secret and a user's salt can seal a session of that user. Where session.store
 * names another store, that must not be a way in: a sealed session counts there only if its sign-in
 * is recorded, and as it was recorded. The record has the digest of an id that nobody can guess.
 *
 * What this store does not give: data of a session that two programs save at once; the later one
 * wins, for each gives the browser the whole of it. */
#include "session/backend.h"
#include "session/sealed.h"

static enum status add(const struct sessions *sessions, const struct session_row *row)
{
    return sessions_add(sessions->store, row);
}

static enum status find(const struct sessions *sessions, const struct token *token,
                        struct session_row *row, struct user *user)
{
    (void)user;
    if (sealed_unpack(token, row) != OK) {
        return ERR_NOT_FOUND;
    }
    bool is_former = sessions->backend != &session_backend_cookie;
    return is_former ? sessions_find(sessions->store, row->key, row) : OK;
}

static enum status fill(const struct sessions *sessions, const struct session_row *row,
                        struct token *token)
{
    (void)sessions;
    return sealed_pack(row, (struct text){0}, token);
}

static enum status purge(const struct sessions *sessions, int64_t now_s)
{
    return session_backend_database.purge(sessions, now_s);
}

const struct session_backend session_backend_cookie = {
    .kind = TOKEN_SEALED,
    .add = add,
    .find = find,
    .fill = fill,
    .purge = purge,
};
