/* Whoever hashes waits in line: here for a new password, in attempt.c for one that is tried. */
#include "auth/hashing.h"

enum status hashing_make(struct auth *auth, struct text password, char out[PASSWORD_HASH_MAX])
{
    const struct password_cost cost = {auth->config->password.memory_bytes,
                                       auth->config->password.passes};
    enum status status = auth->line != NULL ? hash_line_enter(auth->line) : OK;
    if (status == OK) {
        status = password_hash(password, &cost, out);
        if (auth->line != NULL) {
            hash_line_leave(auth->line);
        }
    }
    return status;
}
