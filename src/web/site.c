/* Starting a web program.
 *
 * Everything that can be wrong for good (configuration, secret file, templates, the version of the
 * database) is found here, before the first request, and stops the program with one sentence. What
 * may pass by itself (a database that is away) does not: requests get 503 until it is back.
 *
 * As CGI a program's arguments are made by the client out of the query (RFC 3875 §4.4), so they are
 * looked at only where descriptor 0 is a listening socket. */
#define _GNU_SOURCE /* memmem */
#include "web/site.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/device.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/priority.h"
#include "crypto/digest.h"
#include "http/connections.h"

#define POLICY_MAX       4096
#define OUTDATED_LOOK_MS 1000

static size_t count_workers(const struct config *config, enum store_role role)
{
    switch (role) {
    case STORE_ROLE_LOGIN:
        return config->workers.login;
    case STORE_ROLE_LOGOUT:
        return config->workers.logout;
    case STORE_ROLE_ACCOUNT:
        return config->workers.account;
    case STORE_ROLE_GATE:
        return config->workers.gate;
    case STORE_ROLE_APP:
    case STORE_ROLE_ADMIN:
    default:
        return 1;
    }
}

/* Adds " 'sha256-…'" for a style or script that stands in the page itself. */
static enum status add_hash(struct buffer *policy, const struct pages *templates, const char *name)
{
    struct text asset = pages_get_asset(templates, name);
    char digest[DIGEST_BASE64_LEN + 1];
    /* Browsers hash what their parser made of it: CR LF becomes LF, and "</" may end it. */
    if (memchr(asset.data, '\r', asset.len) != NULL || memmem(asset.data, asset.len, "</", 2)) {
        log_error("%s holds a carriage return or \"</\": save it with plain line ends, without "
                  "markup",
                  name);
        return ERR_INPUT;
    }
    digest_sha256_base64(asset, digest);
    buffer_print(policy, " 'sha256-%s'", digest);
    return OK;
}

/* Browsers apply form-action to the redirect that answers a form too, so the hosts to which a
 * sign-in may return stand there. */
static enum status make_policy(struct site *site)
{
    struct buffer *policy = &site->policy;
    const struct config_list *hosts = &site->config->site.return_hosts;
    buffer_init(policy, POLICY_MAX);
    buffer_add_string(policy, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
                              "form-action 'self'");
    for (size_t i = 0; i < hosts->count; i++) {
        buffer_print(policy, " http://%s https://%s", hosts->items[i], hosts->items[i]);
    }
    buffer_add_string(policy, "; style-src");
    enum status status = add_hash(policy, site->templates, "style.css");
    if (status == OK) {
        buffer_add_string(policy, "; script-src");
        status = add_hash(policy, site->templates, "script.js");
    }
    if (status == OK && policy->failed) {
        log_error("site.return_hosts: too many hosts for a Content-Security-Policy");
        status = ERR_TOO_LARGE;
    }
    return status;
}

static enum status open_templates(struct site *site)
{
    char error[PAGES_ERROR_MAX];
    enum status status = pages_open(site->config->site.templates, &site->templates, error);
    if (status != OK) {
        log_error("%s", error);
        return status;
    }
    return make_policy(site);
}

static enum status site_open(const struct site_program *program, const char *config_path,
                             struct site *out)
{
    char error[CONFIG_ERROR_MAX];
    *out = (struct site){.pages = program->pages};
    enum status status = config_load(config_path, &out->config, error);
    if (status != OK) {
        log_error("%s", error);
        return status;
    }
    log_open(program->http.name, out->config->log.level);
    if (program->role == STORE_ROLE_LOGIN && !out->config->session.secure_cookie) {
        log_warning(
            "session.secure_cookie = no: cookies travel without TLS, and whoever sees one is "
            "signed in; for tests only");
    }
    status = auth_open(out->config, program->http.name, program->role,
                       program->remembers && program_is_fastcgi(), &out->auth);
    if (status == OK && program->hashes) {
        status = hash_line_open(config_hash_line_path(out->config), out->config->workers.login,
                                &out->auth.line);
    }
    if (status == OK && program->pages != NULL) {
        status = open_templates(out);
    }
    return status;
}

/* Root is bound by little of what a process gives up. */
static bool is_root_refused(const struct site *site)
{
    bool is_refused = geteuid() == 0 && site->config->workers.confinement == CONFINEMENT_REQUIRED;
    if (is_refused) {
        log_error("workers.confinement = required, but this was started as root; let latchkey "
                  "serve start it, or start it as the user of its own");
    }
    return is_refused;
}

/* Finds out what the processes can give up, before there are any, so that it is said once. As CGI
 * there is this process only, and site_enter finds out. */
