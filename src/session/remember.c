/* The data of sessions in the different stores.
 *
 * In rows, names are saved one by one, and several programs may save at once. In a sealed token all
 * of it is in one piece, and whoever's answer reaches the browser last wins. The room in a sealed
 * token hangs on the cookie around it, which only the web knows; where a session is carried over
 * without knowing it, the widest cookie there can be is assumed. */
#include "session/remember.h"

#include <string.h>

#include "base/secret.h"
#include "session/backend.h"
#include "session/data_code.h"
#include "session/data_rows.h"
#include "session/sealed.h"

/* What a cookie has around a token, without the domain, is 87 characters at most:
 * "__Secure-latchkey=", Path=/, Max-Age of ten digits, Domain, Secure, HttpOnly, SameSite=Lax. With
 * TOKEN_TEXT_MAX that is less than the 4096 that a cookie may have. */
static size_t narrowest_room(const struct config *config)
{
    size_t domain_len = text_of(config->session.cookie_domain).len;
    return domain_len < TOKEN_TEXT_MAX ? remember_room(TOKEN_TEXT_MAX - domain_len) : 0;
}

size_t remember_room(size_t text_len)
{
    size_t most = text_len < TOKEN_TEXT_MAX ? text_len : TOKEN_TEXT_MAX;
    size_t bytes = most / 4 * 3 + most % 4 * 3 / 4;
    size_t frame = TOKEN_SEALED_FRAME_BYTES + SEALED_FIXED_BYTES;
    return bytes > frame ? bytes - frame : 0;
}

/* The store in which sessions of this token have their rows; NULL: they travel in it. */
static struct store *rows_of(const struct sessions *sessions, const struct token *token)
{
    const struct session_backend *backend = session_backend_find(token->kind);
    return backend != NULL && backend->rows != NULL ? backend->rows(sessions) : NULL;
}

enum status remember_read(const struct sessions *sessions, const struct token *token,
                          const struct session_row *row, struct session_data *data)
{
    struct store *rows = rows_of(sessions, token);
    if (rows != NULL) {
        return session_data_load(data, rows, row->key);
    }
    struct text sealed = sealed_data(token);
    enum status status = session_data_decode(data, (const uint8_t *)sealed.data, sealed.len);
    return status == ERR_INPUT ? ERR_STORE : status;
}

enum status remember_save(const struct sessions *sessions, const struct token *token,
                          const struct session_row *row, struct session_data *data,
                          uint64_t *excess)
{
    struct store *rows = rows_of(sessions, token);
    if (rows == NULL) {
        return ERR_STORE;
    }
    return session_data_save(data, rows, row->key, sessions->config->session.data_limit_bytes,
                             excess);
}

enum status remember_seal(const struct session_row *row, const struct session_data *data,
                          size_t room, struct token *token, uint64_t *excess)
{
    uint8_t bytes[TOKEN_BODY_MAX];
    size_t len = 0;
    enum status status =
        session_data_encode(data, bytes, room < sizeof bytes ? room : sizeof bytes, &len);
    if (status == OK) {
        status = sealed_pack(row, (struct text){(const char *)bytes, len}, token);
    } else if (status == ERR_TOO_LARGE) {
        *excess = len - room;
    }
    secret_wipe(bytes, sizeof bytes);
    return status;
}

/* Makes `there` the same as `data`, name by name, so that only what differs is written. */
static enum status make_same(struct session_data *there, const struct session_data *data)
{
    enum status status = OK;
    struct text name = {0};
    char last[SESSION_DATA_NAME_MAX + 1] = "";
    while ((name = session_data_next(there, text_of(last))).data != NULL && status == OK) {
        memcpy(last, name.data, name.len + 1); /* lent only until the drop */
        if (session_data_get(data, name).data == NULL) {
            status = session_data_drop(there, text_of(last));
        }
    }
    name = (struct text){0};
    while (status == OK && (name = session_data_next(data, name)).data != NULL) {
        status = session_data_put(there, name, session_data_get(data, name));
    }
    return status;
}

static enum status replace_rows(const struct session_data *data, struct store *rows,
                                const struct session_row *row)
{
    struct session_data *there = NULL;
    uint64_t excess = 0;
    enum status status = session_data_new(SIZE_MAX, &there);
    if (status == OK) {
        status = session_data_load(there, rows, row->key);
    }
    if (status == OK) {
        status = make_same(there, data);
    }
    if (status == OK && session_data_is_changed(there)) {
        status = session_data_save(there, rows, row->key, UINT64_MAX, &excess);
    }
    session_data_free(&there);
    return status;
}

/* It fitted into the cookie of the other one, so it fits into this one's. */
enum status remember_hand_on(const struct sessions *sessions, const struct session_data *data,
                             const struct session_row *row, struct token *token)
{
    struct store *rows = rows_of(sessions, token);
    uint64_t excess = 0;
    return rows != NULL ? replace_rows(data, rows, row)
                        : remember_seal(row, data, remember_room(TOKEN_TEXT_MAX), token, &excess);
}

enum status remember_carry(const struct sessions *sessions, const struct token *token,
                           const struct session_row *row, struct token *fresh)
{
    struct store *from = rows_of(sessions, token);
    struct store *to = rows_of(sessions, fresh);
    struct session_data *data = NULL;
    uint64_t excess = 0;
    if (from == NULL && to == NULL) {
        return sealed_pack(row, sealed_data(token), fresh);
    }
    if (from == to) {
        return OK;
    }
    enum status status = session_data_new(SIZE_MAX, &data);
    if (status == OK) {
        status = remember_read(sessions, token, row, data);
    }
    if (status == OK) {
        status = to != NULL
                     ? replace_rows(data, to, row)
                     : remember_seal(row, data, narrowest_room(sessions->config), fresh, &excess);
    }
    session_data_free(&data);
    return status;
}
