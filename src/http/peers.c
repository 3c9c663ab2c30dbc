/* FastCGI over TCP has no other protection than the address, so it should stay on loopback; the
 * list is honoured because the specification promises it. A list of which an entry cannot be read
 * still limits: what was meant to keep people out must not let all in. */
#include "http/peers.h"

#include "base/log.h"

void peers_init(struct peers *peers, const char *list)
{
    struct text rest = text_of(list);
    *peers = (struct peers){.limited = rest.len > 0};
    while (rest.len > 0) {
        struct text entry = text_trim(text_cut(&rest, ','));
        if (entry.len == 0) {
            continue;
        }
        if (peers->count == PEERS_MAX || address_parse(entry, &peers->items[peers->count]) != OK) {
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
    struct address address;
    if (!peers->limited || address_from_socket(peer, &address) != OK) {
        return true;
    }
    for (size_t i = 0; i < peers->count; i++) {
        if (address_equal(&peers->items[i], &address)) {
            return true;
        }
    }
    return false;
}
