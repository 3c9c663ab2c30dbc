/* latchkey secret: what tokens are signed with. Running programs notice by themselves.
 *
 * The file belongs to whom the programs run as, and nobody trusts secrets of somebody else's; so
 * root becomes that user to rotate them. Revoking needs none of them, and works in whatever state
 * they and the database are: it is what one does when something is badly wrong.
 *
 * The audit log is signed with the same secrets. While they are replaced nobody writes to it, so
 * that its end is looked at with the old ones, goes on with the new ones, and has nothing between.
 */
#include <stdio.h>

#include "base/log.h"
#include "cli/audited.h"

/* Opens the store with a transaction, for the audit log alone. */
static enum status open_log(struct invocation *invocation)
{
    const struct config *config = invocation->config;
    enum status status = store_open(config_database_path(config), config_generation_path(config),
                                    STORE_ROLE_ADMIN, &invocation->store);
    return status == OK ? store_begin(invocation->store) : status;
}

static enum status change(struct invocation *invocation, enum status (*change_file)(const char *),
                          const char *detail)
{
    struct keyring *former = NULL;
    bool in_log = invocation->config->log.audit;
    enum status logged = in_log ? open_log(invocation) : OK;
    if (in_log && audited_open_keyring(invocation->config, &former) != OK) {
        log_warning("the audit log will have a break here: what was written before cannot be "
                    "verified any more");
    }
    enum status status = change_file(config_secret_path(invocation->config));
    if (status == OK && in_log && logged == OK) {
        audited_note_secret(invocation, former, detail);
        logged = store_commit(invocation->store);
    }
    if (status == OK && logged != OK) {
        log_warning("the audit log does not tell of this, and will have a break here");
    }
    keyring_free(&former);
    return status;
}

int secret_rotate_run(struct invocation *invocation)
{
    enum status status = command_become_owner(invocation->config);
    if (status == OK) {
        status = change(invocation, keyring_rotate, "rotated");
    }
    if (status == OK) {
        (void)puts("New tokens use a new secret; tokens of the last secrets stay good.");
    }
    return command_finish(status);
}

int secret_revoke_run(struct invocation *invocation)
{
    enum status status = change(invocation, keyring_revoke, "revoked");
    if (status == OK) {
        (void)puts("All secrets were replaced: every session has ended.");
    }
    return command_finish(status);
}
