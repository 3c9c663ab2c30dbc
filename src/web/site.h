/* What a web program holds for its life: configuration, policy, templates; and its start. */
#ifndef LATCHKEY_WEB_SITE_H
#define LATCHKEY_WEB_SITE_H

#include "auth/auth.h"
#include "confine/plan.h"
#include "html/pages.h"
#include "http/program.h"

/* Seconds after which a browser may ask again when the answer was 503. */
#define SITE_RETRY_AFTER "5"

struct page; /* web/page.h */

/* All owned, but `pages`. */
struct site {
    struct config *config;
    struct auth auth;
    struct pages *templates;  /* NULL in the gate, which shows nothing */
    struct buffer policy;     /* the value of Content-Security-Policy */
    const struct page *pages; /* what the program answers; ends with a NULL path */

    struct confine_plan plan;
    unsigned layers; /* of confinement, that processes are to have */
    struct confinement confinement;
    int64_t outdated_ms; /* when its folders are looked at again */
};

/* What makes one program differ from another. */
struct site_program {
    enum store_role role;
    const struct page *pages; /* NULL: no pages, no templates */
    bool remembers;           /* checks so many sessions that its workers keep them in memory */
    bool hashes;              /* hashes passwords, which takes long: stands behind all others, and
                               * has a porter (is_slow of http, which is set for it) */
    struct http_program http; /* its handlers get a struct site as context */
};

/* The whole life of a web program: reads the configuration ($LATCHKEY_CONFIG, or as FastCGI also
 * "-c FILE"), opens everything, serves. Returns the exit status: 0, or 1 with the reason in the
 * log. */
int site_run(const struct site_program *program, int argc, char **argv) MUST_USE;

/* The `enter` of struct http_program for all of them: confines the process as workers.confinement
 * says. False (logged): a layer is missing that is required, or that could be had when the program
 * started. */
bool site_enter(void *context);

/* The `tend` of struct http_program for all of them. Makes the process end, so that another one
 * takes its place, when the folders to which it is confined are no longer those of the
 * configuration. */
int site_tend(void *context, bool leaving);

/* The `known_as` of struct http_program: the user who signed in with this browser before, by its
 * device token of ours. */
uint64_t site_known_as(void *context, const struct request *request);

/* The `rest` of struct http_program for one that remembers. */
int site_rest(void *context);

/* The values of the cookies of a name, as they came, borrowed from the request; how many. */
size_t site_list_cookies(const struct request *request, const char *name,
                         struct text out[AUTH_COOKIES_MAX]);

/* Who sent the request: auth_identify with the request's cookies of our name. *out is wiped by the
 * caller. */
enum status site_identify(struct site *site, const struct request *request, int64_t now_s,
                          struct visitor *out) MUST_USE;

#endif
