/* latchkey serve: keeps the web programs running.
 *
 * The sockets belong to this process and outlive every program, so no request is refused while a
 * program is replaced. One that ends is started again, after a pause that doubles while it ends
 * soon. On SIGHUP a second one of each is started on the same socket; only when it has stayed up
 * for a while is the first one asked to end, and it answers what it has begun. A second one that
 * ends at once (a template that does not parse, say) is told of, and the first one stays.
 *
 *   started ──ended soon──▸ again after 1, 2, 4 … 60 s
 *   running ──SIGHUP──▸ running + next ──next stayed up──▸ next; the former one drains
 *
 * Signals are blocked and taken one at a time, so nothing here runs in a handler. */
#define _GNU_SOURCE /* sigtimedwait with environ, prctl */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/programs.h"
#include "cli/sockets.h"

#define STAYED_UP_MS   1000  /* a program that lives this long has started */
#define SETTLED_MS     10000 /* and after this long its past is forgotten */
#define FIRST_PAUSE_MS 1000
#define LAST_PAUSE_MS  60000
#define DRAIN_MS       30000

struct program {
    const char *name;
    int socket;
    pid_t pid; /* 0: not running */
    int64_t started_ms;
    int64_t again_ms; /* when to start it, if it is not running */
    int64_t pause_ms;
    pid_t next; /* its successor, since SIGHUP; 0: none */
    int64_t next_ms;
};

struct supervisor {
    const char *config_path; /* the option, or NULL */
    char folder[PATH_MAX];   /* of the programs */
    struct program programs[SOCKETS_COUNT];
    bool has_started; /* all were up at the same time */
    bool broken;      /* one could not start at all */
};

static pid_t start(const struct supervisor *supervisor, const struct program *program)
{
    char path[PATH_MAX + 16];
    sigset_t none;
    pid_t parent = getpid();
    (void)snprintf(path, sizeof path, "%s/%s", supervisor->folder, program->name);
    pid_t pid = fork();
    if (pid != 0) {
        if (pid < 0) {
            log_error("cannot start %s: %s", program->name, strerror(errno));
        }
        return pid < 0 ? 0 : pid;
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && dup2(program->socket, STDIN_FILENO) == STDIN_FILENO) {
        (void)execl(path, program->name, (char *)NULL);
    }
    log_error("cannot run %s: %s", path, strerror(errno));
    _exit(EXIT_FAILED);
}

static void start_when_due(const struct supervisor *supervisor, struct program *program,
                           int64_t now_ms)
{
    if (program->pid == 0 && now_ms >= program->again_ms) {
        program->pid = start(supervisor, program);
        program->started_ms = now_ms;
        program->again_ms = now_ms + FIRST_PAUSE_MS; /* counts only if it could not be forked */
    }
}

/* Lets a successor that stayed up take the place. Both accept from the same socket until then, and
 * the former one answers what it has begun. */
static void change_over(struct program *program, int64_t now_ms)
{
    if (program->next == 0 || now_ms - program->next_ms < STAYED_UP_MS) {
        return;
    }
    if (program->pid != 0) {
        (void)kill(program->pid, SIGTERM);
    }
    log_info("%s was replaced", program->name);
    program->pid = program->next;
    program->started_ms = program->next_ms;
    program->next = 0;
}

/* When something is to be done about a program without a signal; INT64_MAX: never. */
static int64_t find_due(const struct supervisor *supervisor, const struct program *program,
                        int64_t now_ms)
{
    if (program->pid == 0) {
        return program->again_ms;
    }
    if (program->next != 0) {
        return program->next_ms + STAYED_UP_MS;
    }
    /* Until all have started, each is looked at once more when it has stayed up. */
    int64_t up_ms = program->started_ms + STAYED_UP_MS;
    return !supervisor->has_started && up_ms > now_ms ? up_ms : INT64_MAX;
}

/* Starts what is due and changes over to successors that stayed up. Returns the milliseconds until
 * something is due again, or -1. */
static int64_t run_due(struct supervisor *supervisor, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    bool all_up = true;
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        struct program *program = &supervisor->programs[i];
        start_when_due(supervisor, program, now_ms);
        change_over(program, now_ms);
        int64_t next_ms = find_due(supervisor, program, now_ms);
        due_ms = next_ms < due_ms ? next_ms : due_ms;
        all_up = all_up && program->pid != 0 && now_ms - program->started_ms >= STAYED_UP_MS;
    }
    supervisor->has_started = supervisor->has_started || all_up;
    if (due_ms == INT64_MAX) {
        return -1;
    }
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

static void note_end(struct supervisor *supervisor, struct program *program, int result,
                     int64_t now_ms)
{
    int64_t lived_ms = now_ms - program->started_ms;
    bool refused = WIFEXITED(result) && WEXITSTATUS(result) != 0;
    program->pid = 0;
    if (!supervisor->has_started && refused) {
        supervisor->broken = true; /* what is wrong stands in the log, and will not mend itself */
        return;
    }
    program->pause_ms = lived_ms >= SETTLED_MS || program->pause_ms == 0 ? FIRST_PAUSE_MS
                        : program->pause_ms * 2 > LAST_PAUSE_MS          ? LAST_PAUSE_MS
                                                                         : program->pause_ms * 2;
    program->again_ms = now_ms + program->pause_ms;
    log_error("%s ended (%s %d); it is started again in %lld s", program->name,
              WIFSIGNALED(result) ? "signal" : "status",
              WIFSIGNALED(result) ? WTERMSIG(result) : WEXITSTATUS(result),
              (long long)(program->pause_ms / 1000));
}

