/* The users.
 *
 * Invariants: a name is valid before it reaches the database, so that headers and logs can bear it;
 * whatever makes old credentials worthless (new password, lock) changes the salt in the same
 * transaction, which ends the user's sessions, and removes their rows there and, when there are
 * very many, after it; ids are never used twice, so that a session of a removed user can never
 * become one of another user.
 *
 * What this does not protect: copies of hashes that SQLite keeps in its page cache. */
#include "store/users.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "crypto/random.h"
#include "store/call.h"
#include "store/internal.h"
#include "store/purge.h"
#include "store/revocations.h"

bool user_name_is_valid(struct text name)
{
    return name.len > 0 && name.len <= USER_NAME_MAX && text_consists_of(name, "._-@+");
}

bool user_display_is_valid(struct text display)
{
    if (display.len > USER_DISPLAY_MAX || text_has_control(display)) {
        return false;
    }
    while (display.len > 0) {
        size_t len = text_utf8_len(display);
        if (len == 0 || text_is_misleading(display.data, len)) {
            return false;
        }
        display = text_from(display, len);
    }
    return true;
}

bool user_email_is_valid(struct text email)
{
    size_t at_signs = 0;
    if (email.len > USER_EMAIL_MAX || !text_is_visible(email)) {
        return false;
    }
    for (size_t i = 0; i < email.len; i++) {
        at_signs += email.data[i] == '@' ? 1 : 0;
    }
    return email.len == 0 || (at_signs == 1 && email.len >= 3 && email.data[0] != '@' &&
                              email.data[email.len - 1] != '@');
}

enum status user_add_group(struct user *user, struct text group)
{
    if (!user_name_is_valid(group)) {
        return ERR_INPUT;
    }
    struct text rest = text_of(user->groups);
    while (rest.len > 0) {
        if (text_equal(text_cut(&rest, ','), group)) {
            return OK;
        }
    }
    size_t len = text_of(user->groups).len;
    const char *comma = len > 0 ? "," : "";
    if (len + text_of(comma).len + group.len > USER_GROUPS_MAX) {
        return ERR_TOO_LARGE;
    }
    (void)snprintf(user->groups + len, sizeof user->groups - len, "%s%.*s", comma, (int)group.len,
                   group.data);
    return OK;
}

static bool groups_are_valid(struct text groups)
{
    struct text rest = groups;
    bool valid = groups.len <= USER_GROUPS_MAX;
    while (valid && rest.len > 0) {
        valid = user_name_is_valid(text_cut(&rest, ','));
    }
    return valid && (groups.len == 0 || groups.data[groups.len - 1] != ',');
}

bool user_read(struct call *call, struct user *out, bool secrets)
{
    out->id = db_column_int64(call->statement, 0);
    out->locked = db_column_int64(call->statement, 7) != 0;
    out->created_s = db_column_int64(call->statement, 8);
    out->password_s = db_column_int64(call->statement, 9);
    return call_get_string(call, 1, out->name, sizeof out->name) &&
           call_get_string(call, 2, out->display, sizeof out->display) &&
           call_get_string(call, 3, out->email, sizeof out->email) &&
           call_get_string(call, 4, out->groups, sizeof out->groups) &&
           call_get_string(call, 5, out->hash, sizeof out->hash) &&
           (!secrets || call_get_bytes(call, 6, out->salt, sizeof out->salt));
}

/* Reads the one user that was looked for, and ends the call. */
static enum status read_one(struct call *call, struct user *out)
{
    struct user user = {0};
    enum status status = call_next(call);
    if (status == OK && !user_read(call, &user, true)) {
        status = call_fault_row(call);
    }
    status = call_end(call, status);
    if (status == OK) {
        *out = user;
    }
    secret_wipe(&user, sizeof user);
    return status;
}

enum status users_find(struct store *store, struct text name, struct user *out)
{
    struct call call;
    /* A connection is asked for even by names that no user can have: a failing store must answer
     * alike for all names. */
    enum status status = call_begin(store, USER_FIND, &call);
    if (status != OK) {
        return status;
    }
    db_bind_text(call.statement, 1, user_name_is_valid(name) ? name : TEXT(""));
    return read_one(&call, out);
}

enum status users_find_by_id(struct store *store, int64_t id, struct user *out)
{
    struct call call;
    enum status status = call_begin(store, USER_FIND_BY_ID, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, id);
    return read_one(&call, out);
}

