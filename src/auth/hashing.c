/* Whoever hashes waits in line: here for a new password, in attempt.c for one that is tried. */
#include "auth/hashing.h"

enum status hashing_make(const struct config *config, struct hash_line *line, struct text password,
                         char out[PASSWORD_HASH_MAX])
{
    const struct password_cost cost = {config->password.memory_bytes, config->password.passes};
    enum status status = line != NULL ? hash_line_enter(line) : OK;
    if (status == OK) {
        status = password_hash(password, &cost, out);
        if (line != NULL) {
            hash_line_leave(line);
        }
    }
    return status;
}

enum status hashing_try(const struct config *config, struct hash_line *line, struct text password,
                        char out[PASSWORD_HASH_MAX])
{
    if (line != NULL) {
        hash_line_limit_wait(line, HASHING_TRY_MS);
    }
    enum status status = hashing_make(config, line, password, out);
    if (line != NULL) {
        hash_line_limit_wait(line, HASH_LINE_WAIT_MS);
    }
    return status;
}
