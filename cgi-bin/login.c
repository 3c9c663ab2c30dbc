/* The login program. */
#include "web/login.h"

static const struct page pages[] = {
    {"/login", login_get, login_post, login_stale},
    {0},
};

static const struct site_program program = {
    .role = STORE_ROLE_LOGIN,
    .pages = pages,
    .hashes = true,
    .http = {.name = "login",
             .reads_body = true,
             .enter = site_enter,
             .handle = page_handle,
             .refuse = page_refuse,
             .known_as = site_known_as,
             .tend = site_tend},
};

int main(int argc, char **argv)
{
    return site_run(&program, argc, argv);
}
