/* The set of templates of the pages: built-in ones, each replaceable by a file of the same name in
 * the folder that site.templates names. */
#ifndef LATCHKEY_HTML_PAGES_H
#define LATCHKEY_HTML_PAGES_H

#include "html/mustache.h"

#define PAGES_ERROR_MAX 512
#define PAGE_BYTES_MAX  ((size_t)64 * 1024)

struct pages;

/* Parses every template: <folder>/<name>.mustache where it exists, else the built-in one. `folder`
 * may be NULL or "". A file in the folder that no page uses is an error that names the nearest
 * name, so that a misspelt replacement is not ignored; likewise a partial that does not exist.
 * ERR_INPUT, ERR_NOT_FOUND (no such folder), ERR_SYSTEM, ERR_MEMORY; `error` then holds one
 * sentence with file and line. Free with pages_free. */
enum status pages_open(const char *folder, struct pages **out, char error[PAGES_ERROR_MAX])
    MUST_USE;
void pages_free(struct pages **pages);

/* Renders the page `name` ("login" for login.mustache) into *out. ERR_NOT_FOUND, ERR_TOO_LARGE,
 * ERR_MEMORY (logged). */
enum status pages_render(const struct pages *pages, const char *name, const struct value *model,
                         struct buffer *out) MUST_USE;

/* The plain files that go into pages as they are: "style.css", "script.js"; borrowed; the empty
 * text when there is none of that name. */
struct text pages_get_asset(const struct pages *pages, const char *name);

#endif
