/* The rows of sessions.
 *
 * Invariants: no row for anonymous visitors; a row is inserted once and afterwards only its time of
 * last use changes; it is found only by its whole key. What is over is removed a few rows at a
 * time, from a random place on, at each sign-in: with 64 rows looked at for each one added, about
 * one row in 64 is a dead one that was not met yet, whatever the number of sessions. */
#include "store/sessions.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/random.h"
#include "store/cache.h"
#include "store/call.h"
#include "store/internal.h"
#include "store/purge.h"
#include "store/revocations.h"

#define ID_BYTES (SESSION_ID_LEN / 2) /* of a key that are the number of its row */
#define DAY_S    86400

static int64_t key_number(const uint8_t key[SESSION_KEY_BYTES])
{
    return (int64_t)bytes_get_number(key, ID_BYTES);
}

void session_key_bind(struct db_statement *statement, const uint8_t key[SESSION_KEY_BYTES])
{
    db_bind_int64(statement, 1, key_number(key));
    db_bind_blob(statement, 2, key + ID_BYTES, SESSION_KEY_BYTES - ID_BYTES);
}

void session_row_bind(struct db_statement *statement, const struct session_row *row)
{
    session_key_bind(statement, row->key);
    db_bind_int64(statement, 3, row->user_id);
    db_bind_blob(statement, 4, row->salt, sizeof row->salt);
    db_bind_int64(statement, 5, row->created_s);
    db_bind_int64(statement, 6, row->seen_s);
    db_bind_int64(statement, 7, row->idle_s);
    db_bind_int64(statement, 8, row->expires_s);
    db_bind_int64(statement, 9, row->remember ? 1 : 0);
    db_bind_text(statement, 10, text_of(row->address));
    db_bind_text(statement, 11, text_of(row->agent));
}

/* Makes sure that the agent is known by a number as long as the session may last, if there is a
 * place for it; by whole days, so that not each sign-in has to write. */
static enum status note_agent(struct store *store, const struct session_row *row)
{
    struct call call;
    int64_t until_s = (row->expires_s / DAY_S + 1) * DAY_S;
    enum status status = call_begin(store, AGENT_ADD, &call);
    if (status == OK) {
        db_bind_text(call.statement, 1, text_of(row->agent));
        db_bind_int64(call.statement, 2, until_s);
        db_bind_int64(call.statement, 3, SESSION_AGENTS_MAX);
        status = call_run(&call, NULL);
    }
    if (status == OK) {
        status = call_begin(store, AGENT_KEEP, &call);
    }
    if (status == OK) {
        db_bind_text(call.statement, 1, text_of(row->agent));
        db_bind_int64(call.statement, 2, until_s);
        status = call_run(&call, NULL);
    }
    return status;
}

static enum status insert(struct store *store, const struct session_row *row)
{
    struct call call;
    enum status status = call_begin(store, SESSION_ADD, &call);
    if (status != OK) {
        return status;
    }
    session_row_bind(call.statement, row);
    db_bind_blob(call.statement, 12, row->key, sizeof row->key);
    return call_run_on_one(&call);
}

enum status sessions_add(struct store *store, const struct session_row *row)
{
    bool own = false;
    enum status status = scope_open(store, &own);
    if (status != OK) {
        return status;
    }
    status = note_agent(store, row);
    if (status == OK) {
        status = insert(store, row);
    }
    return scope_close(store, own, status);
}

/* The inverse of session_key_bind, for two columns. */
static bool read_key(struct call *call, int number, int rest, uint8_t out[SESSION_KEY_BYTES])
{
    bytes_put_number(out, (uint64_t)db_column_int64(call->statement, number), ID_BYTES);
    return call_get_bytes(call, rest, out + ID_BYTES, SESSION_KEY_BYTES - ID_BYTES);
}

/* Reads the columns, from `at` on, that every statement which finds sessions gives. */
static bool read_row(struct call *call, int at, struct session_row *out)
{
    out->user_id = db_column_int64(call->statement, at + 1);
    out->created_s = db_column_int64(call->statement, at + 3);
    out->seen_s = db_column_int64(call->statement, at + 4);
    out->idle_s = db_column_int64(call->statement, at + 5);
    out->expires_s = db_column_int64(call->statement, at + 6);
    out->remember = db_column_int64(call->statement, at + 7) != 0;
    return out->created_s > 0 && out->seen_s > 0 && out->idle_s > 0 && out->expires_s > 0 &&
           read_key(call, at, at + 10, out->key) &&
           call_get_bytes(call, at + 2, out->salt, sizeof out->salt) &&
           call_get_string(call, at + 8, out->address, sizeof out->address) &&
           call_get_string(call, at + 9, out->agent, sizeof out->agent);
}

enum status sessions_find(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                          struct session_row *out)
{
    struct call call;
    struct session_row row = {0};
    enum status status = call_begin(store, SESSION_FIND, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, key);
    status = call_next(&call);
    if (status == OK &&
        (!read_row(&call, 0, &row) || !secret_is_equal(row.key, key, SESSION_KEY_BYTES))) {
        status = call_fault_row(&call);
    }
    status = call_end(&call, status);
    if (status == OK) {
        *out = row;
    }
    secret_wipe(&row, sizeof row);
    return status;
}

enum status sessions_find_with_user(struct store *store, const uint8_t key[SESSION_KEY_BYTES],
                                    struct session_row *out, struct user *user)
{
    struct call call;
    struct session_row row = {0};
    struct user found = {0};
    enum status status = call_begin(store, SESSION_FIND_WITH_USER, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, key);
    status = call_next(&call);
    if (status == OK &&
        (!user_read(&call, &found, true) || !read_row(&call, USER_COLUMNS, &row) ||
         !secret_is_equal(row.key, key, SESSION_KEY_BYTES) || row.user_id != found.id)) {
        status = call_fault_row(&call);
    }
    status = call_end(&call, status);
    if (status == OK) {
        *out = row;
        *user = found;
    }
    secret_wipe(&row, sizeof row);
    secret_wipe(&found, sizeof found);
    return status;
}

