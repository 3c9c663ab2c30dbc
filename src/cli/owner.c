/* Root is left for good and checked to be gone: a set of groups or a saved id that stays behind is
 * the classic mistake, so all ids are set and then asked back. */
#define _GNU_SOURCE /* setresuid, setgroups */
#include "cli/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static enum status find_user(const struct config *config, struct owner *out)
{
    if (geteuid() != 0) {
        return OK;
    }
    const struct passwd *user = getpwnam(config->state.user);
    if (user != NULL) {
        out->has_user = true;
        out->user = user->pw_uid;
        out->group = user->pw_gid;
        (void)snprintf(out->name, sizeof out->name, "%s", config->state.user);
    } else if (config->state.user_is_set) {
        log_error("state.user: there is no user %s; make it with: adduser --system --group %s",
                  config->state.user, config->state.user);
        return ERR_NOT_FOUND;
    }
    return OK;
}

enum status owner_find(const struct config *config, struct owner *out)
{
    *out = (struct owner){0};
    enum status status = find_user(config, out);
    const struct group *group = status == OK ? getgrnam(config->state.group) : NULL;
    if (group != NULL) {
        out->has_sockets_group = true;
        out->sockets_group = group->gr_gid;
    } else if (status == OK && config->state.group_is_set) {
        log_error("state.group: there is no group %s; make it with: addgroup --system %s",
                  config->state.group, config->state.group);
        status = ERR_NOT_FOUND;
    }
    return status;
}

enum status owner_give(const struct owner *owner, const char *path, bool for_sockets)
{
    uid_t user = owner->has_user ? owner->user : (uid_t)-1;
    gid_t group = owner->has_user ? owner->group : (gid_t)-1;
    if (for_sockets && owner->has_sockets_group) {
        group = owner->sockets_group;
    }
    if (lchown(path, user, group) != 0 && errno != ENOENT) {
        log_error("cannot change the owner of %s: %s; run this as root, or set state.user and "
                  "state.group to what you are",
                  path, strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}

enum status owner_become(const struct owner *owner)
{
    uid_t real, effective, saved;
    if (!owner->has_user || owner->user == 0) {
        return OK;
    }
    if (initgroups(owner->name, owner->group) != 0 ||
        setresgid(owner->group, owner->group, owner->group) != 0 ||
        setresuid(owner->user, owner->user, owner->user) != 0 ||
        getresuid(&real, &effective, &saved) != 0 || real != owner->user ||
        effective != owner->user || saved != owner->user || setuid(0) == 0) {
        log_error("cannot become the user %s: %s", owner->name, strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}
