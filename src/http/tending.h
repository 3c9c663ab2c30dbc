/* What a worker lets its program do between answers: `tend` and `rest` of struct http_program. */
#ifndef LATCHKEY_HTTP_TENDING_H
#define LATCHKEY_HTTP_TENDING_H

#include <stdatomic.h>

#include "http/exchange.h"

struct tending {
    bool must_rest; /* answered since the program last had nothing to let go of */
    int64_t due_ms; /* when the program wants to tend; INT64_MAX: not */

    const struct exchange *exchange; /* the rest is private to tending.c */
    atomic_bool *is_away;
};

/* For the program of an exchange, borrowed. *is_away, borrowed too, is true while the program
 * tends; NULL: nobody wants to know. */
void tending_init(struct tending *tending, const struct exchange *exchange, atomic_bool *is_away);

/* Takes note of an answer. */
void tending_note_answer(struct tending *tending, int64_t now_ms);

/* Lets the program tend if it is due and the worker idle, or if it is late; the time after it. */
int64_t tending_act(struct tending *tending, int64_t now_ms, bool is_idle);

/* Lets it tend for the last time. */
void tending_act_last(const struct tending *tending);

/* Lets the program let go of what it keeps. Milliseconds until it must be asked again; -1: it keeps
 * nothing. */
int tending_let_rest(struct tending *tending);

#endif