static enum status plan_confinement(const struct site_program *program, struct site *site)
{
    const enum confinement_wish wish = site->config->workers.confinement;
    const struct confine_habits habits = {
        .watches = program->remembers,
        .hashes = program->hashes,
        .connections = CONNECTIONS_MAX,
    };
    char words[CONFINE_TEXT_MAX];
    enum status status = confine_plan_make(site->config, &habits, &site->plan);
    site->layers = wish == CONFINEMENT_OFF ? 0 : CONFINE_ALL;
    if (status != OK || site->layers == 0 || !program_is_fastcgi()) {
        return status;
    }
    unsigned missing = confine_try(&site->plan);
    confine_print(missing, words);
    if ((missing & CONFINE_FAILED) != 0) {
        log_error("processes could not be confined: %s; start this anew", words);
        return ERR_SYSTEM;
    }
    if (missing != 0 && wish == CONFINEMENT_REQUIRED) {
        log_error("workers.confinement = required, but processes cannot be confined here: %s; "
                  "correct what was said above, or say available",
                  words);
        return ERR_SYSTEM;
    }
    if (is_root_refused(site)) {
        return ERR_PERMISSION;
    }
    if (missing != 0) {
        log_warning("processes are less confined than they could be: %s", words);
    }
    site->layers &= ~missing;
    return OK;
}

bool site_enter(void *context)
{
    struct site *site = context;
    unsigned missing = confine(&site->plan, site->layers, &site->confinement);
    bool may_lack = !program_is_fastcgi() && (missing & CONFINE_FAILED) == 0 &&
                    site->config->workers.confinement != CONFINEMENT_REQUIRED;
    bool may_serve = missing == 0 || may_lack;
    if (!may_serve) {
        char words[CONFINE_TEXT_MAX];
        confine_print(missing, words);
        log_error("this process serves nobody, for it could not be confined: %s", words);
    }
    return may_serve && !is_root_refused(site);
}

static void site_close(struct site *site)
{
    auth_close(&site->auth);
    pages_free(&site->templates);
    buffer_clear(&site->policy);
    config_free(&site->config);
}

/* "-c FILE", and nothing else. */
static bool read_arguments(int argc, char **argv, const char **config_path)
{
    int option = 0;
    while ((option = getopt(argc, argv, "c:")) != -1) {
        if (option != 'c') {
            return false;
        }
        *config_path = optarg;
    }
    return optind == argc;
}

int site_run(const struct site_program *program, int argc, char **argv)
{
    struct site site = {0};
    struct http_program http = program->http;
    const char *config_path = NULL;
    char **environment = NULL;
    int result = 1;
    (void)umask(S_IRWXG | S_IRWXO);
    log_open(program->http.name, LOG_LEVEL_INFO);
    if (!program_prepare(&environment)) {
        log_error("the standard descriptors or the environment cannot be set up");
        return result;
    }
    if (program_is_fastcgi() && !read_arguments(argc, argv, &config_path)) {
        log_error("usage: %s [-c FILE], with a listening socket as descriptor 0",
                  program->http.name);
        return result;
    }
    if (program->hashes) {
        priority_lower();
        http.is_slow = true;
    }
    bool opened = site_open(program, config_path, &site) == OK;
    if (opened && program_is_fastcgi()) {
        auth_disconnect(&site.auth); /* each worker opens its own */
        (void)malloc_trim(0);        /* what that took is not to be in every worker */
    }
    if (opened && plan_confinement(program, &site) == OK) {
        result = program_run(&http, count_workers(site.config, program->role), environment, &site);
    }
    site_close(&site);
    return result;
}

size_t site_list_cookies(const struct request *request, const char *name,
                         struct text out[AUTH_COOKIES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < request->cookies.count && count < AUTH_COOKIES_MAX; i++) {
        if (text_is(request->cookies.items[i].name, name)) {
            out[count++] = request->cookies.items[i].value;
        }
    }
    return count;
}

enum status site_identify(struct site *site, const struct request *request, int64_t now_s,
                          struct visitor *out)
{
    struct text values[AUTH_COOKIES_MAX];
    size_t count = site_list_cookies(request, config_cookie_name(site->config), values);
    return auth_identify(&site->auth, values, count, now_s, out);
}

uint64_t site_known_as(void *context, const struct request *request)
{
    struct site *site = context;
    struct text values[AUTH_COOKIES_MAX];
    size_t count = site_list_cookies(request, config_device_cookie_name(site->config), values);
    int64_t now_s = 0;
    if (count == 0 || clock_get(&now_s) != OK || keyring_refresh(site->auth.keyring) != OK) {
        return 0; /* whoever answers meets the same, and says so */
    }
    const struct device_cookies cookies = {values, count};
    return device_known_as(site->auth.store, site->auth.keyring, &cookies, now_s);
}

/* Once a second at most. SIGTERM lets it answer what it has begun. */
static void leave_if_outdated(struct site *site)
{
    int64_t now_ms = clock_monotonic_ms();
    if (site->layers != 0 && now_ms >= site->outdated_ms) {
        site->outdated_ms = now_ms + OUTDATED_LOOK_MS;
        if (confine_is_outdated(&site->confinement)) {
            log_warning("a folder was replaced by another one, which this process may not use");
            (void)raise(SIGTERM);
        }
    }
}

int site_tend(void *context, bool leaving)
{
    struct site *site = context;
    if (!leaving) {
        leave_if_outdated(site);
    }
    return session_tend(&site->auth.sessions, leaving ? USES_AT_LAST : USES_WHEN_DUE);
}

int site_rest(void *context)
{
    const struct site *site = context;
    return session_rest(&site->auth.sessions);
}
