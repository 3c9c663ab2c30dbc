/* The cookie store: the session itself travels in the token, sealed.
 *
 * Using one writes nothing and, while nothing is revoked, reads nothing on the server. What a
 * signed cookie alone cannot do is done by the others: the salt in it is compared with the user's,
 * its key is looked for among the revocations. A row in the database records the sign-in, for lists
 * and for ending sessions by their id; a session lives on if that record is lost.
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
                        struct session_row *row)
{
    (void)sessions;
    return sealed_unpack(token, row) == OK ? OK : ERR_NOT_FOUND;
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
    .name = "cookie",
    .kind = TOKEN_SEALED,
    .add = add,
    .find = find,
    .fill = fill,
    .purge = purge,
};
