/* The addresses that may speak to us over TCP (FastCGI 1.0 §3.2, FCGI_WEB_SERVER_ADDRS). */
#ifndef LATCHKEY_HTTP_PEERS_H
#define LATCHKEY_HTTP_PEERS_H

#include "base/address.h"

#define PEERS_MAX 32

struct peers {
    bool limited; /* whether only those below may */
    struct address items[PEERS_MAX];
    size_t count;
};

/* Reads the comma-separated list, IPv4 or IPv6; NULL or "" lets all pass. What is no address, or
 * one too many, is logged and lets nobody pass. */
void peers_init(struct peers *peers, const char *list);

/* Whether the peer of a connection may speak; a peer on a UNIX socket always may. */
bool peers_has(const struct peers *peers, const struct sockaddr_storage *peer);

#endif
