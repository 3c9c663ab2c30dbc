/* What the files of this folder share about a store. Nothing outside includes it. */
#ifndef LATCHKEY_STORE_INTERNAL_H
#define LATCHKEY_STORE_INTERNAL_H

#include "store/statements.h"

struct store {
    char *path;
    enum store_role role;
    struct db *db;                               /* NULL until needed, and after a fault */
    struct db_statement *statements[STATEMENTS]; /* prepared when first needed */
    struct generation *generation;               /* NULL: nobody is to be told of revocations */
};

/* Makes sure that the store is connected to the file that its path names now. */
enum status store_connect(struct store *store) MUST_USE;

/* After a failure: rolls back, and disconnects if the connection is spoiled. Returns `status`. */
enum status store_settle(struct store *store, enum status status) MUST_USE;

#endif
