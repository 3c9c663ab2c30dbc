/* The folders are the state directory, the run directory and that of the database, if it is
 * another: SQLite makes and removes files beside a database, so single files would not do. */
#include "confine/plan.h"

#include "base/file.h"
#include "base/log.h"

#define MIB                 (UINT64_C(1) << 20)
#define DESCRIPTORS_BESIDES 64          /* databases, logs, sockets between processes */
#define MEMORY_BESIDES      (128 * MIB) /* of which an idle program takes a hundredth */
#define HASH_MOST           (512 * MIB) /* a stored hash may ask for half (PASSWORD_MEMORY_KIB_MAX) */
#define DATA_COPIES         8           /* of what a session holds, while an answer is made */

enum status confine_plan_make(const struct config *config, const struct confine_habits *habits,
                              struct confine_plan *out)
{
    const char *database = config_database_path(config);
    *out = (struct confine_plan){
        .watches = habits->watches,
        .sends_messages = habits->hashes,
        .descriptors = habits->connections + DESCRIPTORS_BESIDES,
        .memory_bytes = MEMORY_BESIDES + (habits->hashes ? HASH_MOST : 0) +
                        DATA_COPIES * config->session.data_limit_bytes,
    };
    if (!file_print_folder(database, out->database_folder)) {
        log_error("%s: too long for a path", database);
        return ERR_TOO_LARGE;
    }
    out->folders[0] = config->state.directory;
    out->folders[1] = config->state.run_directory;
    out->folders[2] = out->database_folder;
    return OK;
}
