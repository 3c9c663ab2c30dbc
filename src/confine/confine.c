/* Order matters: Landlock and seccomp want a process without new privileges, and after seccomp the
 * calls that the others need are gone. */
#include "confine/confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/layers.h"

static const struct {
    enum confine_layer layer;
    enum status (*apply)(const struct confine_plan *plan);
    const char *words;
} all_layers[] = {
    {CONFINE_LIMITS, limits_set, "limits"},
    {CONFINE_FILES, files_restrict, "files (Landlock)"},
    {CONFINE_CALLS, calls_restrict, "system calls (seccomp)"},
};

static void remember_folders(const struct confine_plan *plan, struct confinement *out)
{
    *out = (struct confinement){.count = 0};
    for (size_t i = 0; i < CONFINE_FOLDERS_MAX; i++) {
        struct stat found = {0}; /* of what is not there */
        if (plan->folders[i] != NULL) {
            (void)stat(plan->folders[i], &found);
            out->folders[out->count].path = plan->folders[i];
            out->folders[out->count].device = found.st_dev;
            out->folders[out->count].inode = found.st_ino;
            out->count++;
        }
    }
}

unsigned confine(const struct confine_plan *plan, unsigned layers, struct confinement *out)
{
    unsigned missing = 0;
    remember_folders(plan, out);
    tzset(); /* reads a file, which is out of reach afterwards */
    for (size_t i = 0; i < sizeof all_layers / sizeof all_layers[0]; i++) {
        enum status status = (layers & all_layers[i].layer) != 0 ? all_layers[i].apply(plan) : OK;
        if (status != OK) {
            missing |= all_layers[i].layer;
            missing |= status == ERR_NOT_FOUND ? 0 : CONFINE_FAILED;
        }
    }
    return missing;
}

unsigned confine_try(const struct confine_plan *plan)
{
    int result = 0;
    pid_t child = fork();
    if (child == 0) {
        struct confinement ignored;
        _exit((int)confine(plan, CONFINE_ALL, &ignored));
    }
    while (child > 0 && waitpid(child, &result, 0) < 0) {
        if (errno != EINTR) {
            child = -1;
        }
    }
    if (child < 0 || !WIFEXITED(result)) {
        log_error("whether processes can be confined here could not be tried: %s",
                  child < 0 ? strerror(errno) : "the one that tried died");
        return CONFINE_ALL | CONFINE_FAILED;
    }
    return (unsigned)WEXITSTATUS(result);
}

bool confine_is_outdated(const struct confinement *confinement)
{
    for (size_t i = 0; i < confinement->count; i++) {
        struct stat found;
        if (stat(confinement->folders[i].path, &found) == 0 &&
            (found.st_dev != confinement->folders[i].device ||
             found.st_ino != confinement->folders[i].inode)) {
            return true;
        }
    }
    return false;
}

void confine_print(unsigned layers, char out[CONFINE_TEXT_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof all_layers / sizeof all_layers[0]; i++) {
        if ((layers & all_layers[i].layer) != 0) {
            int len = snprintf(out + used, CONFINE_TEXT_MAX - used, "%s%s", used > 0 ? ", " : "",
                               all_layers[i].words);
            used += len > 0 ? (size_t)len : 0;
        }
    }
}
