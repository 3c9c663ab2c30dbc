/* Counts the SQL statements of programs that are started with this preloaded: one byte is added to
 * the file that LATCHKEY_TEST_STATEMENTS names for each statement that begins. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "original.h"

static int note(unsigned event, void *context, void *statement, void *text)
{
    (void)event, (void)context, (void)statement, (void)text;
    const char *path = getenv("LATCHKEY_TEST_STATEMENTS");
    int file = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || write(file, ".", 1) != 1) {
        abort(); /* a count that misses one proves nothing */
    }
    (void)close(file);
    return 0;
}

int sqlite3_open_v2(const char *name, sqlite3 **out, int flags, const char *vfs)
{
    int code = ORIGINAL(sqlite3_open_v2)(name, out, flags, vfs);
    if (code == SQLITE_OK) {
        code = sqlite3_trace_v2(*out, SQLITE_TRACE_STMT, note, NULL);
    }
    return code;
}
