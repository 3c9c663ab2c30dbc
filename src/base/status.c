/* Words for the statuses. A switch without a default, so that the compiler names a status that was
 * forgotten here. */
#include "base/status.h"

const char *status_text(enum status status)
{
    switch (status) {
    case OK:
        return "done";
    case ERR_MEMORY:
        return "out of memory, or over a limit of memory";
    case ERR_SYSTEM:
        return "a system call failed";
    case ERR_INPUT:
        return "malformed input";
    case ERR_TOO_LARGE:
        return "too large";
    case ERR_NOT_FOUND:
        return "not found";
    case ERR_EXISTS:
        return "exists already";
    case ERR_BUSY:
        return "busy";
    case ERR_STORE:
        return "the database cannot answer now";
    case ERR_SCHEMA_OLD:
        return "the database must be migrated";
    case ERR_SCHEMA_NEW:
        return "the database was written by a newer program";
    case ERR_CRYPTO:
        return "a cryptographic library refused";
    case ERR_PERMISSION:
        return "a file is open to others";
    }
    return "unknown status"; /* reached only by a value that is no member of the enum */
}
