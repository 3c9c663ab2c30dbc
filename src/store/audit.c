/* Writing the audit log.
 *
 * Whoever adds a row looks first whether the log ends as it was left: what is recorded of its ends
 * has a good tag, the last row is the one that is recorded, has a good tag and follows on the row
 * before it. So a good tag of a row that is not marked as broken vouches for its predecessor, also
 * when the secret of that one is gone. All of it is one transaction for writing, so there is no row
 * between the look and the addition.
 *
 * The secrets are read again within the transaction, since `latchkey secret` replaces them within
 * one: no row is signed with a secret that was revoked before it.
 *
 * Rows that were kept for long enough are looked at before they go: else it would be enough to make
 * a row look old to have it taken away.
 *
 * After a break the log goes on, for what comes later is wanted all the more. */
#include "store/audit.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "store/audit_chain.h"

#define TRIM_STEP 32   /* rows that one addition looks at to take them away */
#define WARN_EACH 1000 /* rows that are added */

/* What the log ends with, as it is found. */
struct tail {
    struct audit_ends ends;
    struct audit_link last;
    bool has_last;
    int64_t taken_s;   /* the time of the newest row that was taken away; 0: none was */
    const char *fault; /* what is not as it was left; NULL: nothing */
};

const char *audit_act_word(enum audit_act act)
{
    static const char *const words[AUDIT_ACTS] = {
        [AUDIT_SIGN_IN] = "sign-in",   [AUDIT_SIGN_OUT] = "sign-out", [AUDIT_PASSWORD] = "password",
        [AUDIT_LINK] = "link",         [AUDIT_USER] = "user",         [AUDIT_LOCK] = "lock",
        [AUDIT_REVOKE] = "revoke",     [AUDIT_SECRET] = "secret",     [AUDIT_IMPORT] = "import",
        [AUDIT_THROTTLE] = "throttle",
    };
    return (unsigned)act < AUDIT_ACTS ? words[act] : "unknown";
}

const char *audit_outcome_word(enum audit_outcome outcome)
{
    static const char *const words[AUDIT_OUTCOMES] = {
        [AUDIT_DONE] = "done",
        [AUDIT_REFUSED] = "refused",
    };
    return (unsigned)outcome < AUDIT_OUTCOMES ? words[outcome] : "unknown";
}

/* ---- what is found ---- */

static enum status read_ends(struct store *store, struct tail *tail)
{
    struct call call;
    enum status status = call_begin(store, AUDIT_ENDS_GET, &call);
    if (status != OK) {
        return status;
    }
    status = call_next(&call);
    if (status == OK && !audit_ends_read(&call, &tail->ends)) {
        tail->fault = "what is recorded of its ends cannot be read";
        tail->ends = (struct audit_ends){0};
    }
    return call_end(&call, status);
}

