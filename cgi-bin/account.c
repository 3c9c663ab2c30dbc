/* The account program: the account page, and who is signed in as JSON. */
#include "web/account.h"

static const struct page pages[] = {
    {"/account", account_get, NULL, NULL},
    {"/session", account_session, NULL, NULL},
    {0},
};

static const struct site_program program = {
    .role = STORE_ROLE_ACCOUNT,
    .pages = pages,
    .http = {.name = "account",
             .reads_body = true,
             .handle = page_handle,
             .refuse = page_refuse,
             .tend = site_tend},
};

int main(int argc, char **argv)
{
    return site_run(&program, argc, argv);
}
