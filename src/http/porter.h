/* Who stands at the door of a program whose answers take long: what he answers himself, what he
 * hands to the workers, and whom he sends away. */
#ifndef LATCHKEY_HTTP_PORTER_H
#define LATCHKEY_HTTP_PORTER_H

#include "http/exchange.h"
#include "http/handover.h"
#include "http/screen.h"

/* Who comes when so many wait is sent away. At 20 to 100 ms for a hash that is a wait of a few
 * seconds with one worker, less than people's patience, and a tenth of what web servers allow. */
#define PORTER_WAITING_MAX 64

/* Of these, so many may be strangers: a flood leaves places to those who are known. */
#define PORTER_STRANGERS_MAX 48

/* So many requests in a second that are known as the same one go before strangers, further ones
 * stand with them: no account alone can fill the line or keep others out of it. People sign in less
 * often. */
#define PORTER_KNOWN_A_SECOND 4

/* Places in which these are counted, each for all numbers with the same remainder. */
#define PORTER_VISITS 256

struct porter_visits {
    int64_t second; /* of the monotonic clock */
    unsigned count; /* in that second */
};

struct porter {
    const struct handover *handover; /* borrowed */

    int64_t quiet_until_ms; /* the rest is private to porter.c; all zero at first */
    struct porter_visits visits[PORTER_VISITS];
};

enum passage {
    PASSAGE_HERE = 0, /* to be answered here, by the ordinary way */
    PASSAGE_ON,       /* handed over: to be closed here, nothing of it was read */
    PASSAGE_FULL,     /* to be refused with 503 (logged, not too often) */
};

/* Decides about a connection on which `seen` was found complete. `exchange` gives the program, and
 * memory, and is reset afterwards. */
enum passage porter_pass(struct porter *porter, int fd, const struct screen *seen,
                         struct exchange *exchange) MUST_USE;

#endif
