/* Where a browser goes when it is sent somewhere: the parts of the WHATWG URL standard (§4.4) that
 * http and https need, written apart from the product's own check, which they are to judge. */
#ifndef LATCHKEY_TESTS_BROWSER_H
#define LATCHKEY_TESTS_BROWSER_H

#include "base/text.h"

#define BROWSER_TEXT_MAX 4096

struct browser_place {
    bool is_url; /* false: a browser fails to read it, and stays */
    bool is_web; /* http or https; others may run scripts or start programs */
    bool is_https;
    bool has_credentials;
    bool is_odd;                 /* its host is not plain ASCII of a host name as it stands */
    bool was_repaired;           /* bytes were left out, or read as others */
    char host[BROWSER_TEXT_MAX]; /* in lower case, without the port */
    uint32_t port;               /* the scheme's default when none is written */
    char path[BROWSER_TEXT_MAX]; /* with query, without fragment; dot segments resolved */
};

/* Resolves `target`, as a Location has it, against https://HOST/ or http://HOST/. A text of more
 * than BROWSER_TEXT_MAX - 1 bytes is none here. */
void browser_resolve(struct text target, bool https, struct text host, struct browser_place *out);

#endif
