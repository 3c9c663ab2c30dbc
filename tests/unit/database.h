/* A real database in the scratch folder, for tests of whatever stands on the store. */
#ifndef LATCHKEY_TESTS_DATABASE_H
#define LATCHKEY_TESTS_DATABASE_H

#include "db/db.h"
#include "store/links.h"
#include "store/sessions.h"

#define NOON INT64_C(1800000000) /* the time at which tests begin */

/* The letters of the roles in tables of what each may do: one for each of gate, login, logout (o),
 * account (s), an application (p) and admin. */
struct database_role {
    enum store_role role;
    char letter;
};
extern const struct database_role database_roles[6];

/* Removes what is there and makes an empty database; gives its path. */
const char *database_make(void);

/* A store over that database; fails the test when it cannot be had. */
struct store *database_open(enum store_role role);

/* Adds a user with a hash that nothing matches, made at NOON. */
struct user database_add_user(struct store *store, const char *name);

/* Adds a session of the user that began at NOON, idle limit 100 s, absolute limit 1000 s; its key
 * is 32 times `byte`. */
struct session_row database_add_session(struct store *store, const struct user *user, char byte);

/* Uses a one-time link up, with nothing beside it. */
enum status database_use_link(struct store *store, struct text code, const char *hash,
                              int64_t now_s, struct user *out);

/* Revokes a session that nobody has, which becomes the newest revocation and is never over. */
void database_revoke_another(struct store *store);

/* Notes one use of a session. */
enum status database_touch(struct store *store, const struct session_row *row, int64_t seen_s);

/* Opens a database of users past the store. */
enum status database_connect(const char *path, enum db_mode mode, struct db **out) MUST_USE;

/* Runs SQL past the store, and asks for a number. */
void database_exec(const char *script);
int64_t database_ask(const char *sql);

/* Moves the database with its log away, and back. */
void database_hide(void);
void database_show(void);

/* Overwrites every page but the first `pages` with noise. */
void database_damage(long pages);

#endif
