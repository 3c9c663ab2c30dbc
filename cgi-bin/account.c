/* The account program: the pages of the own account, and who is signed in as JSON. */
#include "web/account.h"
#include "web/activity.h"
#include "web/change_password.h"
#include "web/devices.h"
#include "web/link.h"

static const struct page pages[] = {
    {"/account", account_get, NULL, NULL},
    {"/account/password", password_get, password_post, account_stale},
    {"/account/sessions", devices_get, devices_post, account_stale},
    {"/account/activity", activity_get, NULL, NULL},
    {"/account/link", link_get, link_post, link_stale},
    {"/session", account_session, NULL, NULL},
    {0},
};

static const struct site_program program = {
    .role = STORE_ROLE_ACCOUNT,
    .pages = pages,
    .hashes = true,
    .http = {.name = "account",
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
