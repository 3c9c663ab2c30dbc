/* The page that shows users what happened to their account of late. */
#ifndef LATCHKEY_WEB_ACTIVITY_H
#define LATCHKEY_WEB_ACTIVITY_H

#include "web/page.h"

page_handler activity_get;

#endif
