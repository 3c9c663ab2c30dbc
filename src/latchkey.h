/* Latchkey for your own programs: who sent a request, and a small memory for each session.
 *
 *     struct lk_site *site;
 *     if (lk_open(NULL, "cart", &site) != LK_OK)
 *         return 1;
 *     while (FCGX_Accept_r(&request) == 0) {
 *         struct lk_session *session;
 *         if (lk_session_open(site, request.envp, &session) == LK_OK) {
 *             const char *seen = lk_session_get(session, "seen", NULL);
 *             ...
 *             lk_session_put(session, "seen", "yes", 3);
 *             if (lk_session_save(session) != LK_OK)
 *                 ... lk_session_error(session) ...
 *             if (lk_session_cookie(session) != NULL)
 *                 FCGX_FPrintF(request.out, "%s\r\n", lk_session_cookie(session));
 *         }
 *         lk_session_close(session);
 *     }
 *     lk_close(site);
 *
 * Build with `cc cart.c $(pkg-config --cflags --libs latchkey) -lfcgi`. The program has to
 * run as the user to whom Latchkey's secret file and database belong, for it reads both: whoever
 * may use this library may read every session, so write such programs with care.
 *
 * The calls are the same wherever sessions live (session.store in latchkey.conf(5)):
 *
 *   database, cache   Each name is written by itself: programs that change different names of one
 *                     session at the same time do not undo each other. Names and values together
 *                     may be session.data_limit bytes. lk_session_cookie always gives NULL.
 *   cookie            The data travels in the visitor's cookie, sealed, so that neither he nor
 *                     others can read or change it; but he can come back with an older one of his
 *                     own. What was saved takes effect when the browser has lk_session_cookie's
 *                     line. The last answer wins with all it says. A whole cookie is 4096 bytes, of
 *                     which some 2800 are left for names and values, less three for each name.
 *
 * A name is 1 to 64 ASCII letters, digits, '.', '_' and '-'; a value is any bytes, also none. What
 * a session remembers ends with the session.
 *
 * Nothing here may be used by two threads at the same time. Each of these functions has its reason
 * written to standard error, which web servers keep in their error log, when the fault is one of
 * the machine (LK_UNAVAILABLE, LK_MEMORY). */
#ifndef LATCHKEY_H
#define LATCHKEY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define LK_MUST_USE __attribute__((warn_unused_result))
#else
#define LK_MUST_USE
#endif

enum lk_status {
    LK_OK = 0,
    LK_NOBODY,      /* the visitor is not signed in, or no longer */
    LK_NOT_FOUND,   /* nothing of that name */
    LK_TOO_LARGE,   /* more than a session may hold */
    LK_INVALID,     /* no valid name */
    LK_UNAVAILABLE, /* cannot be told or done now; answer 503 */
    LK_MEMORY       /* the program is out of memory */
};

struct lk_site;    /* an installation of Latchkey, for the life of a program */
struct lk_session; /* the session of one visitor, for the time of one request */

/* A status as words for a log; static, never NULL. */
const char *lk_status_text(enum lk_status status);

/* Reads the configuration file `config` (NULL: $LATCHKEY_CONFIG, else /etc/latchkey/latchkey.conf)
 * and the secrets. `program` is what the program is called in messages; it is borrowed until
 * lk_close. The site may be used in processes that are forked afterwards, as long as nobody used it
 * before. LK_UNAVAILABLE, LK_MEMORY; *site is NULL then. Close with lk_close. */
enum lk_status lk_open(const char *config, const char *program, struct lk_site **site) LK_MUST_USE;

/* Frees everything. Sessions must have been closed before. NULL is allowed. */
void lk_close(struct lk_site *site);

/* Where the pages of Latchkey are mounted (site.path), such as "/auth": send visitors who are not
 * signed in to <path>/login?next=<their address, percent-encoded>. Borrowed until lk_close. */
const char *lk_path(const struct lk_site *site);

/* Opens the session of the visitor who sent the request that `environment` describes: a list of
 * "NAME=value" that ends with NULL, such as `environ` of a CGI program or `envp` of libfcgi's
 * FCGX_Request; only HTTP_COOKIE is looked at. It counts as use of the session. LK_NOBODY,
 * LK_UNAVAILABLE, LK_MEMORY; *session is NULL then. Close with lk_session_close. */
enum lk_status lk_session_open(struct lk_site *site, char *const *environment,
                               struct lk_session **session) LK_MUST_USE;

/* Frees the session with all that was borrowed from it. What was not saved is forgotten. NULL is
 * allowed. */
void lk_session_close(struct lk_session *session);

/* Who the visitor is: the user name; the name for people, which is the user name where none was
 * given; the e-mail address, or ""; the groups with commas between them, or "". Borrowed until
 * lk_session_close. All but the user name may hold what HTML wants escaped. */
const char *lk_session_user(const struct lk_session *session);
const char *lk_session_name(const struct lk_session *session);
const char *lk_session_email(const struct lk_session *session);
const char *lk_session_groups(const struct lk_session *session);

/* The value of a name, followed by a NUL that *len does not count (len may be NULL); NULL: there is
 * none. Borrowed until the next call that changes or saves the session. */
const char *lk_session_get(const struct lk_session *session, const char *name, size_t *len);

/* Sets a value of `len` bytes, which is copied. Others see it when it is saved. LK_INVALID;
 * LK_TOO_LARGE: no session could hold that much (lk_session_save judges the rest); LK_MEMORY;
 * nothing changed then. */
enum lk_status lk_session_put(struct lk_session *session, const char *name, const void *value,
                              size_t len) LK_MUST_USE;

/* Takes a name away. LK_NOT_FOUND: it was not there. */
enum lk_status lk_session_delete(struct lk_session *session, const char *name);

/* The first name after `after` in order of bytes; after NULL, the first of all; NULL: there are no
 * more. `after` itself need not be there any more. Borrowed until the next call that changes or
 * saves the session. */
const char *lk_session_next(const struct lk_session *session, const char *after);

/* Saves what was changed since the session was opened or last saved, all of it or nothing; OK when
 * nothing was. After any failure nothing is saved, and the session is again as it was before the
 * changes. LK_TOO_LARGE; LK_NOBODY: it ended meanwhile; LK_UNAVAILABLE, LK_MEMORY. */
enum lk_status lk_session_save(struct lk_session *session) LK_MUST_USE;

/* The header line to send with the answer, "Set-Cookie: ..." without a line end, once something was
 * saved that has to travel with the browser; else NULL. A secret of the visitor's: keep it out of
 * logs. Borrowed until the next save or lk_session_close. */
const char *lk_session_cookie(const struct lk_session *session);

/* What the last lk_session_put, _delete or _save that failed has to say to the visitor: one English
 * sentence in plain text, when there was too much also by how many bytes; "" when none failed since
 * the session was opened. Borrowed until the next of these calls. */
const char *lk_session_error(const struct lk_session *session);

/* Guards the program's own forms, so that no other site can send them in the visitor's name: put
 * lk_session_csrf into a hidden field (letters, digits, '-' and '_'; the same for the whole
 * session), and take a POST only when lk_session_csrf_check gives 1 for what came back. It gives 0
 * for all else and for NULL. */
const char *lk_session_csrf(const struct lk_session *session);
int lk_session_csrf_check(const struct lk_session *session, const char *value) LK_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
