/* The logout page. */
#ifndef LATCHKEY_WEB_LOGOUT_H
#define LATCHKEY_WEB_LOGOUT_H

#include "web/page.h"

page_handler logout_get, logout_post, logout_stale;

#endif
