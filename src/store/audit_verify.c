/* Looking at the whole audit log.
 *
 * All rows are read in one statement, while the one that gave the ends is still open, so that both
 * are of one state of the database, however many write meanwhile.
 *
 * A row whose secret is gone has a tag that nobody can check any more. A later row with a good tag,
 * which says that the log was whole when it was written, vouches for it, since its digest is over
 * all rows before. Where there is no such row, nobody vouches: at the end of the log that is a
 * fault. */
#include "store/audit_chain.h"

#include <string.h>

#include "base/secret.h"

struct walk {
    struct store *store;
    const struct keyring *keyring;
    struct audit_ends ends;
    int64_t next;                 /* number that the next row should have */
    uint8_t before[DIGEST_BYTES]; /* digest of the row before it */
    int64_t pending;              /* rows at the end so far that nobody vouches for yet */
    int64_t first_pending;
    struct audit_finding finding;
};

/* Only the first fault counts: what follows on it is wrong for that alone. */
static void note_fault(struct walk *walk, int64_t number, const char *what)
{
    if (walk->finding.what == NULL) {
        walk->finding.bad = number;
        walk->finding.what = what;
    }
}

static void check_number(struct walk *walk, int64_t number)
{
    if (walk->ends.first == 0) {
        note_fault(walk, number, "is there, but where the log begins and ends is not recorded");
    } else if (number >= walk->next && walk->next > walk->ends.last) {
        note_fault(walk, number, "stands behind the end of the log");
    } else if (number > walk->next) {
        note_fault(walk, walk->next, "is missing");
    } else if (number < walk->next) {
        note_fault(walk, number, "stands before the beginning of the log");
    }
}

static void check_tag(struct walk *walk, const struct audit_link *link)
{
    enum audit_tag tag = audit_link_judge(walk->keyring, link);
    if (tag == AUDIT_TAG_WRONG) {
        note_fault(walk, link->row.id, "was altered");
    } else if (tag == AUDIT_TAG_RIGHT && !link->row.broken) {
        walk->finding.unverified += walk->pending;
        walk->pending = 0;
    } else if (tag == AUDIT_TAG_UNKNOWN) {
        walk->first_pending = walk->pending == 0 ? link->row.id : walk->first_pending;
        walk->pending++;
    }
}

static void check_row(struct walk *walk, struct call *call)
{
    struct audit_link link = {0};
    bool can_be_read = audit_link_read(call, &link);
    walk->finding.rows++;
    if (walk->finding.what != NULL) {
        return;
    }
    check_number(walk, link.row.id);
    if (!can_be_read || !audit_link_follows(walk->before, &link)) {
        note_fault(walk, link.row.id, "was altered");
    }
    check_tag(walk, &link);
    if (link.row.broken) {
        note_fault(walk, link.row.id,
                   "was written after a break: the log before it had been altered by then");
    }
    walk->next = walk->finding.what == NULL ? link.row.id + 1 : walk->next;
    memcpy(walk->before, link.digest, sizeof walk->before);
}

/* After the last row. */
static void check_end(struct walk *walk)
{
    const struct audit_ends *ends = &walk->ends;
    if (ends->first == 0 || walk->finding.what != NULL) {
        return;
    }
    enum audit_tag tag = audit_ends_judge(walk->keyring, ends);
    if (walk->next <= ends->last) {
        note_fault(walk, walk->next, "is missing");
    } else if (walk->next > ends->last + 1) {
        note_fault(walk, ends->last + 1, "stands behind the end of the log");
    } else if (walk->pending > 0) {
        note_fault(walk, walk->first_pending,
                   "has a tag of a secret that is gone, and no later row vouches for it");
    } else if (tag == AUDIT_TAG_UNKNOWN) {
        note_fault(walk, ends->last, "is the last, but the secret that says so is gone");
    } else if (tag != AUDIT_TAG_RIGHT ||
               !secret_is_equal(ends->digest, walk->before, sizeof walk->before)) {
        note_fault(walk, ends->last, "is the last, but what is recorded of the end was altered");
    }
}

static enum status check_rows(struct walk *walk)
{
    struct call call;
    enum status status = call_begin(walk->store, AUDIT_LIST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, INT64_MIN);
    while ((status = call_next(&call)) == OK) {
        check_row(walk, &call);
    }
    return call_end(&call, status == ERR_NOT_FOUND ? OK : status);
}

static enum status check_log(struct walk *walk)
{
    struct call call;
    enum status status = call_begin(walk->store, AUDIT_ENDS_GET, &call);
    if (status != OK) {
        return status;
    }
    status = call_next(&call);
    if (status == OK && !audit_ends_read(&call, &walk->ends)) {
        note_fault(walk, 1, "may be the first or not: what is recorded of the ends was altered");
    }
    walk->next = walk->ends.first;
    memcpy(walk->before, walk->ends.before, sizeof walk->before);
    if (status == OK) {
        status = check_rows(walk);
    }
    return call_end(&call, status);
}

enum status audit_verify(struct store *store, const struct keyring *keyring,
                         struct audit_finding *out)
{
    struct walk walk = {.store = store, .keyring = keyring};
    enum status status = check_log(&walk);
    if (status == OK) {
        check_end(&walk);
        *out = walk.finding;
    }
    return status;
}
