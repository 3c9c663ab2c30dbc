/* Which address a request came from.
 *
 * X-Forwarded-For is a list that every proxy appends to: "what the client said, first proxy's
 * client, second proxy's client". Only its right end was written by somebody we know, so the walk
 * goes from right to left and stops at the first address that is not one of ours: everything to the
 * left of it may be invented. Forwarded, X-Real-IP and their like are not read; a web server that
 * sets them for real can set REMOTE_ADDR as well.
 *
 * What this does not protect: a trusted proxy that does not append, but passes on what clients
 * send, makes the client's word ours. */
#include "http/client.h"

#include "base/address.h"

#define UNIX_SOCKET "unix:"

static bool is_proxy(struct text hop, const struct config_list *proxies)
{
    struct address address;
    bool is_address = address_parse(hop, &address) == OK;
    for (size_t i = 0; i < proxies->count; i++) {
        struct text entry = text_of(proxies->items[i]);
        struct address_block block;
        if (is_address && address_parse_block(entry, &block) == OK &&
            address_is_in(&address, &block)) {
            return true;
        }
        if (text_is(hop, UNIX_SOCKET) && text_is(entry, UNIX_SOCKET)) {
            return true;
        }
    }
    return false;
}

/* Cuts what follows the last comma off the end of *list. */
static struct text cut_last(struct text *list)
{
    size_t start = list->len;
    while (start > 0 && list->data[start - 1] != ',') {
        start--;
    }
    struct text last = {list->data + start, list->len - start};
    list->len = start > 0 ? start - 1 : 0;
    return text_trim(last);
}

/* The one spelling of an address, so that limits per address cannot be passed by spelling. */
static struct text spell(struct text hop, struct arena *arena)
{
    struct address address;
    char canonical[ADDRESS_TEXT_MAX];
    if (address_parse(hop, &address) != OK) {
        return hop;
    }
    address_print(&address, canonical);
    if (text_is(hop, canonical)) {
        return hop;
    }
    const char *copy = arena_copy(arena, text_of(canonical));
    return copy != NULL ? text_of(copy) : hop;
}

struct text client_address(const struct request *request, const struct config_list *proxies)
{
    struct text reached = request->address;
    struct text hops = fields_get(request->params, "HTTP_X_FORWARDED_FOR");
    while (hops.len > 0 && is_proxy(reached, proxies)) {
        struct address address;
        struct text hop = cut_last(&hops);
        if (address_parse(hop, &address) != OK) {
            break;
        }
        reached = hop;
    }
    return spell(reached, request->arena);
}
