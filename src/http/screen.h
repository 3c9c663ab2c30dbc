/* Judges the bytes of a FastCGI connection before anything else reads them (FastCGI 1.0 §3, §5).
 * Pure: no input, no output, no allocation. */
#ifndef LATCHKEY_HTTP_SCREEN_H
#define LATCHKEY_HTTP_SCREEN_H

#include "http/request.h"

#define SCREEN_HEADER_BYTES 8 /* of every record */

/* Raw bytes of a request that may still be complete and good: parameters, body, and the headers and
 * padding of their records. */
#define SCREEN_RAW_MAX_BYTES ((size_t)128 * 1024)

/* Parameters in a request; web servers send about 30 and one for each header. */
#define SCREEN_PARAMS_MAX 1024

enum screen_verdict {
    SCREEN_MALFORMED = 0, /* not one well-formed request: to be closed without an answer */
    SCREEN_INCOMPLETE,    /* good so far */
    SCREEN_COMPLETE,      /* one whole request, and nothing after it */
    SCREEN_TOO_LARGE,     /* good so far, but over a limit */
};

/* Where screen_look puts the parameters. Zeroed or used before, it does not matter. */
struct screen_room {
    char params[PARAMS_MAX_BYTES];
    struct field pairs[SCREEN_PARAMS_MAX]; /* in params */
};

/* What is known of a request. Begin with screen_init; read what is public, write nothing. */
struct screen {
    enum role role;       /* valid once parameters or body were seen */
    uint16_t request_id;  /* 0 until the first record */
    size_t total_bytes;   /* fed so far */
    size_t params_bytes;  /* content of the parameter records so far */
    size_t body_bytes;    /* content of the input records so far */
    bool params_whole;    /* all parameters came, and are within their limits */
    bool too_large;       /* parameters or body are over their limit */
    bool keep_conn;       /* FCGI_KEEP_CONN: the peer would send more requests */
    bool input_ended;     /* the end of STDIN came: nothing more belongs to the request */
    const char *reason;   /* static; why it is malformed */
    struct params params; /* by screen_look, of what is complete: not BROKEN; borrowed */

    int phase; /* the rest is private to screen.c */
    uint8_t type;
    uint8_t part[SCREEN_HEADER_BYTES]; /* a record header, or a BEGIN body, as far as it came */
    size_t part_bytes;
    size_t content_left, padding_left; /* of the present record */
    char *gathered;                    /* where parameters are put, or NULL */
};

/* With `params`, which must have PARAMS_MAX_BYTES, the content of the parameter records is
 * gathered there as far as it fits. Borrowed. */
void screen_init(struct screen *screen, char *params);

/* Takes the next bytes of a connection, split anywhere. MALFORMED sticks. Limits are not a verdict
 * here: see too_large. Checks records, not what the parameters hold. */
enum screen_verdict screen_feed(struct screen *screen, struct text bytes);

/* Judges a connection from its first byte on, and when it is complete also the parameters: they
 * must be whole pairs, and not broken (params_judge). *room holds them afterwards; wipe them. */
enum screen_verdict screen_look(struct text bytes, struct screen_room *room, struct screen *out);

/* Cuts the first pair off *rest. ERR_INPUT: it is not whole. Borrowed like *rest. */
enum status screen_next_pair(struct text *rest, struct field *out) MUST_USE;

#endif
