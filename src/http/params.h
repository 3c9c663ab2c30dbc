/* Names and values as they came, and what is thought of all the parameters of a request. */
#ifndef LATCHKEY_HTTP_PARAMS_H
#define LATCHKEY_HTTP_PARAMS_H

#include "base/text.h"

#define PARAMS_MAX_BYTES 65536 /* of names and values together */
#define PARAMS_MAX       512

struct field {
    struct text name;
    struct text value;
};

struct fields {
    const struct field *items;
    size_t count;
};

/* The value of the first parameter, cookie or field of that name; NULL data only when there is
 * none. Names are compared exactly. */
struct text fields_get(struct fields fields, const char *name);
bool fields_has(struct fields fields, const char *name);

/* The worst of all that was found. Zeroed, nothing good. */
enum params_verdict {
    PARAMS_BROKEN = 0, /* no web server sends such */
    PARAMS_REFUSED,    /* a client may have brought it about, and is answered with 400 */
    PARAMS_SOUND,
};

/* What a carrier took, judged. Made by params_judge only. */
struct params {
    struct fields fields; /* every one, in the order sent; borrowed */
    enum params_verdict verdict;
    const char *fault; /* static; what is wrong with them, "" when they are sound */
};

/* Judges all parameters of a request, once for everybody who reads them. Time is bounded by the
 * square of their number.
 *
 * BROKEN: an empty name; '=' or a control character in one; NUL in a value; a name given twice with
 * different values, unless it begins with HTTP_. REFUSED: a control character but tab in the value
 * of an HTTP_*; one that a decision hangs on given twice with different values (of others the
 * first counts, but cookies, which are joined); more than PARAMS_MAX, or PARAMS_MAX_BYTES. */
struct params params_judge(struct fields fields) MUST_USE;

#endif
