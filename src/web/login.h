/* The login page. */
#ifndef LATCHKEY_WEB_LOGIN_H
#define LATCHKEY_WEB_LOGIN_H

#include "web/page.h"

page_handler login_get, login_post, login_stale;

#endif
