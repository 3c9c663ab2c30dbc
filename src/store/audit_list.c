/* Listing the audit log.
 *
 * Rows are shown as they are found, for whoever looks for what happened wants to see what was
 * altered as well; whether they are right is audit_verify's to say. Texts are made fit for
 * terminals both when they are written and when they are read, since the database may have been
 * written to by others. */
#include "store/audit_chain.h"

static void clean_row(struct audit_row *row)
{
    struct audit_row found = *row;
    text_copy_clean(text_of(found.act), row->act, sizeof row->act);
    text_copy_clean(text_of(found.outcome), row->outcome, sizeof row->outcome);
    text_copy_clean(text_of(found.user), row->user, sizeof row->user);
    text_copy_clean(text_of(found.address), row->address, sizeof row->address);
    text_copy_clean(text_of(found.program), row->program, sizeof row->program);
    text_copy_clean(text_of(found.detail), row->detail, sizeof row->detail);
}

static enum status list(struct call *call, bool (*each)(void *context, const struct audit_row *row),
                        void *context)
{
    struct audit_link link;
    bool more = true;
    enum status status = OK;
    while (more && (status = call_next(call)) == OK) {
        if (!audit_link_read(call, &link)) {
            status = call_fault_row(call);
            break;
        }
        clean_row(&link.row);
        more = each(context, &link.row);
    }
    return call_end(call, status == ERR_NOT_FOUND ? OK : status);
}

enum status audit_list(struct store *store, struct text user, int64_t since_s,
                       bool (*each)(void *context, const struct audit_row *row), void *context)
{
    struct call call;
    enum status status = call_begin(store, user.len > 0 ? AUDIT_LIST_OF_USER : AUDIT_LIST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, since_s);
    if (user.len > 0) {
        db_bind_text(call.statement, 2, user);
    }
    return list(&call, each, context);
}

enum status audit_list_last(struct store *store, int64_t user_id, int64_t limit,
                            bool (*each)(void *context, const struct audit_row *row), void *context)
{
    struct call call;
    enum status status = call_begin(store, AUDIT_LIST_LAST, &call);
    if (status != OK) {
        return status;
    }
    db_bind_int64(call.statement, 1, user_id);
    db_bind_int64(call.statement, 2, limit);
    return list(&call, each, context);
}
