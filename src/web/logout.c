/* The logout page: a button, for a GET must never end a session (an image on another site could
 * send it). The answer leaves only after the session is gone for good; if it could not be ended,
 * the answer says so, and the browser keeps its cookie to send the form again. */
#include "web/logout.h"

void logout_get(struct visit *visit)
{
    const struct session_row *session = &visit->visitor.session;
    const struct member members[] = {
        {"title", value_string("Sign out")},
        {"signed_in", value_bool(visit->visitor.signed_in)},
        {"user", value_string(session->user)},
    };
    page_show(visit, 200, "logout", members, sizeof members / sizeof members[0]);
}

void logout_stale(struct visit *visit)
{
    page_error(visit->site, 403, visit->response);
}

void logout_post(struct visit *visit)
{
    const struct origin origin = page_origin(visit);
    if (auth_sign_out(&visit->site->auth, &visit->visitor, &origin, visit->now_s) != OK) {
        page_fail(visit);
        return;
    }
    page_sign_off(visit);
}