static enum status read_last(struct store *store, struct tail *tail)
{
    struct call call;
    enum status status = call_begin(store, AUDIT_FIND_LAST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, AUDIT_ID_MAX);
    status = call_next(&call);
    if (status == OK) {
        tail->has_last = true;
        if (!audit_link_read(&call, &tail->last)) {
            tail->fault = "its last row cannot be read";
        }
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

/* The digest of the row before the last, which is not the one of the number before when rows were
 * removed. ERR_NOT_FOUND: there is none that can be read. */
static enum status find_before_last(struct store *store, const struct tail *tail,
                                    uint8_t out[DIGEST_BYTES])
{
    struct audit_link link = {0};
    struct call call;
    if (tail->last.row.id == tail->ends.first) {
        memcpy(out, tail->ends.before, DIGEST_BYTES);
        return OK;
    }
    enum status status = call_begin(store, AUDIT_FIND_LAST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, tail->last.row.id);
    status = call_next(&call);
    if (status == OK && !audit_link_read(&call, &link)) {
        status = ERR_NOT_FOUND;
    }
    memcpy(out, link.digest, DIGEST_BYTES);
    return call_end(&call, status);
}

static bool is_recorded_end(const struct tail *tail)
{
    return tail->ends.last == tail->last.row.id &&
           secret_is_equal(tail->ends.digest, tail->last.digest, DIGEST_BYTES);
}

/* What is wrong with a log that has rows or ends, as far as these themselves tell. */
static const char *judge_tail(const struct keyring *keyring, const struct tail *tail)
{
    if (tail->ends.first == 0) {
        return "it is not recorded where it ends";
    }
    if (audit_ends_judge(keyring, &tail->ends) != AUDIT_TAG_RIGHT) {
        return "what is recorded of its ends has no tag of a present secret";
    }
    if (!tail->has_last) {
        return "its rows are gone";
    }
    if (!is_recorded_end(tail)) {
        return "it does not end with the row that was written last";
    }
    return audit_link_judge(keyring, &tail->last) != AUDIT_TAG_RIGHT
               ? "its last row has no tag of a present secret"
               : NULL;
}

static enum status check_tail(const struct audit *audit, struct tail *tail)
{
    uint8_t before[DIGEST_BYTES] = {0};
    if (tail->fault != NULL || (!tail->has_last && tail->ends.first == 0)) {
        return OK; /* or the log begins here */
    }
    tail->fault = judge_tail(audit->former != NULL ? audit->former : audit->keyring, tail);
    if (tail->fault != NULL) {
        return OK;
    }
    enum status status = find_before_last(audit->store, tail, before);
    /* That all before it is gone was told when it was written. */
    bool follows = status == OK ? audit_link_follows(before, &tail->last)
                                : status == ERR_NOT_FOUND && tail->last.row.broken;
    if (!follows && (status == OK || status == ERR_NOT_FOUND)) {
        tail->fault = "its last row does not follow on the one before it";
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status find_tail(const struct audit *audit, struct tail *out)
{
    *out = (struct tail){.fault = NULL};
    enum status status = read_ends(audit->store, out);
    if (status == OK) {
        status = read_last(audit->store, out);
    }
    return status == OK ? check_tail(audit, out) : status;
}

/* ---- what was kept for long enough ---- */

/* The number of the last row to take away now; 0: none is due. */
static enum status find_due(const struct audit *audit, int64_t now_s, const struct tail *tail,
                            int64_t *out)
{
    struct call call;
    enum status status = call_begin(audit->store, AUDIT_DUE, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, now_s - audit->keep_s);
    db_bind_int64(call.statement, 2, tail->ends.last - AUDIT_ROWS_MAX);
    db_bind_int64(call.statement, 3, TRIM_STEP);
    status = call_next(&call);
    *out = status == OK ? db_column_int64(call.statement, 0) : 0;
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

/* Moves the beginning of the log behind a row that goes. */
static void pass_row(const struct keyring *keyring, struct call *call, struct tail *tail)
{
    struct audit_link link = {0};
    bool good = audit_link_read(call, &link) && link.row.id == tail->ends.first &&
                audit_link_follows(tail->ends.before, &link) &&
                audit_link_judge(keyring, &link) != AUDIT_TAG_WRONG;
    if (!good && tail->fault == NULL) {
        tail->fault = "rows that were kept for long enough were altered";
    }
    if (link.row.at_s > tail->taken_s) {
        tail->taken_s = link.row.at_s;
    }
    if (link.row.id >= tail->ends.first && link.row.id < AUDIT_ID_MAX) {
        tail->ends.first = link.row.id + 1;
        memcpy(tail->ends.before, link.digest, DIGEST_BYTES);
    }
}

static enum status pass_rows(const struct audit *audit, int64_t due, struct tail *tail)
{
    struct call call;
    enum status status = call_begin(audit->store, AUDIT_OLDEST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, due);
    while ((status = call_next(&call)) == OK) {
        pass_row(audit->former != NULL ? audit->former : audit->keyring, &call, tail);
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

static enum status trim(const struct audit *audit, int64_t now_s, struct tail *tail)
{
    struct call call;
    int64_t due = 0;
    enum status status = find_due(audit, now_s, tail, &due);
    if (status != OK || due == 0) {
        return status;
    }
    status = pass_rows(audit, due, tail);
    if (status == OK) {
        status = call_begin(audit->store, AUDIT_TRIM, &call);
    }
    if (status == OK) {
        db_bind_int64(call.statement, 1, due);
        status = call_run(&call, NULL);
    }
    return status;
}

/* Rows leave before their time when very many are added, which may be what somebody wants who has
 * something to hide. Once in a while is enough to say it, for it goes on with each row. In a log
 * that is not full the newest row that left may be as young: programs write a second's rows in any
 * order, and an older one behind it takes it along. */
static void warn_of_loss(const struct audit *audit, int64_t now_s, const struct tail *tail,
                         int64_t id)
{
    bool is_full = tail->ends.last - tail->ends.first + 1 >= AUDIT_ROWS_MAX;
    if (is_full && id % WARN_EACH == 0 && tail->taken_s >= now_s - audit->keep_s) {
        log_warning("the audit log has more than %d rows, so some that are younger than log.keep "
                    "leave it; see `latchkey audit` for who adds so many, and keep copies of it",
                    AUDIT_ROWS_MAX);
    }
}

/* ---- what is added ---- */

static void fill_row(const struct audit *audit, int64_t now_s, const struct audit_event *event,
                     struct audit_row *out)
{
    out->at_s = now_s;
    out->user_id = event->user_id;
    text_copy_clean(text_of(audit_act_word(event->act)), out->act, sizeof out->act);
    text_copy_clean(text_of(audit_outcome_word(event->outcome)), out->outcome, sizeof out->outcome);
    text_copy_clean(event->user, out->user, sizeof out->user);
    text_copy_clean(event->address, out->address, sizeof out->address);
    text_copy_clean(audit->program.len > 0 ? audit->program : TEXT("-"), out->program,
                    sizeof out->program);
    text_copy_clean(event->detail, out->detail, sizeof out->detail);
}

static enum status put_link(struct store *store, const struct audit_link *link)
{
    const struct audit_row *row = &link->row;
    struct call call;
    enum status status = call_begin(store, AUDIT_ADD, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, row->id);
    db_bind_int64(call.statement, 2, row->at_s);
    db_bind_text(call.statement, 3, text_of(row->act));
    db_bind_text(call.statement, 4, text_of(row->outcome));
    db_bind_int64(call.statement, 5, row->user_id);
    db_bind_text(call.statement, 6, text_of(row->user));
    db_bind_text(call.statement, 7, text_of(row->address));
    db_bind_text(call.statement, 8, text_of(row->program));
    db_bind_text(call.statement, 9, text_of(row->detail));
    db_bind_int64(call.statement, 10, row->broken ? 1 : 0);
    db_bind_int64(call.statement, 11, link->secret_id);
    db_bind_blob(call.statement, 12, link->digest, sizeof link->digest);
    db_bind_blob(call.statement, 13, link->tag, sizeof link->tag);
    return call_run(&call, NULL);
}

static enum status put_ends(struct store *store, const struct audit_ends *ends)
{
    struct call call;
    enum status status = call_begin(store, AUDIT_ENDS_PUT, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, ends->first);
    db_bind_blob(call.statement, 2, ends->before, sizeof ends->before);
    db_bind_int64(call.statement, 3, ends->last);
    db_bind_blob(call.statement, 4, ends->digest, sizeof ends->digest);
    db_bind_int64(call.statement, 5, ends->secret_id);
    db_bind_blob(call.statement, 6, ends->tag, sizeof ends->tag);
    return call_run(&call, NULL);
}

/* The row in the chain, and the end of the log moved behind it; both signed. */
static enum status chain(const struct audit *audit, struct tail *tail, struct audit_link *link)
{
    struct audit_ends *ends = &tail->ends;
    const uint8_t *before = tail->has_last ? tail->last.digest : ends->digest;
    uint32_t secret_id = 0;
    enum status status = keyring_get_current(audit->keyring, &secret_id);
    link->row.broken = tail->fault != NULL;
    link->secret_id = ends->secret_id = secret_id;
    audit_link_digest(before, link, link->digest);
    if (ends->first == 0) {
        ends->first = link->row.id;
        memcpy(ends->before, before, sizeof ends->before);
    }
    ends->last = link->row.id;
    memcpy(ends->digest, link->digest, sizeof ends->digest);
    if (status == OK) {
        status = audit_link_sign(audit->keyring, link);
    }
    return status == OK ? audit_ends_sign(audit->keyring, ends) : status;
}

/* The number of the next row: behind all that are there, and all that are said to have been. */
static enum status choose_id(const struct tail *tail, int64_t *out)
{
    int64_t last = tail->last.row.id > tail->ends.last ? tail->last.row.id : tail->ends.last;
    if (last >= AUDIT_ID_MAX - 1) {
        log_error("the audit log was altered, and the numbers of its rows are used up; empty the "
                  "tables audit and audit_ends, or restore a backup");
        return ERR_STORE;
    }
    *out = last > 0 ? last + 1 : 1;
    return OK;
}

static enum status add(const struct audit *audit, int64_t now_s, const struct audit_event *event)
{
    struct tail tail;
    struct audit_link link = {0};
    enum status status = keyring_refresh(audit->keyring);
    if (status == OK) {
        status = find_tail(audit, &tail);
    }
    if (status == OK) {
        status = choose_id(&tail, &link.row.id);
    }
    if (status == OK) {
        status = trim(audit, now_s, &tail);
    }
    if (status != OK) {
        return status;
    }
    warn_of_loss(audit, now_s, &tail, link.row.id);
    fill_row(audit, now_s, event, &link.row);
    status = chain(audit, &tail, &link);
    if (status == OK) {
        status = put_link(audit->store, &link);
    }
    if (status == OK) {
        status = put_ends(audit->store, &tail.ends);
    }
    if (tail.fault != NULL && status == OK) {
        log_error("the audit log is not as it was left: %s; its row %lld is marked as following a "
                  "break; see `latchkey audit verify`",
                  tail.fault, (long long)link.row.id);
    }
    return status;
}

enum status audit_is_begun(struct store *store, bool *out)
{
    struct tail tail = {.fault = NULL};
    enum status status = read_ends(store, &tail);
    *out = status == OK && (tail.ends.first != 0 || tail.fault != NULL);
    return status;
}

enum status audit_note(const struct audit *audit, int64_t now_s, const struct audit_event *event)
{
    bool own = false;
    if (!audit->is_on) {
        return OK;
    }
    enum status status = scope_open(audit->store, &own);
    if (status != OK) {
        return status;
    }
    status = add(audit, now_s, event);
    if (status == ERR_EXISTS) { /* a number that the database has and does not give */
        log_error("the audit log cannot be written to: its table is damaged; restore a backup");
        status = ERR_STORE;
    }
    return scope_close(audit->store, own, status);
}
