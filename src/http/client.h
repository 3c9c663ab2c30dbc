/* Which address a request came from, when proxies that are trusted stand in between. */
#ifndef LATCHKEY_HTTP_CLIENT_H
#define LATCHKEY_HTTP_CLIENT_H

#include "base/config.h"
#include "http/request.h"

/* The client's address: REMOTE_ADDR, unless that is one of `proxies` (addresses or CIDR blocks;
 * "unix:" for a web server that listens on a UNIX socket); then the rightmost address of
 * X-Forwarded-For that is not one of them, or its leftmost when all are. Anything malformed on the
 * way ends the walk: what was reached so far is the answer. In the one spelling of address_print,
 * IPv4-mapped IPv6 addresses as IPv4. Borrowed like the request. */
struct text client_address(const struct request *request, const struct config_list *proxies);

#endif
