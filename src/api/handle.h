/* What the two opaque types of latchkey.h are. Nothing outside this folder includes it. */
#ifndef LATCHKEY_API_HANDLE_H
#define LATCHKEY_API_HANDLE_H

#include "auth/auth.h"
#include "base/buffer.h"
#include "latchkey.h"
#include "session/remember.h"

#define HANDLE_ERROR_MAX 256

struct lk_site {
    struct config *config;
    struct auth auth;
};

struct lk_session {
    struct lk_site *site; /* borrowed */
    struct visitor visitor;
    struct session_data *data;
    struct buffer cookie; /* the line to send; empty: none */
    char csrf[CSRF_TEXT_LEN + 1];
    char error[HANDLE_ERROR_MAX];
};

/* What a status of ours is called outside. */
enum lk_status handle_status(enum status status) MUST_USE;

#endif
