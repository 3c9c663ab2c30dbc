/* One answer, made whole in memory and written in one piece with its Status first, so that half an
 * answer never looks like a grant (see the CGI and FastCGI rules: no Status means 200). */
#ifndef LATCHKEY_HTTP_RESPONSE_H
#define LATCHKEY_HTTP_RESPONSE_H

#include "base/buffer.h"

#define RESPONSE_BODY_MAX    65536
#define RESPONSE_HEADERS_MAX 16384

/* Starts as 500 without headers and body: a handler that forgets to decide has denied. */
struct response {
    int status;
    struct buffer headers; /* complete lines, each with CR LF */
    struct buffer body;    /* for the handler to add to */
    bool failed;           /* something could not be added: the answer becomes an empty 500 */
};

/* Makes it the 500 of the start, in place; response_clear wipes it and frees its memory. */
void response_init(struct response *response);
void response_clear(struct response *response);

/* Back to the 500 of the start, keeping memory. Wipes. */
void response_reset(struct response *response);

/* Adds a header. A name that is no RFC 9110 token, the name Status, or a value with CR, LF, NUL or
 * other control characters, makes the whole answer a 500, logged: it is never repaired and never
 * sent. */
void response_add_header(struct response *response, const char *name, struct text value);

/* Adds "name: value" only when value is not empty. */
void response_add_optional(struct response *response, const char *name, struct text value);

/* Sets the status (3xx, or 401, whose Location nginx takes) and Location (an absolute path or
 * absolute URL). Anything else makes the answer a 500. */
void response_redirect(struct response *response, int status, struct text location);

/* The reason phrase of the statuses that this project answers with; "Error" for others. */
const char *response_reason(int status);

/* The whole answer: "Status: 303 See Other\r\n", headers, empty line, body. With `head_only`, and
 * with 204 and 304, the body is left out. When the response failed, or its buffers did, or its
 * status is not from 200 to 599, an empty 500. ERR_MEMORY, ERR_TOO_LARGE: nothing of *out may be
 * sent then. */
enum status response_print(const struct response *response, bool head_only, struct buffer *out)
    MUST_USE;

#endif
