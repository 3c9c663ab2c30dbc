/* A small database of ours with one table, for tests of the engine: "test.db" in the scratch
 * folder. Its table is thing (id, name, secret); names are unique and shorter than 10. */
#ifndef LATCHKEY_TESTS_THINGS_H
#define LATCHKEY_TESTS_THINGS_H

#include "db/db.h"

/* Takes the files away; gives the path. */
const char *things_remove(void);

/* An open one, new, or as it is. */
struct db *things_make(void);
struct db *things_open(void);

/* Adds one. */
enum status things_add(struct db *db, const char *name) MUST_USE;

/* The single number that a statement gives; fails the test when there is none. */
int64_t things_ask(struct db *db, const char *sql);

#endif