static bool user_is_valid(const struct user *user)
{
    struct text hash = text_of(user->hash);
    return user_name_is_valid(text_of(user->name)) && hash.len > 0 && !text_has_control(hash) &&
           user_display_is_valid(text_of(user->display)) &&
           user_email_is_valid(text_of(user->email)) && groups_are_valid(text_of(user->groups)) &&
           user->created_s > 0;
}

static enum status insert_user(struct store *store, const struct user *user, int64_t *id)
{
    struct call call;
    enum status status = call_begin(store, USER_ADD, &call);
    if (status != OK) {
        return status;
    }
    db_bind_text(call.statement, 1, text_of(user->name));
    db_bind_text(call.statement, 2, text_of(user->display));
    db_bind_text(call.statement, 3, text_of(user->email));
    db_bind_text(call.statement, 4, text_of(user->groups));
    db_bind_text(call.statement, 5, text_of(user->hash));
    db_bind_blob(call.statement, 6, user->salt, sizeof user->salt);
    db_bind_int64(call.statement, 7, user->locked ? 1 : 0);
    db_bind_int64(call.statement, 8, user->created_s);
    db_bind_int64(call.statement, 9, user->password_s);
    status = call_next(&call);
    if (status == OK) {
        *id = db_column_int64(call.statement, 0);
        status = call_next(&call); /* the row is committed when the statement is at its end */
        status = status == ERR_NOT_FOUND ? OK : status;
    }
    return call_end(&call, status);
}

enum status users_add(struct store *store, struct user *user)
{
    if (!user_is_valid(user)) {
        return ERR_INPUT;
    }
    struct user added = *user;
    added.password_s = added.created_s;
    enum status status = random_fill(added.salt, sizeof added.salt);
    if (status == OK) {
        status = insert_user(store, &added, &added.id);
    }
    if (status == OK) {
        *user = added;
    }
    secret_wipe(&added, sizeof added);
    return status;
}

enum status user_put_salt(struct store *store, int64_t id)
{
    struct call call;
    uint8_t salt[USER_SALT_BYTES];
    enum status status = random_fill(salt, sizeof salt);
    if (status == OK) {
        status = call_begin(store, USER_RENEW_SALT, &call);
    }
    if (status == OK) {
        db_bind_int64(call.statement, 1, id);
        db_bind_blob(call.statement, 2, salt, sizeof salt);
        status = call_run_on_one(&call);
    }
    secret_wipe(salt, sizeof salt);
    return status;
}

/* What ends a user's sessions, whatever the reason: the new salt makes every row and token of the
 * old one worthless, also those that are being written at this moment; the rows go with it. */
static enum status renew_salt(struct store *store, int64_t id, int64_t *ended)
{
    enum status status = user_put_salt(store, id);
    if (status == OK) {
        status = purge_some_of_user(store, id, ended);
    }
    if (status == OK) {
        status = revocations_add_user(store, id);
    }
    return status;
}

/* Commits, and removes the rows that are left where one step had not been enough: their sessions
 * have ended by then. */
enum status user_end_renewal(struct store *store, int64_t id, enum status status, int64_t *ended)
{
    int64_t rest = 0;
    status = revocations_end(store, status);
    if (status == OK && *ended >= PURGE_STEP && purge_user(store, id, &rest) != OK) {
        log_warning("rows of sessions that have ended stay, and are not counted, until "
                    "`latchkey session purge`");
    }
    *ended += rest;
    return status;
}

static enum status put_hash(struct store *store, int64_t id, const char *hash, int64_t now_s)
{
    struct call call;
    enum status status = call_begin(store, USER_SET_PASSWORD, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, id);
    db_bind_text(call.statement, 2, text_of(hash));
    db_bind_int64(call.statement, 3, now_s);
    return call_run_on_one(&call);
}

static enum status remove_link(struct store *store, int64_t id)
{
    struct call call;
    enum status status = call_begin(store, LINK_REMOVE_OF_USER, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, id);
    return call_run(&call, NULL);
}

enum status user_end_credentials(struct store *store, int64_t id, int64_t *ended)
{
    enum status status = remove_link(store, id);
    return status == OK ? renew_salt(store, id, ended) : status;
}

enum status user_put_password(struct store *store, int64_t id, const char *hash, int64_t now_s,
                              int64_t *ended)
{
    enum status status = put_hash(store, id, hash, now_s);
    return status == OK ? user_end_credentials(store, id, ended) : status;
}

