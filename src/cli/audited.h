/* What the command did, in the audit log. A log that cannot be written holds up nothing: what was
 * asked for is done all the same, and a warning says that the log does not tell of it. */
#ifndef LATCHKEY_CLI_AUDITED_H
#define LATCHKEY_CLI_AUDITED_H

#include "cli/command.h"
#include "store/audit.h"

/* Reads the secrets of the configuration as the user whom the state belongs to, also as root.
 * Failures as keyring_open, and ERR_SYSTEM, all logged. */
enum status audited_open_keyring(const struct config *config, struct keyring **out) MUST_USE;

/* Notes what was done, unless the log is switched off; in the transaction of the command's store,
 * if there is one. */
void audited_note(const struct invocation *invocation, const struct audit_event *event);

/* The same for an act on the account of a user, who may be gone by now. */
void audited_note_user(const struct invocation *invocation, enum audit_act act,
                       const struct user *user, const char *detail);

/* The same while secrets are being replaced, in one transaction with it: `former` are those before,
 * NULL when they cannot be read. Also when the log is switched off: who calls it knows why. */
void audited_note_secret(const struct invocation *invocation, const struct keyring *former,
                         const char *detail);

#endif