static void reap(struct supervisor *supervisor, int64_t now_ms)
{
    int result = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &result, WNOHANG)) > 0) {
        for (size_t i = 0; i < SOCKETS_COUNT; i++) {
            struct program *program = &supervisor->programs[i];
            if (program->next == pid) {
                program->next = 0;
                log_error("the new %s could not start: the old one stays, with the old "
                          "configuration",
                          program->name);
            } else if (program->pid == pid) {
                note_end(supervisor, program, result, now_ms);
            }
        }
    }
}

/* The new configuration is read here first, so that a bad one is told once, with its line. */
static void begin_change(struct supervisor *supervisor, int64_t now_ms)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    if (config_load(supervisor->config_path, &config, error) != OK) {
        log_error("%s: the old configuration stays", error);
        return;
    }
    config_free(&config);
    log_info("the configuration is read again");
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        struct program *program = &supervisor->programs[i];
        if (program->next != 0) {
            (void)kill(program->next, SIGTERM); /* it knows an older one; it leaves quietly */
        }
        program->next = start(supervisor, program);
        program->next_ms = now_ms;
    }
}

/* The next signal, or 0 when `wait_ms` have passed; -1 waits for ever. */
static int take_signal(const sigset_t *signals, int64_t wait_ms)
{
    struct timespec limit = {wait_ms / 1000, (wait_ms % 1000) * 1000000};
    int number = wait_ms < 0 ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &limit);
    return number > 0 ? number : 0;
}

/* Asks all to end and waits until they did, killing what does not. */
static void drain(struct supervisor *supervisor, const sigset_t *signals)
{
    int64_t end_ms = clock_monotonic_ms() + DRAIN_MS;
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        const pid_t pids[] = {supervisor->programs[i].pid, supervisor->programs[i].next};
        for (size_t k = 0; k < 2; k++) {
            if (pids[k] != 0) {
                (void)kill(pids[k], SIGTERM);
            }
        }
    }
    while (waitpid(-1, NULL, WNOHANG) >= 0) {
        int64_t rest_ms = end_ms - clock_monotonic_ms();
        if (rest_ms <= 0) {
            log_error("some programs did not end in %d s", DRAIN_MS / 1000);
            return; /* they end with this process, by the signal that the kernel sends them */
        }
        (void)take_signal(signals, rest_ms < 100 ? rest_ms : 100);
    }
}

static int supervise(struct supervisor *supervisor)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN); /* of whoever reads the log; inherited by the programs */
    for (bool going = true; going && !supervisor->broken;) {
        switch (take_signal(&signals, run_due(supervisor, clock_monotonic_ms()))) {
        case SIGTERM:
        case SIGINT:
            going = false;
            break;
        case SIGHUP:
            begin_change(supervisor, clock_monotonic_ms());
            break;
        case SIGCHLD:
            reap(supervisor, clock_monotonic_ms());
            break;
        default:
            break;
        }
    }
    drain(supervisor, &signals);
    return supervisor->broken ? EXIT_FAILED : EXIT_DONE;
}

/* The programs read the same configuration as this process, wherever they are started. */
static enum status hand_config_on(const struct config *config)
{
    char path[PATH_MAX];
    if (config->path == NULL) {
        return unsetenv("LATCHKEY_CONFIG") == 0 ? OK : ERR_SYSTEM;
    }
    if (realpath(config->path, path) == NULL || setenv("LATCHKEY_CONFIG", path, 1) != 0) {
        log_error("cannot hand %s on to the programs: %s", config->path, strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}

static enum status prepare(const struct config *config, struct supervisor *supervisor,
                           struct sockets *sockets)
{
    struct owner owner = {0};
    enum status status = programs_find(supervisor->folder, sizeof supervisor->folder);
    if (status == OK) {
        status = hand_config_on(config);
    }
    if (status == OK) {
        status = owner_find(config, &owner);
    }
    if (status == OK) {
        status = sockets_open(config, &owner, sockets);
    }
    bool stays_root = geteuid() == 0 && !owner.has_user;
    if (status == OK && stays_root && config->workers.confinement == CONFINEMENT_REQUIRED) {
        log_error("workers.confinement = required, but there is no user %s to become instead of "
                  "root; run adduser --system --group %s, then latchkey init",
                  config->state.user, config->state.user);
        status = ERR_NOT_FOUND;
    }
    if (status == OK) {
        if (stays_root) {
            log_warning("running as root, for there is no user %s; better make one: adduser "
                        "--system --group %s, then latchkey init",
                        config->state.user, config->state.user);
        }
        status = owner_become(&owner);
    }
    for (size_t i = 0; i < SOCKETS_COUNT; i++) {
        supervisor->programs[i] =
            (struct program){.name = socket_programs[i], .socket = sockets->descriptors[i]};
    }
    return status;
}

int serve_run(struct invocation *invocation)
{
    const struct config *config = invocation->config;
    struct supervisor supervisor = {.config_path = invocation->options.config_path};
    struct sockets sockets = {-1, {-1, -1, -1, -1}};
    int result = EXIT_FAILED;
    log_open("latchkey", config->log.level);
    if (prepare(config, &supervisor, &sockets) == OK) {
        log_info("ready: %s/{login,logout,account,gate}.sock", config->state.run_directory);
        result = supervise(&supervisor);
    }
    sockets_close(config, &sockets);
    return result;
}
