/* Pages: a request finds its page in the program's table, its visitor is known, its form was
 * checked, then the page's own function answers. */
#ifndef LATCHKEY_WEB_PAGE_H
#define LATCHKEY_WEB_PAGE_H

#include "http/agent.h"
#include "web/site.h"

/* One request to a page. */
struct visit {
    struct site *site;
    const struct request *request;
    struct response *response;
    struct visitor visitor;
    int64_t now_s;
    char browser[AGENT_WORDS_MAX];         /* in words, once page_origin was called */
    struct text devices[AUTH_COOKIES_MAX]; /* likewise */
};

typedef void page_handler(struct visit *visit);

struct page {
    const char *path;    /* below site.path: "/login" */
    page_handler *get;   /* GET and HEAD */
    page_handler *post;  /* POST with a form of ours; NULL: 405 */
    page_handler *stale; /* POST whose csrf value or origin is wrong: nothing may be done */
};

/* The handlers of struct http_program for programs that have pages. */
void page_handle(void *context, const struct request *request, struct response *response);
void page_refuse(void *context, const struct request *request, int status,
                 struct response *response);

/* Answers with a template, filled with `members` (at most PAGE_MEMBERS_MAX) and with what all pages
 * have: site.name, site.path, style, script, csrf. A visitor without a usable token gets an
 * anonymous one, which the csrf value belongs to. 503 tells when to come again. */
#define PAGE_MEMBERS_MAX 16
void page_show(struct visit *visit, int status, const char *name, const struct member *members,
               size_t count);

/* Answers with the error page. 503 tells when to come again. */
void page_error(struct site *site, int status, struct response *response);

/* Answers that something failed here: 503. The cause was logged by who knew it. */
void page_fail(struct visit *visit);

/* Answers that the browser is signed out: its token is to be forgotten, the login page says so. */
void page_sign_off(struct visit *visit);

/* Answers 303 to a path below site.path, such as "/login?signed-out". */
void page_redirect_below(struct visit *visit, const char *path);

/* Where the request came from. Borrowed like it; valid until the visit is over. */
struct origin page_origin(struct visit *visit);

/* Hands the browser a token, or with NULL tells it to forget the one it has. With `keep` it
 * outlives the browser's session, for session.remember. False: the answer is an error now. */
bool page_set_token(struct visit *visit, const struct token *token, bool keep) MUST_USE;

/* Hands the browser the token by which it is known from now on; see auth/device.h. It goes to no
 * other host, and stays when the session ends. False: the answer is an error now. */
bool page_set_device(struct visit *visit, const struct token *token) MUST_USE;

#endif
