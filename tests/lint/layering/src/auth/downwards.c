/* The policy knows sessions and users, and nothing of the web or of the engine. */
#include "db/db.h" /* bad */
#include "http/request.h" /* bad */
#include "session/session.h"
#include "store/users.h"
