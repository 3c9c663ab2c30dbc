/* What the policy (auth/auth.h) needs in the scratch folder: a configuration, a secret, an empty
 * database and users; for tests that sign in and change passwords. */
#ifndef LATCHKEY_TESTS_POLICY_H
#define LATCHKEY_TESTS_POLICY_H

#include "auth/auth.h"
#include "database.h"

#define POLICY_PASSWORD TEXT("correct horse")

/* The cost of passwords there, so that many can be tried. */
extern const struct password_cost policy_cost;

/* A configuration for the scratch folder, with a new secret, an empty database and no cache there.
 * config_free. */
struct config *policy_make(void);

/* Adds a user with POLICY_PASSWORD, made at NOON. */
struct user policy_add_user(struct store *store, const char *name);

#endif
