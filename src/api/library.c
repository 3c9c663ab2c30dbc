/* An installation of Latchkey, as other people's programs open it.
 *
 * Such a program has a role of its own with the store, which reads no password hash and ends no
 * session. That guards against faults, not against the program: it can read the secret file, so it
 * could make any token. */
#include <stdlib.h>

#include "api/handle.h"
#include "base/log.h"

enum lk_status handle_status(enum status status)
{
    switch (status) {
    case OK:
        return LK_OK;
    case ERR_MEMORY:
        return LK_MEMORY;
    case ERR_INPUT:
        return LK_INVALID;
    case ERR_TOO_LARGE:
        return LK_TOO_LARGE;
    case ERR_NOT_FOUND:
        return LK_NOT_FOUND;
    case ERR_SYSTEM:
    case ERR_EXISTS:
    case ERR_BUSY:
    case ERR_STORE:
    case ERR_SCHEMA_OLD:
    case ERR_SCHEMA_NEW:
    case ERR_CRYPTO:
    case ERR_PERMISSION:
    default:
        return LK_UNAVAILABLE;
    }
}

const char *lk_status_text(enum lk_status status)
{
    switch (status) {
    case LK_OK:
        return "done";
    case LK_NOBODY:
        return "the visitor is not signed in";
    case LK_NOT_FOUND:
        return "nothing of that name";
    case LK_TOO_LARGE:
        return "more than a session may hold";
    case LK_INVALID:
        return "not a valid name";
    case LK_UNAVAILABLE:
        return "not possible now";
    case LK_MEMORY:
        return "out of memory";
    default:
        return "unknown status";
    }
}

/* Whatever is wrong with an installation was logged, and is one thing to a program. */
static enum lk_status open_site(const char *config, const char *program, struct lk_site *site)
{
    char error[CONFIG_ERROR_MAX];
    enum status status = config_load(config, &site->config, error);
    if (status != OK) {
        log_error("%s", error);
    } else {
        log_open(program, site->config->log.level);
        status = auth_open(site->config, "library", STORE_ROLE_APP, true, &site->auth);
    }
    if (status == OK) {
        auth_disconnect(&site->auth); /* so that it may cross fork */
    }
    return status == OK || status == ERR_MEMORY ? handle_status(status) : LK_UNAVAILABLE;
}

enum lk_status lk_open(const char *config, const char *program, struct lk_site **site)
{
    *site = NULL;
    log_open(program, LOG_LEVEL_INFO);
    struct lk_site *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return LK_MEMORY;
    }
    enum lk_status status = open_site(config, program, opened);
    if (status == LK_OK) {
        *site = opened;
    } else {
        lk_close(opened);
    }
    return status;
}

void lk_close(struct lk_site *site)
{
    if (site != NULL) {
        if (site->auth.store != NULL) {
            (void)session_tend(&site->auth.sessions, USES_AT_LAST);
        }
        auth_close(&site->auth);
        config_free(&site->config);
        free(site);
    }
}

const char *lk_path(const struct lk_site *site)
{
    return site->config->site.path;
}
