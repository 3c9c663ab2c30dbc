/* A request in, the bytes of its answer out: the same for every carrier. */
#ifndef LATCHKEY_HTTP_EXCHANGE_H
#define LATCHKEY_HTTP_EXCHANGE_H

#include "http/program.h"

struct exchange {
    const struct http_program *program;
    void *context;
    int refusal;         /* not 0: good requests are refused with this status, too */
    struct arena *arena; /* of the present request; for the carrier too */
    struct response response;
    struct buffer answer; /* from Status on; whole, when the call below was OK */
};

/* ERR_MEMORY. `program` and `context` are borrowed. Close with exchange_close. */
enum status exchange_open(const struct http_program *program, void *context, struct exchange *out)
    MUST_USE;

/* Wipes. */
void exchange_close(struct exchange *exchange);

/* Lets the program answer what the carrier took. On failure (logged) nothing may be sent. */
enum status exchange_answer(struct exchange *exchange, const struct request_source *source)
    MUST_USE;

/* Answers, with `status`, a request of which nothing is known but the role. Failures as above. */
enum status exchange_refuse(struct exchange *exchange, enum role role, int status) MUST_USE;

/* Forgets the request and wipes all that came of it. Call after each one, answered or not. */
void exchange_reset(struct exchange *exchange);

#endif
