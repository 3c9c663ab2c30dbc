/* Lines for the log of the system, as syslog(3) would send them, but without waiting. */
#ifndef LATCHKEY_BASE_SYSLOG_H
#define LATCHKEY_BASE_SYSLOG_H

#include "base/text.h"

#define SYSLOG_LINE_MAX 500 /* bytes of a line */

/* Sends a line, which must be fit for a log, to the socket `path` under the name "latchkey" with
 * the number of this process (RFC 3164 §4.1). `priority` is a facility and a level of syslog(3).
 * ERR_SYSTEM: nobody listens, or whoever does has no room now; ERR_TOO_LARGE. Neither is logged. */
enum status syslog_send(const char *path, int priority, struct text line) MUST_USE;

#endif
