/* The time of day.
 *
 * A board without a battery wakes up in 1970 until the network tells it the time; sessions issued
 * then would be over, or never over, a minute later. So a time before 2024 is a failure. What this
 * does not find: a clock that is wrong by less. */
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

#define EARLIEST_S INT64_C(1704067200) /* 2024-01-01 00:00:00 UTC */

enum status clock_get(int64_t *out_s)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        log_error("cannot read the clock: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    if (now.tv_sec < EARLIEST_S) {
        log_error("the clock stands before 2024: set it, or wait until it is synchronized");
        return ERR_SYSTEM;
    }
    *out_s = now.tv_sec;
    return OK;
}

int64_t clock_monotonic_ms(void)
{
    static int64_t last_ms; /* what stands still wakes up again; 0 would be waited from for ever */
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) == 0) {
        last_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    }
    return last_ms;
}

void clock_print(int64_t time_s, char out[CLOCK_TEXT_MAX])
{
    time_t time = (time_t)time_s;
    struct tm parts;
    if (time == time_s && gmtime_r(&time, &parts) != NULL &&
        strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%d %H:%M:%S UTC", &parts) > 0) {
        return;
    }
    (void)snprintf(out, CLOCK_TEXT_MAX, "@%" PRId64, time_s); /* a year beyond the calendar's */
}

/* In the largest unit of which there is at least one. */
static void print_count(int64_t span_s, bool up, const char *end, char out[CLOCK_TEXT_MAX])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t i = 0;
    while (span_s < units[i].seconds && units[i].seconds > 1) {
        i++;
    }
    int64_t count = span_s / units[i].seconds;
    count += up && span_s % units[i].seconds != 0 ? 1 : 0;
    (void)snprintf(out, CLOCK_TEXT_MAX, "%" PRId64 " %s%s%s", count, units[i].name,
                   count == 1 ? "" : "s", end);
}

void clock_print_ago(int64_t time_s, int64_t now_s, char out[CLOCK_TEXT_MAX])
{
    if (now_s < time_s || now_s - time_s < 60) {
        (void)snprintf(out, CLOCK_TEXT_MAX, "just now");
    } else {
        print_count(now_s - time_s, false, " ago", out);
    }
}

void clock_print_span(int64_t span_s, char out[CLOCK_TEXT_MAX])
{
    print_count(span_s > 0 ? span_s : 0, true, "", out);
}

/* Reads `digits` digits and what stands behind them off the front of *rest. */
static bool cut_number(struct text *rest, size_t digits, const char *behind, int64_t *out)
{
    uint64_t number = 0;
    if (rest->len < digits ||
        text_parse_number((struct text){rest->data, digits}, 9999, &number) != OK) {
        return false;
    }
    *rest = text_from(*rest, digits);
    *out = (int64_t)number;
    return text_cut_prefix(rest, text_of(behind));
}

/* Days from 1970-01-01, counted in years that begin in March, so that the leap day is the last of
 * its year. */
static int64_t count_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static bool is_day(int64_t year, int64_t month, int64_t day)
{
    if (year < 1970 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    int64_t next = month < 12 ? count_days(year, month + 1, 1) : count_days(year + 1, 1, 1);
    return count_days(year, month, day) < next;
}

enum status clock_parse(struct text text, int64_t *out_s)
{
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!cut_number(&text, 4, "-", &year) || !cut_number(&text, 2, "-", &month) ||
        !cut_number(&text, 2, "", &day) || !is_day(year, month, day)) {
        return ERR_INPUT;
    }
    if (text.len > 0 &&
        (!text_cut_prefix(&text, TEXT("T")) || !cut_number(&text, 2, ":", &hour) ||
         !cut_number(&text, 2, ":", &minute) || !cut_number(&text, 2, "Z", &second))) {
        return ERR_INPUT;
    }
    if (text.len > 0 || hour > 23 || minute > 59 || second > 59) {
        return ERR_INPUT;
    }
    *out_s = ((count_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return OK;
}
