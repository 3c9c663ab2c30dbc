/* FastCGI over TCP has no other protection than the address, so it should stay on loopback; the
 * list is honoured because the specification promises it. All addresses are kept as IPv6, IPv4 ones
 * in their mapped form (RFC 4291 §2.5.5.2), so that a dual-stack listener compares equal. */
#include "http/peers.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

static void map(const struct in_addr *address, struct in6_addr *out)
{
    *out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(out->s6_addr + 12, address, sizeof *address);
}

static bool parse(struct text text, struct in6_addr *out)
{
    char string[INET6_ADDRSTRLEN];
    struct in_addr short_address;
    if (text.len >= sizeof string) {
        return false;
    }
    memcpy(string, text.data, text.len);
    string[text.len] = '\0';
    if (inet_pton(AF_INET, string, &short_address) == 1) {
        map(&short_address, out);
        return true;
    }
    return inet_pton(AF_INET6, string, out) == 1;
}

void peers_init(struct peers *peers, const char *list)
{
    struct text rest = text_of(list);
    *peers = (struct peers){.limited = rest.len > 0};
    while (rest.len > 0) {
        struct text entry = text_trim(text_cut(&rest, ','));
        if (entry.len == 0) {
            continue;
        }
        if (peers->count == PEERS_MAX || !parse(entry, &peers->items[peers->count])) {
            log_error("FCGI_WEB_SERVER_ADDRS: \"%.*s\" is no address, or one too many: it is left "
                      "out",
                      (int)entry.len, entry.data);
            continue;
        }
        peers->count++;
    }
}

bool peers_has(const struct peers *peers, const struct sockaddr_storage *peer)
{
    struct in6_addr address;
    if (!peers->limited || (peer->ss_family != AF_INET && peer->ss_family != AF_INET6)) {
        return true;
    }
    if (peer->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof in);
        map(&in.sin_addr, &address);
    } else {
        struct sockaddr_in6 in6;
        memcpy(&in6, peer, sizeof in6);
        address = in6.sin6_addr;
    }
    for (size_t i = 0; i < peers->count; i++) {
        if (memcmp(&peers->items[i], &address, sizeof address) == 0) {
            return true;
        }
    }
    return false;
}
