/* HTTP and HTML know the base only, the web puts them together. */
#include "base/text.h"
#include "html/pages.h"      /* bad */
#include "session/session.h" /* bad */
/* #include "auth/auth.h" */
