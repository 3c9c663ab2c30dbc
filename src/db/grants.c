/* What a connection may do, by table and column: SQLite asks here while it prepares a statement.
 *
 * This is the second layer. The first is that a program can only run the statements that its role
 * names; this one holds even if that table were wrong. It does not help against somebody who runs
 * his own code in the process: such a one opens the file himself. */
#include <string.h>

#include "db/sqlite.h"

/* An empty column stands for a table of which rows are counted, but no column is read. */
static bool is_column_of(const struct db_grant *grant, const char *column)
{
    return grant->column == NULL || column == NULL ||
           (column[0] == '\0' && grant->action == DB_READ) || strcmp(grant->column, column) == 0;
}

static bool is_granted(const struct db *db, enum db_action action, const char *table,
                       const char *column)
{
    for (const struct db_grant *grant = db->grants; table != NULL && grant->table != NULL;
         grant++) {
        if ((grant->whose & db->who) != 0 && grant->action == action &&
            strcmp(grant->table, table) == 0 && is_column_of(grant, column)) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the order is SQLite's. */
int db_authorize(void *context, int action, const char *first, const char *second,
                 const char *database, const char *trigger)
{
    const struct db *db = context;
    bool granted = false;
    (void)trigger;
    if (db->grants == NULL) {
        return SQLITE_OK;
    }
    if (database != NULL && strcmp(database, "main") != 0) {
        return SQLITE_DENY;
    }
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_TRANSACTION:
        granted = true;
        break;
    case SQLITE_READ:
        granted = is_granted(db, DB_READ, first, second);
        break;
    case SQLITE_INSERT:
        granted = is_granted(db, DB_INSERT, first, NULL);
        break;
    case SQLITE_UPDATE:
        granted = is_granted(db, DB_UPDATE, first, second);
        break;
    case SQLITE_DELETE:
        granted = is_granted(db, DB_DELETE, first, NULL);
        break;
    case SQLITE_PRAGMA: /* db_get_use; nothing is set */
        granted = second == NULL && first != NULL &&
                  (strcmp(first, "page_count") == 0 || strcmp(first, "freelist_count") == 0);
        break;
    default:
        break;
    }
    return granted ? SQLITE_OK : SQLITE_DENY;
}
