/* latchkey secret: what tokens are signed with. Running programs notice by themselves.
 *
 * The file belongs to whom the programs run as, and nobody trusts secrets of somebody else's; so
 * root becomes that user to read them. Revoking reads none, and works in whatever state they are.
 */
#include <stdio.h>

#include "cli/command.h"
#include "crypto/keyring.h"

int secret_rotate_run(struct invocation *invocation)
{
    enum status status = command_become_owner(invocation->config);
    if (status == OK) {
        status = keyring_rotate(config_secret_path(invocation->config));
    }
    if (status == OK) {
        (void)puts("New tokens use a new secret; tokens of the last secrets stay good.");
    }
    return command_finish(status);
}

int secret_revoke_run(struct invocation *invocation)
{
    enum status status = keyring_revoke(config_secret_path(invocation->config));
    if (status == OK) {
        (void)puts("All secrets were replaced: every session has ended.");
    }
    return command_finish(status);
}
