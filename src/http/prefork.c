/* The master never looks at a request, opens nothing and keeps no secret of its own; it forks,
 * waits and forks again. It waits with sigtimedwait, so there are no handlers and nothing is lost
 * between looking and waiting. A worker gets SIGTERM from the kernel when the master dies. */
#define _GNU_SOURCE
#include "http/prefork.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define YOUNG_MS       1000
#define PAUSE_FIRST_MS 100
#define PAUSE_LAST_MS  10000
#define PATIENCE_MS    60000 /* of a wait in which nothing is due */

struct slot {
    pid_t pid; /* 0: no process */
    int64_t started_ms;
    int64_t due_ms; /* when the next one starts */
    int64_t pause_ms;
};

struct master {
    struct slot *slots;
    size_t count, alive;
    bool stopping, has_killed;
    int64_t kill_ms;
};

void prefork_stop_signals(sigset_t *out)
{
    (void)sigemptyset(out);
    (void)sigaddset(out, SIGTERM);
    (void)sigaddset(out, SIGINT);
    (void)sigaddset(out, SIGHUP);
    (void)sigaddset(out, SIGUSR1);
}

/* Makes the next start of a slot wait when its process did not live long. */
static void schedule(struct slot *slot, int64_t now_ms)
{
    if (now_ms - slot->started_ms >= YOUNG_MS) {
        slot->pause_ms = 0;
    } else if (slot->pause_ms == 0) {
        slot->pause_ms = PAUSE_FIRST_MS;
    } else {
        slot->pause_ms = slot->pause_ms * 2 < PAUSE_LAST_MS ? slot->pause_ms * 2 : PAUSE_LAST_MS;
    }
    slot->due_ms = now_ms + slot->pause_ms;
}

/* In the child: its own signals, and no life without the master. */
static void become_worker(pid_t master)
{
    sigset_t children;
    (void)sigemptyset(&children);
    (void)sigaddset(&children, SIGCHLD);
    (void)sigprocmask(SIG_UNBLOCK, &children, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != master) { /* it died before the line above */
        (void)raise(SIGTERM);
    }
}

/* Starts what is due. Returns true in a child, with its number. */
static bool start_due(struct master *master, int64_t now_ms, size_t *number)
{
    pid_t own = getpid();
    for (size_t i = 0; i < master->count && !master->stopping; i++) {
        struct slot *slot = &master->slots[i];
        if (slot->pid != 0 || slot->due_ms > now_ms) {
            continue;
        }
        slot->started_ms = now_ms;
        pid_t pid = fork();
        if (pid == 0) {
            become_worker(own);
            *number = i;
            return true;
        }
        if (pid < 0) {
            log_error("no worker could be started: %s", strerror(errno));
            schedule(slot, now_ms);
            continue;
        }
        slot->pid = pid;
        master->alive++;
    }
    return false;
}

static void log_end(const struct master *master, const struct slot *slot, int result)
{
    if (WIFSIGNALED(result) && WTERMSIG(result) == SIGSYS) {
        log_error("worker %d was killed, for it made a system call that it may not make: somebody "
                  "may have taken it over, or a library needs a call that confine/calls.c does not "
                  "know; the system's log names the call",
                  (int)slot->pid);
    } else if (WIFSIGNALED(result)) {
        log_error("worker %d died of signal %d", (int)slot->pid, WTERMSIG(result));
    } else if (!master->stopping || WEXITSTATUS(result) != 0) {
        log_warning("worker %d ended with status %d", (int)slot->pid, WEXITSTATUS(result));
    }
}

static void bury(struct master *master, int64_t now_ms)
{
    int result = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &result, WNOHANG)) > 0) {
        for (size_t i = 0; i < master->count; i++) {
            struct slot *slot = &master->slots[i];
            if (slot->pid == pid) {
                log_end(master, slot, result);
                slot->pid = 0;
                master->alive--;
                schedule(slot, now_ms);
            }
        }
    }
}

static void send_to_all(const struct master *master, int number)
{
    for (size_t i = 0; i < master->count; i++) {
        if (master->slots[i].pid != 0) {
            (void)kill(master->slots[i].pid, number);
        }
    }
}

static void stop(struct master *master, int64_t now_ms)
{
    if (!master->stopping) {
        master->stopping = true;
        master->kill_ms = now_ms + PREFORK_STOP_MS;
        send_to_all(master, SIGTERM);
    }
}

static int64_t count_patience(const struct master *master, int64_t now_ms)
{
    int64_t until_ms = now_ms + PATIENCE_MS;
    if (master->stopping && !master->has_killed) {
        until_ms = master->kill_ms;
    }
    for (size_t i = 0; i < master->count && !master->stopping; i++) {
        if (master->slots[i].pid == 0 && master->slots[i].due_ms < until_ms) {
            until_ms = master->slots[i].due_ms;
        }
    }
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

static void wait_and_act(struct master *master, const sigset_t *awaited)
{
    int64_t wait_ms = count_patience(master, clock_monotonic_ms());
    const struct timespec limit = {.tv_sec = wait_ms / 1000,
                                   .tv_nsec = (long)(wait_ms % 1000) * 1000000};
    int number = sigtimedwait(awaited, NULL, &limit);
    int64_t now_ms = clock_monotonic_ms();
    if (number > 0 && number != SIGCHLD) {
        stop(master, now_ms);
    }
    bury(master, now_ms);
    if (master->stopping && !master->has_killed && now_ms >= master->kill_ms) {
        log_error("%zu workers did not stop in time and are killed", master->alive);
        send_to_all(master, SIGKILL);
        master->has_killed = true;
    }
}

int prefork_run(size_t count, int (*serve)(void *argument, size_t number), void *argument)
{
    struct master master = {.count = count > 0 ? count : 1};
    sigset_t awaited;
    bool is_worker = false;
    size_t number = 0;
    prefork_stop_signals(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &awaited, NULL);
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have had it ignored */
    master.slots = calloc(master.count, sizeof *master.slots);
    if (master.slots == NULL) {
        log_error("no memory for %zu workers", master.count);
        return 1;
    }
    while (!is_worker && !(master.stopping && master.alive == 0)) {
        is_worker = start_due(&master, clock_monotonic_ms(), &number);
        if (!is_worker) {
            wait_and_act(&master, &awaited);
        }
    }
    free(master.slots);
    return is_worker ? serve(argument, number) : 0;
}
