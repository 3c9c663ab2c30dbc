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

/* Adds the value of a Set-Cookie header to *out: Path=/; HttpOnly; SameSite=Lax and what *cookie
 * says. False: *fault is a static text that says why, nothing was added. So it is with a cookie
 * over COOKIE_MAX_BYTES, a value with other than cookie-octets, a domain that is no host name, a
 * name whose prefix promises what *cookie does not say, and a buffer without room. */
bool cookie_print(const struct cookie *cookie, struct buffer *out, const char **fault) MUST_USE;

/* How long a value may be, so that cookie_print takes it in a cookie that is else like *cookie,
 * whose own value is ignored. 0 also when memory is short. */
size_t cookie_room(const struct cookie *cookie);

/* Adds a Set-Cookie header as cookie_print makes it; where that fails (logged), the response
 * becomes a 500. */
void cookie_set(struct response *response, const struct cookie *cookie);

#endif
