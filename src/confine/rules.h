/* Which system calls a process may make. */
#ifndef LATCHKEY_CONFINE_RULES_H
#define LATCHKEY_CONFINE_RULES_H

#include <seccomp.h>
#include <stdbool.h>

struct rules_for {
    bool is_sanitized;            /* CONFINE_SANITIZED of the build that it belongs to */
    bool watches, sends_messages; /* as in struct confine_plan */
};

/* Adds the rules to a filter that refuses everything. 0, or -errno as libseccomp returns it. */
int rules_add(scmp_filter_ctx filter, const struct rules_for *process);

#endif
