/* The gate: may this request pass, and as whom? */
#ifndef LATCHKEY_WEB_GATE_H
#define LATCHKEY_WEB_GATE_H

#include "web/site.h"

/* The handlers of struct http_program for the gate; the context is a struct site. */
void gate_handle(void *context, const struct request *request, struct response *response);
void gate_refuse(void *context, const struct request *request, int status,
                 struct response *response);

#endif
