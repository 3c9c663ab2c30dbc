/* Where a browser may be sent after sign-in: never off this host, but to hosts that were named. */
#ifndef LATCHKEY_HTTP_URL_H
#define LATCHKEY_HTTP_URL_H

#include "base/config.h"
#include "base/text.h"

#define URL_TARGET_MAX 2048

/* Whether `target` may be put into a Location header: an absolute path on this host, or an http(s)
 * URL whose host is `host` (name and port as the request had them) or in `allowed`: "name",
 * "name:port", or "*.example.org", which stands for every name below example.org. A port that is
 * not written is the default of the target's scheme. Refused is whatever browsers read in more than
 * one way (WHATWG URL §4.4): "//", "/\", any backslash, control character or space, raw or encoded,
 * dot segments, an encoded slash in the path, fragments, user names, bad ports, non-ASCII, over
 * URL_TARGET_MAX bytes. That the target is not the sign-in page itself is the caller's to see. */
bool url_is_allowed_target(struct text target, struct text host, const struct config_list *allowed);

/* Whether text is a host name or IP literal with an optional port (RFC 3986 §3.2.2), as a Host
 * header must be; no user name, no empty or padded port. */
bool url_is_host(struct text text);

/* Whether an Origin header's value ("https://name:port") is this host's. Ports must be equal, with
 * the default of the Origin's scheme where none is written. An https Origin is also taken when the
 * request came by http, for then TLS ended at a server in front; an http Origin never by https.
 * "null" is nobody's. */
bool url_is_origin(struct text origin, bool https, struct text host);

/* Takes what stands before the first '%', or everything, off the front of *rest. */
struct text url_take_plain(struct text *rest);

/* Takes one byte off the front of *rest, decoding %XX; `escaped` tells whether it was one. False,
 * and nothing taken, at a bad escape and when nothing is left. */
bool url_take_byte(struct text *rest, unsigned char *byte, bool *escaped);

#endif
