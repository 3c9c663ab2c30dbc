/* Where a browser goes after signing in. */
#ifndef LATCHKEY_WEB_RETURN_TARGET_H
#define LATCHKEY_WEB_RETURN_TARGET_H

#include "base/config.h"
#include "http/request.h"

/* The request's `next` (of the form for a POST, else of the query) when a browser may be sent
 * there: url_is_allowed_target, and not the login or logout page again. The empty text otherwise,
 * which means the default; borrowed from the request. */
struct text return_target_get(const struct request *request, const struct config *config);

#endif
