/* Gives a fuzz target the inputs that are kept, for compilers without libFuzzer. Speaks TAP.
 *
 * Usage: replay FOLDER
 *
 * The product must accept a file whose name begins with "accept-" and refuse one that begins with
 * "refuse-". Others, found by libFuzzer, stand for what they once reached: that no promise is
 * broken is all that is asked of them. At least one of each kind must be there, for a target that
 * accepts all, or nothing, says nothing. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "fuzz.h"

#define INPUT_MAX ((size_t)4 * 1024 * 1024)

struct replay {
    const char *folder;
    size_t number, failed, accepted, refused;
};

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool run(struct replay *replay, const char *name)
{
    char path[4096];
    struct buffer file;
    buffer_init(&file, INPUT_MAX);
    (void)snprintf(path, sizeof path, "%s/%s", replay->folder, name);
    fuzz_require(file_read(path, &file) == OK, "an input can be read");
    /* A copy of just that size, so that reading past its end is found. */
    char *exact = malloc(file.len > 0 ? file.len : 1);
    fuzz_require(exact != NULL, "there is memory");
    memcpy(exact, text_bytes(buffer_text(&file)), file.len);
    bool accepted = fuzz_one((struct text){exact, file.len});
    free(exact);
    buffer_clear(&file);
    return accepted;
}

static void report(struct replay *replay, bool good, const char *name, const char *what)
{
    replay->number++;
    replay->failed += !good;
    (void)printf("%s %zu - %s%s\n", good ? "ok" : "not ok", replay->number, name, what);
    (void)fflush(stdout);
}

static void replay_one(struct replay *replay, const char *name)
{
    bool accepted = run(replay, name);
    if (begins(name, "accept-")) {
        replay->accepted++;
        report(replay, accepted, name, accepted ? "" : " was refused");
    } else if (begins(name, "refuse-")) {
        replay->refused++;
        report(replay, !accepted, name, accepted ? " was accepted" : "");
    } else {
        report(replay, true, name, "");
    }
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    struct replay replay = {.folder = argc == 2 ? argv[1] : "."};
    int count = argc == 2 ? scandir(replay.folder, &entries, is_input, alphasort) : -1;
    if (count < 0) {
        (void)fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    log_open("replay", LOG_LEVEL_ERROR);
    (void)printf("1..%d\n", count + 1);
    for (int i = 0; i < count; i++) {
        replay_one(&replay, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    report(&replay, replay.accepted > 0 && replay.refused > 0, replay.folder,
           " has inputs of both kinds");
    return replay.failed == 0 ? 0 : 1;
}
