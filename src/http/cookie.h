/* Cookies: the request's list taken apart, and one Set-Cookie line put together (RFC 6265bis §4.1).
 */
#ifndef LATCHKEY_HTTP_COOKIE_H
#define LATCHKEY_HTTP_COOKIE_H

#include "http/request.h"
#include "http/response.h"

#define COOKIE_MAX_BYTES 4096 /* of a whole Set-Cookie value */
#define COOKIE_LIST_MAX  256  /* cookies of a request; browsers keep fewer than 200 for a site */

struct cookie {
    const char *name;
    struct text value;  /* empty: the browser is told to forget the cookie */
    const char *domain; /* NULL or "": this host only */
    bool secure;
    bool keep;         /* whether it outlives the browser's session */
    int64_t max_age_s; /* with keep */
};

/* Splits an HTTP_COOKIE value at ';' into name and value, white space around them removed, quotes
 * kept. Pairs without '=' or without a name are skipped. At most COOKIE_LIST_MAX are returned; more
 * are ignored. ERR_MEMORY. */
enum status cookie_parse(struct text header, struct arena *arena, struct fields *out) MUST_USE;

/* Adds a Set-Cookie header: Path=/; HttpOnly; SameSite=Lax and what *cookie says. A cookie over
 * COOKIE_MAX_BYTES, a value with other than cookie-octets, a domain that is no host name, or a name
 * whose prefix promises what *cookie does not say, makes the response a 500, logged. */
void cookie_set(struct response *response, const struct cookie *cookie);

#endif
