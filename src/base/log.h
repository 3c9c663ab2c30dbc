/* The log: lines on standard error, as web servers, systemd and terminals take them. */
#ifndef LATCHKEY_BASE_LOG_H
#define LATCHKEY_BASE_LOG_H

#include "base/text.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Names the program in every later line, and the least important level that is written.
 * `program` is borrowed for the life of the process. */
void log_open(const char *program, enum log_level level);

/* One line: "program[pid]: level: text". Bytes that are control characters or not valid UTF-8 are
 * written as \xHH, so that nobody can forge a line; cut at 1,000 bytes. Never fails, keeps errno.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A wrong password, for whoever bans addresses: one line in the system's log (base/syslog.h), of
 * facility authpriv and level warning, and the same as log_warning writes it:
 *
 *     authentication failure; user=NAME rhost=ADDRESS
 *
 * `user` is the name of a user, or empty; `address` that of the client. What is no name, or no
 * address, is left out, so that nothing else gets into the line. Never fails or waits, keeps errno.
 */
void log_authentication_failure(struct text user, struct text address);

#endif
