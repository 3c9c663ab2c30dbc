/* The gate program: responder, authorizer or CGI, whatever the web server makes of it. */
#include "web/gate.h"

static const struct site_program program = {
    .role = STORE_ROLE_GATE,
    .remembers = true,
    .http = {.name = "gate",
             .reads_body = false,
             .is_brief = true,
             .enter = site_enter,
             .handle = gate_handle,
             .refuse = gate_refuse,
             .tend = site_tend,
             .rest = site_rest},
};

int main(int argc, char **argv)
{
    return site_run(&program, argc, argv);
}
