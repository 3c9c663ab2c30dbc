/* The steps of a schema.
 *
 * The number of the last one that was applied stands in the file, written in the transaction of the
 * step: a step is there wholly or not at all, and two programs at once apply it once. */
#include "store/schema.h"

#include <stdlib.h>

static int step_number(const struct embedded_file *step)
{
    return (int)strtol(step->name, NULL, 10);
}

int schema_number(const struct embedded_file *steps)
{
    int number = 0;
    for (const struct embedded_file *step = steps; step->name != NULL; step++) {
        number = step_number(step);
    }
    return number;
}

/* One step, unless it is there: another program may have been quicker. */
static enum status apply_step(struct db *db, const struct embedded_file *step)
{
    int version = 0;
    enum status status = db_begin(db, true);
    if (status == OK) {
        status = db_get_version(db, &version);
    }
    if (status == OK && version < step_number(step)) {
        status = db_exec(db, step->content.data);
        if (status == OK) {
            status = db_set_version(db, step_number(step));
        }
    }
    if (status == OK) {
        status = db_commit(db);
    }
    if (status != OK) {
        db_rollback(db);
    }
    return status;
}

enum status schema_apply(struct db *db, const struct embedded_file *steps)
{
    enum status status = OK;
    for (const struct embedded_file *step = steps; status == OK && step->name != NULL; step++) {
        status = apply_step(db, step);
    }
    return status;
}
