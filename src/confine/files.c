/* Landlock, by its system calls (landlock(7)): glibc has no functions for them, and the header of
 * Debian 12 ends with the second version of seven or more.
 *
 * Everything that the running kernel knows to restrict is restricted, and only what is listed for
 * the plan's folders is given back. What is open already stays open. Paths of UNIX sockets are not
 * restricted by it, so the filter of calls must forbid connect(2). */
#define _GNU_SOURCE /* O_PATH, syscall */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "confine/layers.h"

/* struct landlock_ruleset_attr as of version 6; older kernels take its beginning. */
struct ruleset {
    uint64_t files;    /* since 1 */
    uint64_t networks; /* since 4 */
    uint64_t scopes;   /* since 6 */
};

/* How many rights of files there are from a version on: they are numbered from bit 0. */
static const struct {
    int version;
    unsigned rights;
} known[] = {{1, 13}, {2, 14}, {3, 15}, {5, 16}};

#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* since 3 */
#define NETWORKS       UINT64_C(3)         /* bind and connect of TCP, since 4 */
#define SCOPES         UINT64_C(3)         /* abstract UNIX sockets and signals, since 6 */

#define FOLDER_RIGHTS                                                                              \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR |  \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | RIGHT_TRUNCATE)

static struct ruleset all_of(int version)
{
    struct ruleset rules = {0};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (version >= known[i].version) {
            rules.files = (UINT64_C(1) << known[i].rights) - 1;
        }
    }
    rules.networks = version >= 4 ? NETWORKS : 0;
    rules.scopes = version >= 6 ? SCOPES : 0;
    return rules;
}

static size_t size_for(int version)
{
    return version >= 6   ? sizeof(struct ruleset)
           : version >= 4 ? offsetof(struct ruleset, scopes)
                          : offsetof(struct ruleset, networks);
}

static bool allow(int rules, const char *path, uint64_t rights)
{
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0 && errno == ENOENT) {
        return true; /* out of reach, also when it is made; see confine_is_outdated */
    }
    if (place < 0) {
        log_error("cannot confine this process to %s: %s", path, strerror(errno));
        return false;
    }
    const struct landlock_path_beneath_attr rule = {rights, place};
    bool done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    if (!done) {
        log_error("cannot confine this process to %s: %s", path, strerror(errno));
    }
    (void)close(place);
    return done;
}

static const struct {
    const char *path;
    uint64_t rights;
} devices[] = {
    {"/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE},   /* by which a CGI answer ends (http/cgi.c) */
    {"/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE}, /* SQLite's, which takes the time without */
};

static bool allow_all(int rules, const struct confine_plan *plan, uint64_t known_rights)
{
    bool done = true;
    for (size_t i = 0; i < CONFINE_FOLDERS_MAX && done; i++) {
        done = plan->folders[i] == NULL ||
               allow(rules, plan->folders[i], FOLDER_RIGHTS & known_rights);
    }
    for (size_t i = 0; i < sizeof devices / sizeof devices[0] && done; i++) {
        done = allow(rules, devices[i].path, devices[i].rights);
    }
    if (done && CONFINE_SANITIZED) {
        done = allow(rules, "/proc", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
    }
    return done;
}

enum status files_restrict(const struct confine_plan *plan)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        log_warning("this kernel cannot confine processes to their files (Landlock: %s)",
                    strerror(errno)); /* which keeps errno */
        return errno == ENOSYS || errno == EOPNOTSUPP ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    const struct ruleset rules = all_of((int)version);
    int made = (int)syscall(SYS_landlock_create_ruleset, &rules, size_for((int)version), 0);
    if (made < 0) {
        log_error("this process could not be confined to its files: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    bool done = allow_all(made, plan, rules.files);
    if (done && syscall(SYS_landlock_restrict_self, made, 0) != 0) {
        log_error("this process could not be confined to its files: %s", strerror(errno));
        done = false;
    }
    (void)close(made);
    return done ? OK : ERR_SYSTEM;
}
