/* Where the web programs are. */
#ifndef LATCHKEY_CLI_PROGRAMS_H
#define LATCHKEY_CLI_PROGRAMS_H

#include <stddef.h>

#include "base/status.h"

/* Writes the folder of the web programs, found from this command's own place: ../cgi-bin in the
 * build tree, ../lib/latchkey/cgi-bin when installed. Each program must be there and may be run.
 * ERR_NOT_FOUND, ERR_SYSTEM (logged). */
enum status programs_find(char *out, size_t room) MUST_USE;

#endif
