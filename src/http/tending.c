/* What the program has to tend is due a moment after an answer, and done in the first turn that
 * finds no event; or, when every turn finds one, TEND_LATE_MS after it was due. */
#include "http/tending.h"

#include "base/clock.h"

#define TEND_QUIET_MS 10 /* without an event, after an answer */
#define TEND_LATE_MS  1000

#define NEVER INT64_MAX

void tending_init(struct tending *tending, const struct exchange *exchange, atomic_bool *is_away)
{
    *tending = (struct tending){.due_ms = NEVER, .exchange = exchange, .is_away = is_away};
}

void tending_note_answer(struct tending *tending, int64_t now_ms)
{
    tending->must_rest = true;
    if (tending->exchange->program->tend != NULL && tending->due_ms == NEVER) {
        tending->due_ms = now_ms + TEND_QUIET_MS;
    }
}

static void set_away(const struct tending *tending, bool is_away)
{
    if (tending->is_away != NULL) {
        *tending->is_away = is_away;
    }
}

int64_t tending_act(struct tending *tending, int64_t now_ms, bool is_idle)
{
    if (tending->due_ms > (is_idle ? now_ms : now_ms - TEND_LATE_MS)) {
        return now_ms;
    }
    set_away(tending, true);
    int again_ms = tending->exchange->program->tend(tending->exchange->context, false);
    set_away(tending, false);
    now_ms = clock_monotonic_ms();
    tending->due_ms = again_ms < 0 ? NEVER : now_ms + again_ms;
    return now_ms;
}

void tending_act_last(const struct tending *tending)
{
    if (tending->exchange->program->tend != NULL) {
        (void)tending->exchange->program->tend(tending->exchange->context, true);
    }
}

int tending_let_rest(struct tending *tending)
{
    const struct http_program *program = tending->exchange->program;
    int again_ms = -1;
    if (tending->must_rest && program->rest != NULL) {
        again_ms = program->rest(tending->exchange->context);
    }
    tending->must_rest = again_ms >= 0;
    return again_ms;
}
