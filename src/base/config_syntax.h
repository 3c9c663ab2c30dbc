/* The form of names that stand in a configuration. Pure functions of the text; nothing is asked of
 * the network or the system. */
#ifndef LATCHKEY_BASE_CONFIG_SYNTAX_H
#define LATCHKEY_BASE_CONFIG_SYNTAX_H

#include "base/text.h"

/* A host name in ASCII (RFC 1123 §2.1): labels of letters, digits and inner hyphens, up to 63 bytes
 * each and 253 in all, no dot at an end. An IPv4 address is one, too. */
bool config_is_host(struct text text);

/* A host name that may be a cookie's Domain: not an address (RFC 6265 §5.1.3). */
bool config_is_domain(struct text text);

/* `host` or `*.host`, either with `:port`. */
bool config_is_return_host(struct text text);

/* An IPv4 or IPv6 address, a block of them (RFC 4632 §3.1), or "unix:". */
bool config_is_proxy(struct text text);

/* The path part of a URL: '/' and a segment, repeated; segments of unreserved characters (RFC 3986
 * §2.3), none of them empty, "." or "..". */
bool config_is_mount(struct text text);

/* "sqlite:" and a file's path; no parameters, not in memory. */
bool config_is_database(struct text text);

/* Scheme, host and perhaps port of a site: "https://example.org". */
bool config_is_origin(struct text text);

/* A name of a user or group as systems allow them. */
bool config_is_account(struct text text);

#endif
