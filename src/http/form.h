/* application/x-www-form-urlencoded, as queries and form bodies carry it. */
#ifndef LATCHKEY_HTTP_FORM_H
#define LATCHKEY_HTTP_FORM_H

#include "http/request.h"

/* Decodes "a=b&c=d" ('+' is a space). ERR_INPUT: a bad escape, NUL, invalid UTF-8, a name given
 * twice when `unique`; ERR_TOO_LARGE: more than REQUEST_FIELDS_MAX fields; ERR_MEMORY. */
enum status form_parse(struct text body, bool unique, struct arena *arena, struct fields *out)
    MUST_USE;

/* Decodes %XX of a path ('+' stays). ERR_INPUT: a bad escape, NUL, control character, invalid
 * UTF-8. */
enum status form_decode_path(struct text path, struct arena *arena, struct text *out) MUST_USE;

#endif
