/* Sessions as rows of the database: durable, listable, revocable, a look-up per check. */
#ifndef LATCHKEY_SESSION_BACKEND_DATABASE_H
#define LATCHKEY_SESSION_BACKEND_DATABASE_H

#include "session/session.h"

extern const struct session_backend session_backend_database;

#endif
