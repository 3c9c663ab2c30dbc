/* Root is left for good and checked to be gone: a set of groups or a saved id that stays behind is
 * the classic mistake, so all ids are set and then asked back.
 *
 * What is handed over lies in folders that the user may write, who may have been taken over: what
 * has the name by now can be anything. So it is opened, looked at, and that very thing is given. A
 * file with a second name may be one of the system's, and a folder that all may write is
 * everyone's, as /tmp is: neither is given away. */
#define _GNU_SOURCE /* setresuid, setgroups, O_PATH, AT_EMPTY_PATH */
#include "cli/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static enum status find_user(const struct config *config, struct owner *out)
{
    if (geteuid() != 0) {
        return OK;
    }
    /* cppcheck-suppress getpwnamCalled ; no program here has threads */
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
    /* cppcheck-suppress getgrnamCalled ; no program here has threads */
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

/* Why it must not be given to anybody, or NULL. */
static const char *find_objection(const struct stat *found)
{
    if (S_ISDIR(found->st_mode)) {
        return (found->st_mode & S_IWOTH) != 0
                   ? "all may write that folder; name one of Latchkey's own"
                   : NULL;
    }
    if (S_ISLNK(found->st_mode)) {
        return "it is a symbolic link; name the place itself in the configuration";
    }
    if (!S_ISREG(found->st_mode) && !S_ISSOCK(found->st_mode)) {
        return "it is neither a file nor a folder nor a socket; remove it";
    }
    return found->st_nlink > 1 ? "it has a second name elsewhere; put a copy in its place" : NULL;
}

enum status owner_give(const struct owner *owner, const char *path, bool for_sockets)
{
    uid_t user = owner->has_user ? owner->user : (uid_t)-1;
    gid_t group = owner->has_user ? owner->group : (gid_t)-1;
    if (for_sockets && owner->has_sockets_group) {
        group = owner->sockets_group;
    }
    if (user == (uid_t)-1 && group == (gid_t)-1) {
        return OK;
    }
    int thing = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (thing < 0 && errno == ENOENT) {
        return OK;
    }
    struct stat found;
    enum status status = ERR_SYSTEM;
    const char *objection = NULL;
    if (thing >= 0 && fstat(thing, &found) == 0) {
        objection = find_objection(&found);
        if (objection == NULL && fchownat(thing, "", user, group, AT_EMPTY_PATH) == 0) {
            status = OK;
        }
    }
    if (objection != NULL) {
        log_error("the owner of %s stays as it is: %s", path, objection);
    } else if (status != OK) {
        log_error("cannot change the owner of %s: %s; run this as root, or set state.user and "
                  "state.group to what you are",
                  path, strerror(errno));
    }
    if (thing >= 0) {
        (void)close(thing);
    }
    return status;
}

static enum status set_effective(uid_t user)
{
    if (seteuid(user) != 0 || geteuid() != user) {
        log_error("cannot act as the user of number %lu: %s", (unsigned long)user, strerror(errno));
        return ERR_SYSTEM;
    }
    return OK;
}

enum status owner_enter(const struct owner *owner)
{
    return owner->has_user ? set_effective(owner->user) : OK;
}

enum status owner_leave(const struct owner *owner)
{
    return owner->has_user ? set_effective(0) : OK;
}

enum status owner_become(const struct owner *owner)
{
    uid_t real;
    uid_t effective;
    uid_t saved;
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
