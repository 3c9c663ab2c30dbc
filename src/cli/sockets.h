/* The sockets of `latchkey serve`: one for each program, in the run directory. */
#ifndef LATCHKEY_CLI_SOCKETS_H
#define LATCHKEY_CLI_SOCKETS_H

#include "cli/owner.h"

#define SOCKETS_COUNT 4

/* The programs, in the order of their sockets. */
extern const char *const socket_programs[SOCKETS_COUNT];

struct sockets {
    int lock;                       /* held while serving: one `latchkey serve` a run directory */
    int descriptors[SOCKETS_COUNT]; /* listening, close-on-exec; -1: none */
};

/* Makes the run directory (mode 0750) when it is missing, takes its lock, and listens on
 * <run_directory>/<program>.sock, mode 0660, with the group state.group where that can be had. A
 * socket left behind by a dead process is replaced; one that answers is an error. ERR_EXISTS,
 * ERR_SYSTEM, ERR_TOO_LARGE (the path): logged. Close with sockets_close, also after a failure. */
enum status sockets_open(const struct config *config, const struct owner *owner,
                         struct sockets *out) MUST_USE;

/* Closes and removes them. */
void sockets_close(const struct config *config, struct sockets *sockets);

/* Whether the path of the longest of them fits into an address. */
bool sockets_path_fits(const struct config *config);

#endif
