/* The command and the pages do not know each other. */
#include "store/users.h"
#include "web/login.h" /* bad */
