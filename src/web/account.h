/* The account page, and who is signed in as JSON. */
#ifndef LATCHKEY_WEB_ACCOUNT_H
#define LATCHKEY_WEB_ACCOUNT_H

#include "web/page.h"

page_handler account_get, account_session;

#endif
