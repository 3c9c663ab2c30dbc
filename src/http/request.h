/* One request, read once. Everything in it is borrowed from the request's arena and is valid until
 * the handler returns. All texts are bytes as a client may have made them: hostile. */
#ifndef LATCHKEY_HTTP_REQUEST_H
#define LATCHKEY_HTTP_REQUEST_H

#include "base/arena.h"
#include "http/params.h"

#define REQUEST_BODY_MAX_BYTES 16384
#define REQUEST_FIELDS_MAX     64 /* fields of a query or a form */

/* What the web server wants to know: a page, or whether another request may pass. */
enum role { ROLE_RESPONDER, ROLE_AUTHORIZER };

enum method { METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_POST };

struct request {
    struct arena *arena; /* for the handler's own needs */
    enum role role;
    enum method method;
    struct text uri;   /* of REQUEST_URI, path and query, still encoded; printable ASCII, no '#' */
    struct text path;  /* the path of it, decoded once; no NUL, no control character */
    struct text query; /* what follows the first '?', still encoded; empty if nothing does */
    struct text host;  /* HTTP_HOST: name and perhaps port; checked for syntax; empty if absent */
    struct text address; /* REMOTE_ADDR: the client as the web server sees it: an IP address, or
                          * "unix:", which nginx says of a client on a UNIX socket */
    bool https;
    bool is_page;         /* a browser wants to show the answer: Sec-Fetch-Mode/Dest, else Accept */
    struct fields params; /* every parameter, in the order sent */
    struct fields cookies; /* of HTTP_COOKIE, values as they came */
    struct fields fields;  /* of the query, decoded; names without '=' have an empty value; empty
                            * for a program that reads no forms */
    struct fields form;    /* of the body, decoded; empty unless a POST was read */
};

/* The carrier's parameters and body, as bytes. */
struct request_source {
    enum role role;
    struct params params;
    struct text body;
    bool body_too_large; /* well-formed, over the limit, and thrown away */
    bool reads_body;     /* whether the program wants forms at all; the gate never does */
};

/* Reads a request. Returns 0 and fills *out, or the status that answers it (400 malformed or a
 * required parameter absent, 413, 415, 500 when memory is short); then *reason is a static text for
 * the log, and *out holds what was known until then (method may be METHOD_OTHER).
 *
 * Refused: parameters that are not sound (params_judge); REQUEST_METHOD, REQUEST_URI, REMOTE_ADDR
 * or SERVER_PROTOCOL absent or empty; HTTPS other than on, 1, off or empty; a host that is none; a
 * REQUEST_URI with bytes that are not printable ASCII, '#', bad escapes or NUL (one in absolute
 * form counts from its path on); in the path also control characters and invalid UTF-8. Lines of
 * HTTP_COOKIE are joined with "; ".
 *
 * With reads_body also: queries and forms that form_parse refuses; CONTENT_LENGTH that is not a
 * number or not the body's length, or absent with a body; the body of a POST of another type than
 * application/x-www-form-urlencoded in UTF-8, or with a content coding. Without reads_body nothing
 * about a body is looked at, for nginx asks the gate with the length and type of the request that
 * it asks about; and the query belongs to somebody else, so it is not taken apart. */
int request_parse(const struct request_source *source, struct arena *arena, struct request *out,
                  const char **reason) MUST_USE;

#endif
