/* The latchkey command: what every subcommand gets, and the table of them. */
#ifndef LATCHKEY_CLI_COMMAND_H
#define LATCHKEY_CLI_COMMAND_H

#include "base/config.h"
#include "cli/options.h"
#include "store/users.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What must stand ready before a command runs. */
enum need { NEED_NOTHING, NEED_CONFIG, NEED_STORE };

struct invocation {
    const struct command *command;
    struct options options;
    struct config *config; /* with NEED_CONFIG and NEED_STORE */
    struct store *store;   /* with NEED_STORE: opened and of the right version */
};

struct command {
    const char *group; /* "user" of "user add", or NULL; may be the name of a command as well */
    const char *name;
    const char *operand; /* "NAME"; "[USER]" when it may be left out; NULL when there is none */
    const char *help;    /* one line */
    enum need need;
    unsigned options; /* OPTION_… that it takes */
    int (*run)(struct invocation *invocation);
};

/* Runs the command that the arguments name and returns the exit status: EXIT_DONE, EXIT_FAILED, or
 * EXIT_USAGE when they were wrong. Failures are told on standard error in one line. */
int command_dispatch(int argc, char **argv) MUST_USE;

/* Prints "latchkey: …" and a line end on standard error; returns EXIT_FAILED. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* EXIT_DONE for OK; else EXIT_FAILED, for the cause is in the log already, but that memory is
 * lacking, which is told here. */
int command_finish(enum status status);

/* As root, becomes the user that the state belongs to, for good: for commands that do what the
 * programs do. Failures are in the log. */
enum status command_become_owner(const struct config *config) MUST_USE;

/* The user that the operand names; EXIT_FAILED (told) when there is none, else EXIT_DONE. */
int command_find_user(struct invocation *invocation, struct user *out) MUST_USE;

/* The commands, each in the file of its noun. */
int init_run(struct invocation *invocation);
int migrate_run(struct invocation *invocation);
int backup_run(struct invocation *invocation);
int check_run(struct invocation *invocation);
int serve_run(struct invocation *invocation);
int user_add_run(struct invocation *invocation);
int user_invite_run(struct invocation *invocation);
int user_passwd_run(struct invocation *invocation);
int user_reset_link_run(struct invocation *invocation);
int user_list_run(struct invocation *invocation);
int user_lock_run(struct invocation *invocation);
int user_unlock_run(struct invocation *invocation);
int user_remove_run(struct invocation *invocation);
int user_import_run(struct invocation *invocation);
int session_list_run(struct invocation *invocation);
int session_revoke_run(struct invocation *invocation);
int session_revoke_user_run(struct invocation *invocation);
int session_revoke_all_run(struct invocation *invocation);
int session_purge_run(struct invocation *invocation);
int audit_run(struct invocation *invocation);
int audit_verify_run(struct invocation *invocation);
int throttle_list_run(struct invocation *invocation);
int throttle_clear_run(struct invocation *invocation);
int secret_rotate_run(struct invocation *invocation);
int secret_revoke_run(struct invocation *invocation);

#endif
