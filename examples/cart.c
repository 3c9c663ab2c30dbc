/* A shopping cart that lives in the visitor's session: all that a program of your own needs.
 *
 * GET shows the cart; POST puts an article into it, with a remark, or takes it out, and leads back.
 * Each article is a name of the session, "cart.<article>", so that two windows that put different
 * articles at the same time do not lose one. It runs as CGI and as FastCGI, as libfcgi sees fit.
 *
 *     cc -o cart cart.c $(pkg-config --cflags --libs latchkey) -lfcgi */
#include <fcgi_stdio.h> /* printf, fread: of the request at hand */
#include <latchkey.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX      "cart."
#define BODY_MAX    16384 /* bytes of a form */
#define ARTICLE_MAX 58    /* so that the name has no more than 64 */

extern char **environ; /* the request, after FCGI_Accept */

/* What a form says; all texts lie in the body. */
struct form {
    char body[BODY_MAX + 1];
    const char *csrf, *action, *article, *remark;
};

static void print_escaped(const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            printf("&amp;");
            break;
        case '<':
            printf("&lt;");
            break;
        case '>':
            printf("&gt;");
            break;
        case '"':
            printf("&quot;");
            break;
        default:
            putchar(*text);
            break;
        }
    }
}

static const char *get_variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static void print_head(int status, const struct lk_session *session)
{
    printf("Status: %d\r\nCache-Control: no-store\r\n", status);
    if (session != NULL && lk_session_cookie(session) != NULL) {
        printf("%s\r\n", lk_session_cookie(session));
    }
}

/* An answer without a page of its own. */
static void print_message(int status, const char *message)
{
    print_head(status, NULL);
    printf("Content-Type: text/plain; charset=utf-8\r\n\r\n%s\n", message);
}

/* Writes for a place in a URL what came from one: the bytes of `kept` as they are, others escaped.
 */
