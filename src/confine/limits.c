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

static bool succeeded(const char *what, int result)
{
    if (result != 0) {
        log_error("this process could not give up %s: %s", what, strerror(errno));
    }
    return result == 0;
}

/* Lowers a limit for good; one that is lower already stays. */
static bool lower(const char *what, int resource, rlim_t most)
{
    struct rlimit limit;
    if (!succeeded(what, getrlimit((__rlimit_resource_t)resource, &limit))) {
        return false;
    }
    if (limit.rlim_max > most) { /* RLIM_INFINITY is the largest number */
        limit.rlim_max = most;
    }
    if (limit.rlim_cur > limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
    }
    return succeeded(what, setrlimit((__rlimit_resource_t)resource, &limit));
}

/* Privileges and core dumps are given up when a program starts already (http/program.c), as far as
 * may be; here it is asked whether they are. */
enum status limits_set(const struct confine_plan *plan)
{
    bool done = succeeded("new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    secret_forbid_dumps();
    done = lower("core dumps", RLIMIT_CORE, 0) && done;
    if (!CONFINE_SANITIZED) {
        done = succeeded("being looked at", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) && done;
        done = lower("child processes", RLIMIT_NPROC, 0) && done;
        done =
            (plan->memory_bytes == 0 || lower("memory", RLIMIT_DATA, plan->memory_bytes)) && done;
    }
    done =
        (plan->descriptors == 0 || lower("descriptors", RLIMIT_NOFILE, plan->descriptors)) && done;
    return done ? OK : ERR_SYSTEM;
}