static enum status touch(struct store *store, const struct session_use *use)
{
    struct call call;
    enum status status = call_begin(store, SESSION_TOUCH, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, use->key);
    db_bind_int64(call.statement, 3, use->seen_s);
    return call_run(&call, NULL);
}

enum status sessions_touch(struct store *store, const struct session_use *uses, size_t count)
{
    enum status status = store_try_begin(store);
    if (status != OK) {
        return status;
    }
    if (count > 0) {
        status = cache_make_room(store, uses[count - 1].seen_s, 0);
    }
    for (size_t i = 0; i < count && status == OK; i++) {
        status = touch(store, &uses[i]);
    }
    return scope_close(store, true, status);
}

enum status sessions_end(struct store *store, const uint8_t key[SESSION_KEY_BYTES], int64_t until_s)
{
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    status = sessions_remove(store, key);
    if (status == OK) {
        status = revocations_add_session(store, key, until_s);
    }
    return revocations_end(store, status);
}

enum status sessions_remove(struct store *store, const uint8_t key[SESSION_KEY_BYTES])
{
    struct call call;
    enum status status = call_begin(store, SESSION_REMOVE, &call);
    if (status != OK) {
        return status;
    }
    session_key_bind(call.statement, key);
    return call_run(&call, NULL);
}

void session_print_id(const uint8_t key[SESSION_KEY_BYTES], char out[SESSION_ID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < ID_BYTES; i++) {
        out[2 * i] = digits[key[i] >> 4];
        out[2 * i + 1] = digits[key[i] & 0x0f];
    }
    out[SESSION_ID_LEN] = '\0';
}

/* The inverse of session_print_id. */
static enum status parse_id(struct text id, uint8_t out[ID_BYTES])
{
    if (id.len != SESSION_ID_LEN) {
        return ERR_INPUT;
    }
    for (size_t i = 0; i < ID_BYTES; i++) {
        int high = text_hex_value(id.data[2 * i]);
        int low = text_hex_value(id.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return ERR_INPUT;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return OK;
}

enum status sessions_find_by_id(struct store *store, struct text id, struct session_row *out)
{
    struct call call;
    struct session_row row = {0};
    uint8_t number[ID_BYTES];
    enum status status = parse_id(id, number);
    if (status == OK) {
        status = call_begin(store, SESSION_FIND_BY_ID, &call);
    }
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, (int64_t)bytes_get_number(number, sizeof number));
    status = call_next(&call);
    if (status == OK && !read_row(&call, 0, &row)) {
        status = call_fault_row(&call);
    }
    status = call_end(&call, status);
    if (status == OK) {
        *out = row;
    }
    secret_wipe(&row, sizeof row);
    return status;
}

/* The first user whose id is over *id. ERR_NOT_FOUND after the last. */
static enum status next_user(struct store *store, int64_t *id)
{
    struct call call;
    enum status status = call_begin(store, USER_NEXT, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, *id);
    status = call_next(&call);
    if (status == OK) {
        *id = db_column_int64(call.statement, 0);
    }
    return call_end(&call, status);
}

static enum status renew_all_salts(struct store *store)
{
    int64_t id = 0;
    enum status status = next_user(store, &id);
    while (status == OK) {
        status = user_put_salt(store, id);
        if (status != OK) {
            return status;
        }
        status = next_user(store, &id);
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status sessions_remove_all(struct store *store, int64_t *ended)
{
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    status = renew_all_salts(store);
    if (status == OK) {
        status = revocations_add_user(store, 0);
    }
    status = revocations_end(store, status);
    if (status == OK && purge_dead(store, 0, ended) != OK) {
        log_warning("rows of sessions that have ended stay, and are not counted, until "
                    "`latchkey session purge`");
    }
    return status;
}

/* From a random place on, so that every row is met sooner or later. */
static enum status purge_some(struct store *store, int64_t now_s, int64_t limit, int64_t *removed)
{
    struct call call;
    int64_t from = 0;
    enum status status = random_fill(&from, sizeof from);
    if (status == OK) {
        status = call_begin(store, SESSION_PURGE_SOME, &call);
    }
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    db_bind_int64(call.statement, 2, from);
    db_bind_int64(call.statement, 3, limit);
    return call_run(&call, removed);
}

enum status sessions_purge(struct store *store, int64_t now_s, int64_t limit, int64_t *removed)
{
    if (store->cache_bytes != 0) {
        return cache_purge(store, now_s, limit, removed);
    }
    enum status status =
        limit == 0 ? purge_dead(store, now_s, removed) : purge_some(store, now_s, limit, removed);
    return status == OK ? purge_agents(store, now_s) : status;
}

enum status sessions_list(struct store *store, int64_t user_id, int64_t now_s,
                          bool (*each)(void *context, const struct session_row *row), void *context)
{
    struct call call;
    bool more = true;
    enum status status =
        call_begin(store, user_id == 0 ? SESSION_LIST_ALL : SESSION_LIST_OF_USER, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s);
    if (user_id != 0) {
        db_bind_int64(call.statement, 2, user_id);
    }
    while (more && (status = call_next(&call)) == OK) {
        struct session_row row = {0};
        bool is_sound = read_row(&call, 0, &row);
        if (is_sound) {
            more = each(context, &row);
        }
        secret_wipe(&row, sizeof row);
        if (!is_sound) {
            status = call_fault_row(&call);
            break;
        }
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}
