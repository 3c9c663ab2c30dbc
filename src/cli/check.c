/* latchkey check: one line for each thing that can be wrong, with its remedy.
 *
 * Each item is looked at by the very function that the programs use, so that what passes here is
 * what starts there; their own log lines, which hold the details, stand before the item's line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/owner.h"
#include "cli/programs.h"
#include "cli/sockets.h"
#include "crypto/keyring.h"
#include "html/pages.h"

struct report {
    const struct config *config;
    size_t errors, warnings;
};

static void tell_ok(const char *what, const char *detail)
{
    (void)printf("ok       %s: %s\n", what, detail);
}

static void tell_warning(struct report *report, const char *what, const char *remedy)
{
    report->warnings++;
    (void)printf("warning  %s: %s\n", what, remedy);
}

static void tell_error(struct report *report, const char *what, const char *remedy)
{
    report->errors++;
    (void)printf("error    %s: %s\n", what, remedy);
}

static void check_clock(struct report *report)
{
    int64_t now_s = 0;
    char now[CLOCK_TEXT_MAX];
    if (clock_get(&now_s) != OK) {
        tell_error(report, "clock", "it stands before 2024; set it, for nobody can sign in");
        return;
    }
    clock_print(now_s, now);
    tell_ok("clock", now);
}

static void check_session(struct report *report)
{
    const struct config *config = report->config;
    if (config->session.store != SESSION_STORE_DATABASE) {
        tell_error(report, "session.store", "only database is available in this version");
    }
    if (!config->session.secure_cookie) {
        tell_warning(
            report, "session.secure_cookie",
            "no lets anybody on the way read sign-in cookies; leave it out on a real site");
    }
    if (config->session.cookie_domain[0] != '\0') {
        tell_warning(report, "session.cookie_domain",
                     "every host below that domain receives the cookie and can sign in with it; "
                     "leave it out unless all of them are yours");
    }
}

static void check_folder(struct report *report, const char *what, const char *path,
                         mode_t forbidden)
{
    struct stat status;
    char remedy[512];
    if (stat(path, &status) != 0) {
        (void)snprintf(remedy, sizeof remedy, "%s: %s; run latchkey init", path, strerror(errno));
        tell_error(report, what, remedy);
    } else if (!S_ISDIR(status.st_mode)) {
        (void)snprintf(remedy, sizeof remedy, "%s is no folder; name another", path);
        tell_error(report, what, remedy);
    } else if ((status.st_mode & forbidden) != 0) {
        (void)snprintf(remedy, sizeof remedy, "others may use %s: chmod %o %s", path,
                       (unsigned)(status.st_mode & 07777U & ~forbidden), path);
        tell_error(report, what, remedy);
    } else {
        tell_ok(what, path);
    }
}

static void check_secret(struct report *report)
{
    struct keyring *keyring = NULL;
    const char *path = config_secret_path(report->config);
    if (keyring_open(path, &keyring) == OK) {
        tell_ok("secret", path);
    } else {
        tell_error(report, "secret", "see the line above");
    }
    keyring_free(&keyring);
}

static void check_database(struct report *report)
{
    struct store *store = NULL;
    const char *path = config_database_path(report->config);
    enum status status = store_open(path, STORE_ROLE_ADMIN, &store);
    if (status == OK) {
        status = store_check(store);
    }
    if (status == OK) {
        status = store_verify(store);
    }
    if (status == OK) {
        tell_ok("database", path);
    } else {
        tell_error(report, "database", "see the line above");
    }
    store_close(&store);
}

static void check_templates(struct report *report)
{
    struct pages *pages = NULL;
    char error[PAGES_ERROR_MAX] = "";
    if (pages_open(report->config->site.templates, &pages, error) == OK) {
        tell_ok("templates", report->config->site.templates[0] != '\0'
                                 ? report->config->site.templates
                                 : "built in");
    } else {
        tell_error(report, "templates", error);
    }
    pages_free(&pages);
}

static void check_serving(struct report *report)
{
    struct owner owner;
    char folder[1024];
    if (programs_find(folder, sizeof folder) == OK) {
        tell_ok("programs", folder);
    } else {
        tell_error(report, "programs", "see the line above");
    }
    if (sockets_path_fits(report->config)) {
        tell_ok("sockets", report->config->state.run_directory);
    } else {
        tell_error(report, "state.run_directory",
                   "its path is too long for sockets; name a shorter one");
    }
    if (owner_find(report->config, &owner) != OK) {
        tell_error(report, "state.user and state.group", "see the line above");
    } else if (geteuid() == 0 && !owner.has_user) {
        tell_warning(report, "state.user",
                     "there is no such user, so latchkey serve would go on as root; make one with "
                     "adduser --system --group, then run latchkey init");
    }
}

static void check_hashing(const struct report *report)
{
    const struct config *config = report->config;
    char detail[128];
    (void)snprintf(detail, sizeof detail,
                   "argon2id with %llu KiB; at most %llu MiB for all login workers",
                   (unsigned long long)(config->password.memory_bytes >> 10),
                   (unsigned long long)((config->password.memory_bytes * config->workers.login +
                                         (1U << 20) - 1) >>
                                        20));
    tell_ok("passwords", detail);
}

int check_run(struct invocation *invocation)
{
    char error[CONFIG_ERROR_MAX];
    struct report report = {0};
    if (config_load(invocation->options.config_path, &invocation->config, error) != OK) {
        tell_error(&report, "configuration", error);
        return EXIT_FAILED;
    }
    const struct config *config = invocation->config;
    report.config = config;
    tell_ok("configuration", config->path != NULL ? config->path : "no file, all defaults");
    check_clock(&report);
    check_session(&report);
    check_folder(&report, "state", config->state.directory, S_IRWXG | S_IRWXO);
    check_folder(&report, "run directory", config->state.run_directory, S_IWGRP | S_IWOTH);
    check_secret(&report);
    check_database(&report);
    check_hashing(&report);
    check_templates(&report);
    check_serving(&report);
    (void)printf("%zu error%s, %zu warning%s\n", report.errors, report.errors == 1 ? "" : "s",
                 report.warnings, report.warnings == 1 ? "" : "s");
    return report.errors == 0 ? EXIT_DONE : EXIT_FAILED;
}
