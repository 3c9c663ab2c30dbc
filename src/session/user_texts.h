/* The texts of a user in one piece of memory of their own size: struct user has room for the
 * longest. They stand behind one another: name, display, email, groups, each with its NUL. */
#ifndef LATCHKEY_SESSION_USER_TEXTS_H
#define LATCHKEY_SESSION_USER_TEXTS_H

#include "store/users.h"

/* What the caller must free, or NULL when there is no memory. */
char *user_texts_pack(const struct user *user);

/* Sets these texts of `out`, and nothing else, from what user_texts_pack gave. */
void user_texts_unpack(const char *packed, struct user *out);

#endif
