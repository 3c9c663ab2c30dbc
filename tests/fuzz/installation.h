/* An installation in the scratch folder, for targets that need one: set up once in a process, with
 * the same secrets each time. */
#ifndef LATCHKEY_TESTS_FUZZ_INSTALLATION_H
#define LATCHKEY_TESTS_FUZZ_INSTALLATION_H

#include "base/config.h"
#include "store/store.h"

/* Sessions that last for as long as a process may run, no audit log, an empty database, and errors
 * alone in the log. Lives as long as the process. */
struct config *installation_make(void);

/* A store over its database. */
struct store *installation_open(const struct config *config, enum store_role role);

#endif
