/* latchkey secret: what tokens are signed with. Running programs notice by themselves. */
#include <stdio.h>

#include "cli/command.h"
#include "crypto/keyring.h"

int secret_rotate_run(struct invocation *invocation)
{
    enum status status = keyring_rotate(config_secret_path(invocation->config));
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
