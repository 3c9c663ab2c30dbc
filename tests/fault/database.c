/* SQLite's functions, each with any result code. Those of the system below it fail in memory.c and
 * files.c, and SQLite then finds the code, and what else follows, by itself. */
#include <sqlite3.h>
#include <stdarg.h>

#include "interpose.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): parameters and arguments take none */
#define INTERPOSE_SQLITE(name, parameters, arguments)                                              \
    int name parameters                                                                            \
    {                                                                                              \
        static int(*original) parameters;                                                          \
        struct fault fault = fault_ask(FAULT_##name, __builtin_return_address(0));                 \
        if (original == NULL) {                                                                    \
            fault_find(#name, &original);                                                          \
        }                                                                                          \
        if (fault.how == FAULT_BEFORE) {                                                           \
            return fault.error;                                                                    \
        }                                                                                          \
        int code = original arguments;                                                             \
        return fault.how == FAULT_AFTER ? fault.error : code;                                      \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

INTERPOSE_SQLITE(sqlite3_open_v2, (const char *path, sqlite3 **out, int flags, const char *vfs),
                 (path, out, flags, vfs))
INTERPOSE_SQLITE(sqlite3_prepare_v3,
                 (sqlite3 * db, const char *sql, int len, unsigned flags, sqlite3_stmt **out,
                  const char **tail),
                 (db, sql, len, flags, out, tail))
INTERPOSE_SQLITE(sqlite3_step, (sqlite3_stmt * statement), (statement))
INTERPOSE_SQLITE(sqlite3_exec,
                 (sqlite3 * db, const char *sql, int (*call)(void *, int, char **, char **),
                  void *context, char **error),
                 (db, sql, call, context, error))
INTERPOSE_SQLITE(sqlite3_bind_int64, (sqlite3_stmt * statement, int number, sqlite3_int64 value),
                 (statement, number, value))
INTERPOSE_SQLITE(sqlite3_bind_text64,
                 (sqlite3_stmt * statement, int number, const char *bytes, sqlite3_uint64 len,
                  void (*destroy)(void *), unsigned char encoding),
                 (statement, number, bytes, len, destroy, encoding))
INTERPOSE_SQLITE(sqlite3_bind_blob64,
                 (sqlite3_stmt * statement, int number, const void *bytes, sqlite3_uint64 len,
                  void (*destroy)(void *)),
                 (statement, number, bytes, len, destroy))
INTERPOSE_SQLITE(sqlite3_busy_handler, (sqlite3 * db, int (*call)(void *, int), void *context),
                 (db, call, context))
INTERPOSE_SQLITE(sqlite3_set_authorizer,
                 (sqlite3 * db,
                  int (*call)(void *, int, const char *, const char *, const char *, const char *),
                  void *context),
                 (db, call, context))
INTERPOSE_SQLITE(sqlite3_wal_checkpoint_v2,
                 (sqlite3 * db, const char *name, int mode, int *log, int *done),
                 (db, name, mode, log, done))

/* As it is called here: with a number, and where to put the former one. */
int sqlite3_db_config(sqlite3 *db, int option, ...)
{
    struct fault fault = fault_ask(FAULT_sqlite3_db_config, __builtin_return_address(0));
    int (*original)(sqlite3 *, int, ...) = NULL;
    va_list list;
    va_start(list, option);
    int value = va_arg(list, int);
    int *former = va_arg(list, int *);
    va_end(list);
    if (fault.how == FAULT_BEFORE) {
        return fault.error;
    }
    fault_find("sqlite3_db_config", &original);
    int code = original(db, option, value, former);
    return fault.how == FAULT_AFTER ? fault.error : code;
}
