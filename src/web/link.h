/* The page of a one-time link, on which a user sets a password. */
#ifndef LATCHKEY_WEB_LINK_H
#define LATCHKEY_WEB_LINK_H

#include "web/page.h"

page_handler link_get, link_post, link_stale;

#endif
