/* Loads the filter of system calls that was made for such a process (rules.c, make_filters.c). */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unset.h"
#include "confine/filters.h"

/* Copies the filter, with the number of this process where its stand-in was. */
static void fill_in(const struct confine_filter *filter, struct sock_filter *out)
{
    uint32_t own = (uint32_t)getpid();
    for (size_t i = 0; i < filter->count; i++) {
        out[i] = filter->instructions[i];
        if (BPF_CLASS(out[i].code) == BPF_JMP && out[i].k == CONFINE_OWN_PID) {
            out[i].k = own;
        }
    }
}

/* Whether the kernel has such filters at all: it takes what it does not know and a filter that is
 * not sound for the same fault. */
static bool has_filters(void)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

enum status calls_restrict(const struct confine_plan *plan)
{
    UNSET struct sock_filter instructions[CONFINE_INSTRUCTIONS_MAX];
    const struct confine_filter *filter = &confine_filters[plan->watches][plan->sends_messages];
    const struct sock_fprog program = {(unsigned short)filter->count, instructions};
    fill_in(filter, instructions);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) {
        return OK;
    }
    bool may_lack = errno == EINVAL || errno == ENOSYS;
    log_error("this process could not be confined to its system calls: %s", strerror(errno));
    return may_lack && !has_filters() ? ERR_NOT_FOUND : ERR_SYSTEM;
}
