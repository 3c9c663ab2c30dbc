/* What the programs of this house need, by their configuration. */
#ifndef LATCHKEY_CONFINE_PLAN_H
#define LATCHKEY_CONFINE_PLAN_H

#include "base/config.h"
#include "confine/confine.h"

/* What makes one program's needs differ from another's. */
struct confine_habits {
    bool watches;         /* files, by inotify */
    bool hashes;          /* passwords, and so hands connections on, and logs wrong ones */
    unsigned connections; /* that it keeps open at most */
};

/* Fills *out in place; it refers to itself and to the configuration, so it is not to be copied.
 * ERR_TOO_LARGE (logged): a path is too long. */
enum status confine_plan_make(const struct config *config, const struct confine_habits *habits,
                              struct confine_plan *out) MUST_USE;

#endif
