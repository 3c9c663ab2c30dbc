#define _GNU_SOURCE
#include "scratch.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS 8

static char folder[64];
static pid_t owner;

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() == owner) { /* a forked child must not take it away */
        (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
}

const char *scratch_folder(void)
{
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, "/tmp/latchkey-test-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            perror("mkdtemp");
            abort();
        }
        owner = getpid();
        if (atexit(remove_folder) != 0) {
            abort();
        }
    }
    return folder;
}

const char *scratch_path(const char *name)
{
    static char paths[PATHS][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    (void)snprintf(path, PATH_MAX, "%s/%s", scratch_folder(), name);
    return path;
}

const char *scratch_write(const char *name, const char *content)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(content, file) < 0 || fclose(file) != 0 || chmod(path, 0600) != 0) {
        perror(path);
        abort();
    }
    return path;
}
