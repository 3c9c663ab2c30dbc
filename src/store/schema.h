/* The steps of a schema: numbered files, applied in order, each once. */
#ifndef LATCHKEY_STORE_SCHEMA_H
#define LATCHKEY_STORE_SCHEMA_H

#include "base/embedded.h"
#include "db/db.h"

/* The number of the last step: the one at the beginning of its name, as in
 * "001_users_and_sessions.sql". */
int schema_number(const struct embedded_file *steps);

/* Applies the steps that the database has not yet, each in a transaction with its number. */
enum status schema_apply(struct db *db, const struct embedded_file *steps) MUST_USE;

#endif
