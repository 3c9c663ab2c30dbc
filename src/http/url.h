/* Where a browser may be sent after sign-in: never off this host, but to hosts that were named. */
#ifndef LATCHKEY_HTTP_URL_H
#define LATCHKEY_HTTP_URL_H

#include "base/config.h"
#include "base/text.h"

#define URL_TARGET_MAX 2048

/* Whether `target` may be put into a Location header: an absolute path on this host, or an http(s)
 * URL whose host is `host` (name and port as the request had them) or in `allowed` ("*.example.org"
 * stands for every name below example.org). Refused is whatever browsers read in more than one way
 * (WHATWG URL §4.4): "//", "/\", any backslash, control character or space, user names, bad ports,
 * non-ASCII, over URL_TARGET_MAX bytes. */
bool url_is_allowed_target(struct text target, struct text host, const struct config_list *allowed);

/* Whether text is a host name or IP literal with an optional port (RFC 3986 §3.2.2), as a Host
 * header must be; no user name. */
bool url_is_host(struct text text);

/* Whether an Origin header's value ("https://name:port") has exactly this scheme and host. Default
 * ports may be left out on either side. */
bool url_is_origin(struct text origin, bool https, struct text host);

#endif
