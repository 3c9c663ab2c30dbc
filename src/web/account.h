/* The pages of the own account, and who is signed in as JSON. */
#ifndef LATCHKEY_WEB_ACCOUNT_H
#define LATCHKEY_WEB_ACCOUNT_H

#include "web/page.h"

page_handler account_get, account_session;

/* Whether the visitor is signed in, so that the page may be shown. False: the answer leads to the
 * login page, and back here. */
bool account_enter(struct visit *visit) MUST_USE;

/* For forms of the account that were open for too long: nothing was done. */
page_handler account_stale;

#endif