static void print_in_url(const char *text, const char *kept)
{
    for (; *text != '\0'; text++) {
        printf(strchr(kept, *text) != NULL ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

static void send_to_login(const struct lk_site *site)
{
    print_head(303, NULL);
    printf("Location: %s/login?next=", lk_path(site));
    print_in_url(get_variable("REQUEST_URI"), "");
    printf("\r\n\r\n");
}

/* The page again, by a request of its own. Two slashes at the beginning would name another host. */
static void send_back(const struct lk_session *session)
{
    const char *path = get_variable("SCRIPT_NAME");
    print_head(303, session);
    printf("Location: /");
    print_in_url(path + strspn(path, "/"),
                 "/-._~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    printf("\r\n\r\n");
}

static void print_article(const char *csrf, const char *article, const char *remark)
{
    printf("<li>%s: ", article);
    print_escaped(remark);
    printf(" <form method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"%s\">"
           "<input type=\"hidden\" name=\"article\" value=\"%s\">"
           "<button name=\"action\" value=\"remove\">Remove %s</button></form></li>\n",
           csrf, article, article);
}

static void show_cart(int status, const struct lk_session *session)
{
    const char *csrf = lk_session_csrf(session);
    print_head(status, session);
    printf("Content-Type: text/html; charset=utf-8\r\n"
           "Content-Security-Policy: default-src 'none'; form-action 'self'\r\n\r\n"
           "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<title>Your cart</title>\n<h1>The cart of ");
    print_escaped(lk_session_name(session));
    printf("</h1>\n<p role=\"status\">");
    print_escaped(lk_session_error(session));
    printf("</p>\n<ul>\n");
    for (const char *name = lk_session_next(session, PREFIX);
         name != NULL && strncmp(name, PREFIX, strlen(PREFIX)) == 0;
         name = lk_session_next(session, name)) {
        print_article(csrf, name + strlen(PREFIX), lk_session_get(session, name, NULL));
    }
    printf("</ul>\n<form method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"%s\">\n"
           "<label>Article <input name=\"article\" required maxlength=\"%d\" "
           "pattern=\"[A-Za-z0-9._\\-]+\"></label>\n"
           "<label>Remark <input name=\"remark\"></label>\n"
           "<button name=\"action\" value=\"add\">Add</button></form>\n</html>\n",
           csrf, ARTICLE_MAX);
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;
    return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* Decodes a form's text where it stands. No text of this form may have a NUL. */
static int decode(char *text)
{
    char *out = text;
    for (; *text != '\0'; text++) {
        if (*text == '%') {
            int high = hex_value(text[1]);
            int low = high >= 0 ? hex_value(text[2]) : -1;
            if (low < 0 || high + low == 0) {
                return 0;
            }
            *out++ = (char)(high * 16 + low);
            text += 2;
        } else {
            *out++ = *text == '+' ? ' ' : *text;
        }
    }
    *out = '\0';
    return 1;
}

/* Reads the form, or gives the status that refuses it. */
static int read_form(struct form *form)
{
    const struct {
        const char *name;
        const char **value;
    } fields[] = {{"csrf", &form->csrf},
                  {"action", &form->action},
                  {"article", &form->article},
                  {"remark", &form->remark}};
    size_t len = strtoul(get_variable("CONTENT_LENGTH"), NULL, 10);
    form->csrf = form->action = form->article = form->remark = "";
    if (len > BODY_MAX) {
        return 413;
    }
    if (fread(form->body, 1, len, stdin) != len || memchr(form->body, '\0', len) != NULL) {
        return 400;
    }
    form->body[len] = '\0';
    char *rest = form->body;
    for (char *pair = rest; rest != NULL; pair = rest) {
        rest = strchr(pair, '&');
        if (rest != NULL) {
            *rest++ = '\0';
        }
        char *value = strchr(pair, '=');
        if (value == NULL) {
            continue;
        }
        *value++ = '\0';
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            if (strcmp(pair, fields[i].name) == 0) {
                *fields[i].value = value;
            }
        }
        if (!decode(value)) {
            return 400;
        }
    }
    return 200;
}

static enum lk_status change_cart(struct lk_session *session, const struct form *form)
{
    char name[sizeof PREFIX + ARTICLE_MAX] = "";
    size_t len = strlen(form->article);
    if (len == 0 || len > ARTICLE_MAX) {
        return LK_INVALID;
    }
    memcpy(name, PREFIX, strlen(PREFIX));
    memcpy(name + strlen(PREFIX), form->article, len + 1);
    enum lk_status status = LK_OK;
    if (strcmp(form->action, "remove") == 0) {
        (void)lk_session_delete(session, name); /* gone already is as good */
    } else {
        status = lk_session_put(session, name, form->remark, strlen(form->remark));
    }
    return status == LK_OK ? lk_session_save(session) : status;
}

static void take_form(struct lk_session *session)
{
    struct form form;
    int status = read_form(&form);
    if (status != 200) {
        print_message(status, "This form cannot be taken.");
        return;
    }
    if (!lk_session_csrf_check(session, form.csrf)) {
        print_message(403, "The form was too old or came from another site. Reload the page.");
        return;
    }
    switch (change_cart(session, &form)) {
    case LK_OK:
        send_back(session);
        break;
    case LK_TOO_LARGE:
        show_cart(413, session);
        break;
    case LK_INVALID:
        print_message(400, "An article is 1 to 58 letters, digits, dots, hyphens, underscores.");
        break;
    case LK_NOBODY:
        print_message(403, lk_session_error(session));
        break;
    case LK_NOT_FOUND:
    case LK_UNAVAILABLE:
    case LK_MEMORY:
    default:
        print_message(503, "Not possible right now. Please try again soon.");
        break;
    }
}

static void answer(struct lk_site *site)
{
    struct lk_session *session = NULL;
    enum lk_status status = lk_session_open(site, environ, &session);
    if (status == LK_NOBODY) {
        send_to_login(site);
    } else if (status != LK_OK) {
        print_message(503, "Not possible right now. Please try again soon.");
    } else if (strcmp(get_variable("REQUEST_METHOD"), "POST") == 0) {
        take_form(session);
    } else {
        show_cart(200, session);
    }
    lk_session_close(session);
}

int main(void)
{
    struct lk_site *site = NULL;
    enum lk_status status = lk_open(NULL, "cart", &site);
    while (FCGI_Accept() >= 0) {
        if (status == LK_OK) {
            answer(site);
        } else {
            print_message(503, "Not possible right now. Please try again soon.");
        }
    }
    lk_close(site);
    return status == LK_OK ? 0 : 1;
}
