/* Files of the source tree that are built into the programs (made by tools/embed). */
#ifndef LATCHKEY_BASE_EMBEDDED_H
#define LATCHKEY_BASE_EMBEDDED_H

#include "base/text.h"

struct embedded_file {
    const char *name;    /* without its folder, as "login.mustache" */
    struct text content; /* followed by a NUL */
};

/* Sorted by name; the entry after the last has the name NULL. */
extern const struct embedded_file embedded_templates[];    /* templates/ */
extern const struct embedded_file embedded_schema[];       /* schema/ */
extern const struct embedded_file embedded_cache_schema[]; /* schema/cache/ */

#endif
