/* The logout program. */
#include "web/logout.h"

static const struct page pages[] = {
    {"/logout", logout_get, logout_post, logout_stale},
    {0},
};

static const struct site_program program = {
    .role = STORE_ROLE_LOGOUT,
    .pages = pages,
    .http = {.name = "logout",
             .reads_body = true,
             .enter = site_enter,
             .handle = page_handle,
             .refuse = page_refuse,
             .tend = site_tend},
};

int main(int argc, char **argv)
{
    return site_run(&program, argc, argv);
}
