/* Which system calls a process may make, as rules of libseccomp.
 *
 * Three kinds. What a program needs passes. What nobody calls by mistake, and somebody who took the
 * program over would call first, kills the process: the master says so in the log and starts
 * another. Everything else fails with EPERM, and is no more than that: a libc that tries a newer
 * call first must not take the gate down.
 *
 * What cannot be told by numbers is not told here: a filter does not see paths (files.c), and
 * whoever may write to one descriptor may write to all that are open. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "confine/rules.h"

#include "confine/filters.h"

/* What every program was seen to call (strace, while the tests ran), or by its source a library of
 * it in a rare case. */
static const int needed[] = {
    /* connections */
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(signalfd4),
    /* files */
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(close),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(flock),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    /* files that are made whole before they get their name (base/file.c) */
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    /* SQLite gives the log of a database the owner of the database, and its mode, see below */
    SCMP_SYS(fchown),
    /* memory; mmap and mprotect below */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(munlock),
    /* itself, time, chance */
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(sysinfo),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(futex),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

static const int watching[] = {
    SCMP_SYS(inotify_init1),
    SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_rm_watch),
};

static const int handing_over[] = {
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
};

/* For which a process dies. */
static const int deadly[] = {
    /* running other programs, and more of this one */
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(memfd_create),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    /* reaching others */
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(socketpair),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    /* the kernel's wide doors */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(io_setup),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
    SCMP_SYS(personality),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
};

/* What address and leak sanitizers call at the end, and to tell of a fault. */
static const int sanitizing[] = {
    SCMP_SYS(clone),
    SCMP_SYS(ptrace),
    SCMP_SYS(prctl),
    SCMP_SYS(wait4),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(prlimit64),
    SCMP_SYS(getrlimit),
    SCMP_SYS(ioctl),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(tkill),
    SCMP_SYS(uname),
    SCMP_SYS(mprotect),
    SCMP_SYS(mmap),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(open),
    SCMP_SYS(openat),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool is_in(const int *list, size_t count, int call)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == call) {
            return true;
        }
    }
    return false;
}

/* A call that this machine does not have has a negative number, and needs no rule. 0, or -errno. */
static int add_all(scmp_filter_ctx filter, const struct rules_for *process, uint32_t action,
                   const int *list, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        bool is_for_sanitizers = process->is_sanitized && action != SCMP_ACT_ALLOW &&
                                 is_in(sanitizing, COUNT(sanitizing), list[i]);
        if (list[i] >= 0 && !is_for_sanitizers) {
            result = seccomp_rule_add_exact(filter, action, list[i], 0);
        }
    }
    return result;
}

/* A call that passes only with some arguments. */
struct limited {
    int call;
    unsigned count;
    struct scmp_arg_cmp arguments[2];
};

static int add_limited(scmp_filter_ctx filter, const struct limited *list, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (list[i].call >= 0) {
            result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, list[i].call, list[i].count,
                                            list[i].arguments);
        }
    }
    return result;
}

#define SET_IDS      06000 /* of a mode */
#define NOT_FOR_DATA 07117 /* likewise: set-id and sticky, to be run, and anything for others */

/* Signals reach nobody else, but it may be asked whether another lives. Files are never made what
 * others could run as us, or write. */
static int add_limited_calls(scmp_filter_ctx filter, const struct rules_for *process)
{
    const struct limited anywhere[] = {
        {SCMP_SYS(tgkill), 1, {SCMP_A0(SCMP_CMP_EQ, CONFINE_OWN_PID, 0)}},
        {SCMP_SYS(kill), 1, {SCMP_A1(SCMP_CMP_EQ, 0, 0)}},
        {SCMP_SYS(fchmod), 1, {SCMP_A1(SCMP_CMP_MASKED_EQ, NOT_FOR_DATA, 0)}},
        /* O_ASYNC would have the kernel send signals to whomever F_SETOWN names. */
        {SCMP_SYS(fcntl),
         2,
         {SCMP_A1(SCMP_CMP_EQ, F_SETFL, 0), SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0)}},
    };
    /* What could be run is never written or made runnable. Sanitizers do all that. */
    const struct limited unsanitized[] = {
        {SCMP_SYS(mmap), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
        {SCMP_SYS(mprotect), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
        {SCMP_SYS(open), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, SET_IDS, 0)}},
        {SCMP_SYS(openat), 1, {SCMP_A3(SCMP_CMP_MASKED_EQ, SET_IDS, 0)}},
        {SCMP_SYS(ioctl), 1, {SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0)}},
        {SCMP_SYS(ioctl), 1, {SCMP_A1(SCMP_CMP_EQ, TIOCOUTQ, 0)}},
    };
    static const int commands[] = {F_DUPFD,     F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                   F_GETFL,     F_GETLK,         F_SETLK,     F_SETLKW,
                                   F_OFD_GETLK, F_OFD_SETLK,     F_OFD_SETLKW};
    int result = add_limited(filter, anywhere, COUNT(anywhere));
    for (size_t i = 0; i < COUNT(commands) && result == 0; i++) {
        const struct limited command = {
            SCMP_SYS(fcntl), 1, {SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0)}};
        result = add_limited(filter, &command, 1);
    }
    if (result == 0 && !process->is_sanitized) {
        result = add_limited(filter, unsanitized, COUNT(unsanitized));
    }
    return result;
}

/* Of sockets only one for lines to the system's log, which is sent to without a connect(2). */
static int add_handing_over(scmp_filter_ctx filter, const struct rules_for *process)
{
    const struct limited datagrams = {
        SCMP_SYS(socket),
        2,
        {SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
         SCMP_A1(SCMP_CMP_EQ, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)},
    };
    int result = add_limited(filter, &datagrams, 1);
    return result != 0
               ? result
               : add_all(filter, process, SCMP_ACT_ALLOW, handing_over, COUNT(handing_over));
}

int rules_add(scmp_filter_ctx filter, const struct rules_for *process)
{
    const struct part {
        bool is_wanted;
        uint32_t action;
        const int *calls;
        size_t count;
    } parts[] = {
        {true, SCMP_ACT_ALLOW, needed, COUNT(needed)},
        {true, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly)},
        {process->watches, SCMP_ACT_ALLOW, watching, COUNT(watching)},
        {process->is_sanitized, SCMP_ACT_ALLOW, sanitizing, COUNT(sanitizing)},
    };
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; i < COUNT(parts) && result == 0; i++) {
        if (parts[i].is_wanted) {
            result = add_all(filter, process, parts[i].action, parts[i].calls, parts[i].count);
        }
    }
    if (result == 0) {
        result = add_limited_calls(filter, process);
    }
    if (result == 0 && process->sends_messages) {
        result = add_handing_over(filter, process);
    }
    return result;
}
