/* The public library stands on the policy, beside the pages. */
#include "auth/auth.h"
#include "http/cookie.h"
#include "latchkey.h"
#include "web/page.h" /* bad */
