/* The page that lists where a user is signed in, and ends it there. */
#ifndef LATCHKEY_WEB_DEVICES_H
#define LATCHKEY_WEB_DEVICES_H

#include "web/page.h"

page_handler devices_get, devices_post;

#endif
