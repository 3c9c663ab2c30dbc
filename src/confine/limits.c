/* What holds without a filter, on every kernel.
 *
 * A process that may not be dumped may not be looked at by a debugger of the same user either
 * (ptrace(2)), and its files in /proc belong to root: so the web server, where it runs us as its
 * own user, learns no secret from our memory. The masters that start workers stay as they are: they
 * read no request, and so their owner can see what a program takes.
 *
 * The limit of processes counts all of a user, and 0 forbids any more; root is not bound by it,
 * but by the filter of calls. */
#define _DEFAULT_SOURCE /* RLIMIT_NPROC */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/secret.h"
#include "confine/layers.h"

/* Lowers a limit for good; one that is lower already stays. */
static bool lower(int resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
        return false;
    }
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < most) {
        most = limit.rlim_max;
    }
    limit.rlim_max = most;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most) {
        limit.rlim_cur = most;
    }
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

enum status limits_set(const struct confine_plan *plan)
{
    secret_forbid_dumps();
    bool done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && lower(RLIMIT_CORE, 0);
    if (!CONFINE_SANITIZED) {
        done = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && done;
        done = lower(RLIMIT_NPROC, 0) && done;
        done = (plan->memory_bytes == 0 || lower(RLIMIT_DATA, plan->memory_bytes)) && done;
    }
    done = (plan->descriptors == 0 || lower(RLIMIT_NOFILE, plan->descriptors)) && done;
    if (!done) {
        log_error("the limits of this process could not be lowered: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}
