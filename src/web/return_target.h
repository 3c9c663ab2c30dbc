/* Where a browser goes after signing in. */
#ifndef LATCHKEY_WEB_RETURN_TARGET_H
#define LATCHKEY_WEB_RETURN_TARGET_H

#include "base/config.h"
#include "http/request.h"
#include "http/response.h"

/* The request's `next` (of the form for a POST, else of the query) when a browser may be sent
 * there: url_is_allowed_target, and not the login or logout page again. The empty text otherwise,
 * which means the default; borrowed from the request. */
struct text return_target_get(const struct request *request, const struct config *config);

/* Sends the browser to the login page with what it asks for as `next`, so that it comes back; a
 * request of more than URL_TARGET_MAX bytes, which would not be followed, goes without. `status` is
 * one that response_redirect takes. On failure the response stays what it was. */
void return_target_ask(const struct request *request, const struct config *config, int status,
                       struct response *response);

#endif
