/* An audit log over a real database and a real secret, for tests that write it, harm it and look
 * at it. */
#ifndef LATCHKEY_TESTS_AUDIT_LOG_H
#define LATCHKEY_TESTS_AUDIT_LOG_H

#include "database.h"
#include "store/audit.h"

#define AUDIT_LOG_KEEP_S 1000

/* What rows are written with: program "login", kept for AUDIT_LOG_KEEP_S. */
extern struct audit audit;

/* Makes an empty log, of an admin's store; and lets go of it. For cmocka. */
int audit_log_open(void **state);
int audit_log_close(void **state);

/* The file of the secret. */
const char *audit_log_secret(void);

/* Adds a row: that alice, of number 7, signed in from 192.0.2.7. */
enum status audit_log_note(int64_t now_s, const char *detail);

/* Adds `count` such rows, a second apart, with the details "row 1", "row 2" and so on. */
void audit_log_write(int64_t now_s, int count);

/* Adds one at NOON + 50, without what is logged meanwhile on standard error. */
void audit_log_note_quietly(void);

/* What a verification with the secrets in the file comes to; and what it should come to. `because`
 * is for the message of a test that fails. */
struct audit_finding audit_log_verify(void);
void audit_log_expect_whole(int64_t rows);
void audit_log_expect_bad(int64_t number, const char *what, const char *because);

/* Whether the row of that number says that it follows a break: 1 or 0. */
int64_t audit_log_is_marked(int64_t id);

#endif
