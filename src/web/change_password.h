/* The page on which users change their password. */
#ifndef LATCHKEY_WEB_CHANGE_PASSWORD_H
#define LATCHKEY_WEB_CHANGE_PASSWORD_H

#include "auth/password_rules.h"
#include "web/page.h"

page_handler password_get, password_post;

/* A new password as a form has it. */
struct new_password {
    struct text wanted; /* borrowed from the form */
    enum password_strength strength;
    char problem[PASSWORD_SENTENCE_MAX]; /* why it cannot be, a sentence */
};

/* Reads the fields `new` and `again` of a form, and judges them for the user, of whom the names are
 * read. False: out->problem says why they are refused. */
bool password_read_new(const struct visit *visit, const struct user *user, struct new_password *out)
    MUST_USE;

#endif