enum status users_set_password(struct store *store, int64_t id, const char *hash, int64_t now_s)
{
    int64_t ended = 0;
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    status = user_put_password(store, id, hash, now_s, &ended);
    return user_end_renewal(store, id, status, &ended);
}

static enum status change_hash(struct store *store, const struct credential_change *wish)
{
    struct call call;
    enum status status = call_begin(store, USER_CHANGE_PASSWORD, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, wish->user_id);
    db_bind_text(call.statement, 2, text_of(wish->hash));
    db_bind_int64(call.statement, 3, wish->now_s);
    db_bind_text(call.statement, 4, text_of(wish->former));
    db_bind_blob(call.statement, 5, wish->salt, USER_SALT_BYTES);
    db_bind_blob(call.statement, 6, wish->session_key, SESSION_KEY_BYTES);
    return call_run_on_one(&call);
}

enum status users_begin_change(struct store *store, const struct credential_change *wish,
                               struct user_change *out)
{
    struct user_change change = {0};
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    status = change_hash(store, wish);
    if (status == OK) {
        status = user_end_credentials(store, wish->user_id, &change.ended);
    }
    if (status == OK) {
        status = users_find_by_id(store, wish->user_id, &change.user);
    }
    if (status == OK) {
        *out = change;
    } else {
        status = revocations_end(store, status);
    }
    secret_wipe(&change, sizeof change);
    return status;
}

enum status users_end_change(struct store *store, struct user_change *change, enum status status)
{
    return user_end_renewal(store, change->user.id, status, &change->ended);
}

enum status users_rehash(struct store *store, int64_t id, const char *old, const char *hash)
{
    struct call call;
    enum status status = call_begin(store, USER_REHASH, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, id);
    db_bind_text(call.statement, 2, text_of(old));
    db_bind_text(call.statement, 3, text_of(hash));
    return call_run(&call, NULL);
}

enum status users_renew_salt(struct store *store, int64_t id, int64_t *ended)
{
    int64_t removed = 0;
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    status = user_end_renewal(store, id, renew_salt(store, id, &removed), &removed);
    if (status == OK) {
        *ended = removed;
    }
    return status;
}

static enum status set_locked(struct store *store, int64_t id, bool locked, int64_t *ended)
{
    struct call call;
    enum status status = call_begin(store, USER_SET_LOCKED, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, id);
    db_bind_int64(call.statement, 2, locked ? 1 : 0);
    status = call_run_on_one(&call);
    if (status != OK) {
        return status;
    }
    /* Nothing ends with the lock's end, but programs that remember the lock must hear of it. */
    return locked ? user_end_credentials(store, id, ended) : revocations_add_user(store, id);
}

enum status users_set_locked(struct store *store, int64_t id, bool locked)
{
    int64_t ended = 0;
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    return user_end_renewal(store, id, set_locked(store, id, locked, &ended), &ended);
}

static enum status remove_user(struct store *store, int64_t id)
{
    struct call call;
    enum status status = call_begin(store, USER_REMOVE, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, id);
    status = call_run_on_one(&call); /* what was begun since goes with it: ON DELETE CASCADE */
    return status == OK ? revocations_add_user(store, id) : status;
}

/* In one step, unless there are so many sessions that others would have to wait: then these go
 * first, and who is stopped in between leaves a user who is signed in nowhere. */
enum status users_remove(struct store *store, int64_t id)
{
    int64_t ended = 0;
    enum status status = revocations_begin(store);
    if (status != OK) {
        return status;
    }
    status = renew_salt(store, id, &ended);
    bool is_last = status == OK && ended < PURGE_STEP;
    if (is_last) {
        status = remove_user(store, id);
    }
    status = user_end_renewal(store, id, status, &ended);
    if (status == OK && !is_last) {
        status = revocations_begin(store);
        if (status == OK) {
            status = revocations_end(store, remove_user(store, id));
        }
    }
    return status;
}

enum status users_list(struct store *store, bool (*each)(void *context, const struct user *user),
                       void *context)
{
    struct call call;
    bool more = true;
    enum status status = call_begin(store, USER_LIST, &call);
    if (status != OK) {
        return status;
    }
    while (more && (status = call_next(&call)) == OK) {
        struct user user = {0};
        bool is_sound = user_read(&call, &user, false);
        if (is_sound) {
            more = each(context, &user);
        }
        secret_wipe(&user, sizeof user);
        if (!is_sound) {
            status = call_fault_row(&call);
            break;
        }
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}
