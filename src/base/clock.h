/* The time of day, and nothing issued or accepted while it cannot be right. */
#ifndef LATCHKEY_BASE_CLOCK_H
#define LATCHKEY_BASE_CLOCK_H

#include <stdint.h>

#include "base/text.h"

/* Clocks of one machine may step back this far without ending sessions. */
#define CLOCK_SKEW_S 60

/* Seconds since 1970 UTC in *out. ERR_SYSTEM (logged) when the clock cannot be read or stands
 * before 2024, as on a board whose clock was never set. */
enum status clock_get(int64_t *out_s) MUST_USE;

/* Milliseconds of a clock that never steps, for deadlines within one process. */
int64_t clock_monotonic_ms(void);

/* "2026-11-24 16:05:09 UTC" for people; `out` gets a NUL-terminated string. */
#define CLOCK_TEXT_MAX 32
void clock_print(int64_t time_s, char out[CLOCK_TEXT_MAX]);

/* How long before `now_s` that was, for people: "just now", "1 minute ago", "3 days ago". */
void clock_print_ago(int64_t time_s, int64_t now_s, char out[CLOCK_TEXT_MAX]);

/* A stretch of time for people, rounded up: "1 second", "15 minutes". */
void clock_print_span(int64_t span_s, char out[CLOCK_TEXT_MAX]);

/* Reads a day or a time of UTC, "2026-11-24" or "2026-11-24T16:05:09Z" (RFC 3339 §5.6, with capital
 * letters and whole seconds), from 1970 to 9999, as seconds since 1970. ERR_INPUT when it is
 * anything else, or no such day; *out_s is untouched then. */
enum status clock_parse(struct text text, int64_t *out_s) MUST_USE;

#endif
