/* latchkey check: one line for each thing that can be wrong, with its remedy.
 *
 *   ok: WHAT: where or how    warning: WHAT: why; remedy    error: WHAT: why; remedy
 *
 * Each item is looked at by the very function that the programs use, and root becomes the user that
 * they run as before it looks: so what passes here is what starts there. Those functions log the
 * details on standard error, before the item's line.
 *
 * What this does not tell: whether the web server is set up to ask the gate. */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/owner.h"
#include "cli/programs.h"
#include "cli/sockets.h"
#include "confine/plan.h"
#include "crypto/keyring.h"
#include "html/pages.h"
#include "store/cache.h"

#define MIB ((uint64_t)1 << 20)

struct report {
    const struct config *config;
    struct owner owner;
    size_t errors, warnings;
};

enum finding { FINE, WARNING, ERROR };

/* Writes the line of an item, at once, so that it stands behind its log lines. */
__attribute__((format(printf, 4, 5))) static void tell(struct report *report, enum finding finding,
                                                       const char *what, const char *format, ...)
{
    static const char *const words[] = {[FINE] = "ok", [WARNING] = "warning", [ERROR] = "error"};
    va_list arguments;
    report->warnings += finding == WARNING;
    report->errors += finding == ERROR;
    (void)printf("%s: %s: ", words[finding], what);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

/* Looks up user and group, and becomes the user. */
static void check_owner(struct report *report)
{
    const struct config *config = report->config;
    struct owner *owner = &report->owner;
    if (owner_find(config, owner) != OK) {
        tell(report, ERROR, "owner",
             "state.user or state.group names one that does not exist; make it with adduser or "
             "addgroup, or name another");
        return;
    }
    if (!owner->has_sockets_group) {
        tell(report, WARNING, "state.group",
             "there is no group %s; name the one that the web server runs as", config->state.group);
    } else {
        tell(report, FINE, "state.group", "%s", config->state.group);
    }
    if (geteuid() != 0) {
        tell(report, FINE, "state.user",
             "everything below is as this user finds it, who is not "
             "root");
    } else if (!owner->has_user) {
        tell(report, WARNING, "state.user",
             "there is no user %s, so latchkey serve would stay root; run adduser --system --group "
             "%s, then latchkey init",
             config->state.user, config->state.user);
    } else if (owner_become(owner) != OK) {
        tell(report, ERROR, "state.user", "this program cannot become %s; is it confined?",
             owner->name);
    } else {
        tell(report, FINE, "state.user", "%s", owner->name);
    }
}

/* Only now, since the programs read it as that user. */
static void check_config_file(struct report *report)
{
    const char *path = report->config->path;
    if (path == NULL) {
        tell(report, FINE, "configuration", "no file, every key has its default");
    } else if (access(path, R_OK) != 0) {
        tell(report, ERROR, "configuration",
             "the user who runs the programs cannot read %s: %s; let that user read it, and reach "
             "its folder (chown, chmod)",
             path, strerror(errno));
    } else {
        tell(report, FINE, "configuration", "%s", path);
    }
}

/* What a program could give up that does all that any of them does. */
static void check_confinement(struct report *report)
{
    const struct config *config = report->config;
    const struct confine_habits habits = {.watches = true, .hashes = true};
    const enum confinement_wish wish = config->workers.confinement;
    struct confine_plan plan;
    char words[CONFINE_TEXT_MAX];
    if (wish == CONFINEMENT_OFF) {
        tell(report, WARNING, "confinement",
             "workers.confinement = off: whoever takes over a program may do all that its user "
             "may; leave the key out");
        return;
    }
    unsigned missing =
        confine_plan_make(config, &habits, &plan) == OK ? confine_try(&plan) : CONFINE_ALL;
    confine_print(missing != 0 ? missing : CONFINE_ALL, words);
    if (missing == 0) {
        tell(report, FINE, "confinement", "%s", words);
    } else {
        bool is_fatal = wish == CONFINEMENT_REQUIRED || (missing & CONFINE_FAILED) != 0;
        tell(report, is_fatal ? ERROR : WARNING, "confinement",
             "%s cannot be had; correct what standard error says, or update the kernel", words);
    }
}

static void check_clock(struct report *report)
{
    int64_t now_s = 0;
    char now[CLOCK_TEXT_MAX];
    if (clock_get(&now_s) != OK) {
        tell(report, ERROR, "clock", "it cannot be right, and nobody can sign in; set it");
        return;
    }
    clock_print(now_s, now);
    tell(report, FINE, "clock", "%s", now);
}

static void check_session(struct report *report)
{
    const struct config *config = report->config;
    const char *domain = config->session.cookie_domain;
    if (!config->session.secure_cookie) {
        tell(report, WARNING, "session.secure_cookie",
             "anybody on the way can take the cookies of plain http; leave the key out but for "
             "tests");
    }
    if (domain[0] != '\0') {
        tell(report, WARNING, "session.cookie_domain",
             "every host below %s gets the cookie and can sign in with it; leave the key out "
             "unless all of them are yours",
             domain);
    }
    if (config->session.secure_cookie && domain[0] == '\0') {
        tell(report, FINE, "cookie", "%s", config_cookie_name(config));
    }
}

/* The folder must not be open to others by the rights in `forbidden`. What is more wrong with it is
 * `fault`: serve makes and gives away what it needs in /run, which is empty after a boot. */
static void check_folder(struct report *report, const char *what, const char *path,
                         mode_t forbidden, enum finding fault)
{
    struct stat found;
    const char *remedy =
        fault == ERROR ? "run latchkey init" : "run latchkey init or latchkey serve";
    if (stat(path, &found) != 0) {
        tell(report, fault, what, "%s: %s; %s", path, strerror(errno), remedy);
    } else if (!S_ISDIR(found.st_mode)) {
        tell(report, ERROR, what, "%s is no folder; name another", path);
    } else if ((found.st_mode & forbidden) != 0) {
        tell(report, ERROR, what, "%s is open to others (mode %04o); run chmod %o %s", path,
             (unsigned)(found.st_mode & 07777U), (unsigned)(found.st_mode & 07777U & ~forbidden),
             path);
    } else if (found.st_uid != geteuid() || access(path, R_OK | W_OK | X_OK) != 0) {
        tell(report, fault, what,
             "%s (owner %lu, mode %04o) is not for user %lu, who runs this; %s as root", path,
             (unsigned long)found.st_uid, (unsigned)(found.st_mode & 07777U),
             (unsigned long)geteuid(), remedy);
    } else {
        tell(report, FINE, what, "%s", path);
    }
}

static const char *secret_remedy(enum status status)
{
    switch ((int)status) {
    case ERR_NOT_FOUND:
        return "is missing; run latchkey init, or bring it back from a backup";
    case ERR_PERMISSION:
        return "is not private to the user who runs the programs; correct its owner and mode";
    case ERR_INPUT:
        return "is damaged; bring it back from a backup, or run latchkey secret revoke";
    default:
        return "cannot be read; correct what standard error says";
    }
}

static void check_secret(struct report *report)
{
    struct keyring *keyring = NULL;
    const char *path = config_secret_path(report->config);
    enum status status = keyring_open(path, 0, &keyring);
    if (status == OK) {
        uint32_t ids[KEYRING_SECRETS_MAX];
        tell(report, FINE, "secret", "%s holds %zu", path, keyring_list(keyring, ids));
    } else {
        tell(report, ERROR, "secret", "%s %s", path, secret_remedy(status));
    }
    keyring_free(&keyring);
}

static const char *database_remedy(enum status status, const char *path)
{
    switch ((int)status) {
    case ERR_SCHEMA_OLD:
        return "is of an older version; run latchkey migrate";
    case ERR_SCHEMA_NEW:
        return "was written by a newer version; update this one";
    default:
        break;
    }
    return access(path, F_OK) != 0 ? "is not there; run latchkey init, or restore a backup"
                                   : "cannot be used; correct what standard error says, or restore "
                                     "a backup";
}

static void check_database(struct report *report)
{
    struct store *store = NULL;
    struct stat found;
    const char *path = config_database_path(report->config);
    enum status status = store_open(path, NULL, STORE_ROLE_ADMIN, &store);
    if (status == OK) {
        status = store_connect(store);
    }
    if (status == OK) {
        status = store_verify(store);
    }
    store_close(&store);
    if (status != OK) {
        tell(report, ERROR, "database", "%s %s", path, database_remedy(status, path));
    } else if (stat(path, &found) != 0 || (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        tell(report, ERROR, "database",
             "%s holds password hashes and is open to others; run chmod 600 %s", path, path);
    } else if (access(path, W_OK) != 0) {
        tell(report, ERROR, "database",
             "%s cannot be written: %s; give it to the user who runs the programs, with chown "
             "or latchkey init",
             path, strerror(errno));
    } else {
        tell(report, FINE, "database", "%s, structure %d", path, store_schema_number());
    }
}

static bool is_in_memory(const char *folder)
{
    struct statfs found;
    if (statfs(folder, &found) != 0) {
        return false;
    }
    unsigned long type = (unsigned long)found.f_type & 0xffffffffUL;
    return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

static void check_cache(struct report *report)
{
    struct store *store = NULL;
    struct cache_use use = {0};
    const struct config *config = report->config;
    const char *path = config_cache_path(config);
    if (config->session.store != SESSION_STORE_CACHE) {
        return;
    }
    enum status status = store_open_cache(path, config->cache.size_bytes, STORE_ROLE_ADMIN, &store);
    if (status == OK) {
        status = cache_get_use(store, &use);
    }
    store_close(&store);
    if (status != OK) {
        tell(report, ERROR, "cache", "%s cannot be used; correct what standard error says", path);
        return;
    }
    tell(report, FINE, "cache", "%s: %lld sessions take %llu of %llu KiB; %lld had to go early",
         path, (long long)use.sessions, (unsigned long long)(use.used_bytes >> 10),
         (unsigned long long)(use.most_bytes >> 10), (long long)use.evicted);
    if (!is_in_memory(config->state.run_directory)) {
        tell(report, WARNING, "cache",
             "%s is on a disk, not in memory; name a folder of a tmpfs in state.run_directory, as "
             "those in /run are",
             config->state.run_directory);
    }
}

/* The least that ASVS 5.0 (appendix C) takes for argon2id; more passes make up for memory. */
static bool is_dear_enough(const struct config *config)
{
    static const uint64_t least_mib[] = {0, 46, 19, 12}; /* by passes; 12 for more too */
    uint64_t passes = config->password.passes;
    uint64_t last = sizeof least_mib / sizeof least_mib[0] - 1;
    return config->password.memory_bytes >= least_mib[passes < last ? passes : last] * MIB;
}

static void check_password_cost(struct report *report)
{
    const struct config *config = report->config;
    if (!is_dear_enough(config)) {
        tell(report, WARNING, "password.memory",
             "who steals the database guesses passwords fast: %llu KiB and %llu passes a hash; set "
             "at least 19M and 2, 46M and 1, or 12M and 3",
             (unsigned long long)(config->password.memory_bytes >> 10),
             (unsigned long long)config->password.passes);
    }
}

/* The line of those who hash holds all programs to as many hashes as there are login workers. */
static void check_passwords(struct report *report)
{
    const struct config *config = report->config;
    uint64_t at_once = config->workers.login;
    uint64_t total = (config->password.memory_bytes * at_once + MIB - 1) / MIB;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / MIB : UINT64_MAX;
    if (total > memory / 2) {
        tell(report, WARNING, "passwords",
             "%llu hashes at once may take %llu of the %llu MiB of memory; lower workers.login or "
             "password.memory",
             (unsigned long long)at_once, (unsigned long long)total, (unsigned long long)memory);
    } else {
        tell(report, FINE, "passwords",
             "argon2id takes %llu KiB a hash; %llu at once at most, in all programs: %llu MiB",
             (unsigned long long)(config->password.memory_bytes >> 10), (unsigned long long)at_once,
             (unsigned long long)total);
    }
}

static void check_templates(struct report *report)
{
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX] = "";
    const char *folder = report->config->site.templates;
    if (pages_open(folder, &pages, error) == OK) {
        tell(report, FINE, "templates", "%s", folder[0] != '\0' ? folder : "built in");
    } else {
        tell(report, ERROR, "templates", "%s; correct it, or take the file away", error);
    }
    pages_free(&pages);
}

static void check_serving(struct report *report)
{
    char folder[PATH_MAX];
    if (programs_find(folder, sizeof folder) == OK) {
        tell(report, FINE, "programs", "%s", folder);
    } else {
        tell(report, ERROR, "programs",
             "login, logout, account and gate are not all beside this command; install all of "
             "Latchkey");
    }
    if (sockets_path_fits(report->config)) {
        tell(report, FINE, "sockets", "their paths fit");
    } else {
        tell(report, ERROR, "sockets",
             "state.run_directory is too long for the paths of sockets; name a shorter one");
    }
}

int check_run(struct invocation *invocation)
{
    char error[CONFIG_ERROR_MAX];
    struct report report = {0};
    if (config_load(invocation->options.config_path, &invocation->config, error) != OK) {
        tell(&report, ERROR, "configuration", "%s", error);
        return EXIT_FAILED;
    }
    report.config = invocation->config;
    check_owner(&report);
    check_config_file(&report);
    check_clock(&report);
    check_session(&report);
    check_folder(&report, "state.directory", report.config->state.directory, S_IRWXG | S_IRWXO,
                 ERROR);
    check_folder(&report, "state.run_directory", report.config->state.run_directory,
                 S_IWGRP | S_IWOTH, WARNING);
    check_confinement(&report);
    check_secret(&report);
    check_database(&report);
    check_cache(&report);
    check_password_cost(&report);
    check_passwords(&report);
    check_templates(&report);
    check_serving(&report);
    (void)printf("%zu error%s, %zu warning%s\n", report.errors, report.errors == 1 ? "" : "s",
                 report.warnings, report.warnings == 1 ? "" : "s");
    return report.errors == 0 ? EXIT_DONE : EXIT_FAILED;
}
