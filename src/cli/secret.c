/* latchkey secret: what tokens are signed with. Running programs notice by themselves.
 *
 * The file belongs to whom the programs run as, and nobody trusts secrets of somebody else's; so
 * root becomes that user to rotate them. Revoking needs none of them, and works in whatever state
 * they and the database are: it is what one does when something is badly wrong.
 *
 * The audit log is signed with the same secrets. While they are replaced nobody writes to it, so
 * that its end is looked at with the old ones, goes on with the new ones, and has nothing between.
 * That is so also while it is switched off: else it could not be believed when it is on again. */
#include <stdio.h>

#include "base/log.h"
#include "cli/audited.h"
#include "store/links.h"

/* Opens the store with a transaction, for the audit log alone. *is_kept: whether there is a log
 * that has to go on; also after a failure, when it may be so. */
static enum status open_log(struct invocation *invocation, bool *is_kept)
{
    const struct config *config = invocation->config;
    bool is_begun = false;
    *is_kept = true;
    enum status status = store_open(config_database_path(config), config_generation_path(config),
                                    STORE_ROLE_ADMIN, &invocation->store);
    if (status == OK) {
        status = store_begin(invocation->store);
    }
    if (status == OK) {
        status = audit_is_begun(invocation->store, &is_begun);
    }
    if (status == OK) {
        *is_kept = is_begun || config->log.audit;
    }
    return status;
}

static enum status change(struct invocation *invocation, enum status (*change_file)(const char *),
                          const char *detail)
{
    struct keyring *former = NULL;
    bool is_kept = true;
    enum status logged = open_log(invocation, &is_kept);
    if (is_kept && audited_open_keyring(invocation->config, &former) != OK) {
        log_warning("the audit log will have a break here: what was written before cannot be "
                    "verified any more");
    }
    enum status status = change_file(config_secret_path(invocation->config));
    if (status == OK && logged == OK) {
        if (is_kept) {
            audited_note_secret(invocation, former, detail);
        }
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
    if (status == OK && invocation->store != NULL && links_remove_all(invocation->store) != OK) {
        log_warning("one-time links that were made before stay good for their day");
    }
    if (status == OK) {
        (void)puts("All secrets were replaced: every session has ended.");
    }
    return command_finish(status);
}
