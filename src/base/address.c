/* IPv4 and IPv6 addresses, and blocks of them.
 *
 * One machine has one spelling here: ::ffff:192.0.2.1 is 192.0.2.1, else a client that reaches a
 * dual-stack socket would be a stranger to lists and limits that know it by IPv4. For the same
 * reason ::/0 does not hold 192.0.2.1: families never mix. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96

static const unsigned char mapped_prefix[MAPPED_BITS / 8] = {0, 0, 0, 0, 0,    0,
                                                             0, 0, 0, 0, 0xff, 0xff};

/* Undresses IPv4 that came as IPv6; whether it did. */
static bool unmap(struct address *address)
{
    if (address->len != 16 || memcmp(address->bytes, mapped_prefix, sizeof mapped_prefix) != 0) {
        return false;
    }
    address->len = 4;
    memmove(address->bytes, address->bytes + sizeof mapped_prefix, 4);
    memset(address->bytes + 4, 0, sizeof address->bytes - 4);
    return true;
}

/* Reads an address; `mapped` tells whether IPv4 came dressed as IPv6. */
static enum status parse_spelled(struct text text, struct address *out, bool *mapped)
{
    char copy[ADDRESS_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy || text_has_byte(text, '\0')) {
        return ERR_INPUT;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    struct address address = {.len = 4};
    if (inet_pton(AF_INET, copy, address.bytes) != 1) {
        address.len = 16;
        if (inet_pton(AF_INET6, copy, address.bytes) != 1) {
            return ERR_INPUT;
        }
    }
    *mapped = unmap(&address);
    *out = address;
    return OK;
}

enum status address_parse(struct text text, struct address *out)
{
    bool mapped;
    return parse_spelled(text, out, &mapped);
}

enum status address_from_socket(const struct sockaddr_storage *peer, struct address *out)
{
    struct address address = {0};
    if (peer->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof in);
        address.len = sizeof in.sin_addr;
        memcpy(address.bytes, &in.sin_addr, sizeof in.sin_addr);
    } else if (peer->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, peer, sizeof in6);
        address.len = sizeof in6.sin6_addr;
        memcpy(address.bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
    } else {
        return ERR_INPUT;
    }
    (void)unmap(&address);
    *out = address;
    return OK;
}

void address_print(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
    int family = address->len == 4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, address->bytes, out, ADDRESS_TEXT_MAX) == NULL) {
        out[0] = '\0';
    }
}

enum status address_parse_block(struct text text, struct address_block *out)
{
    struct text bits_text = text;
    struct text address_text = text_cut(&bits_text, '/');
    struct address_block block;
    bool mapped;
    enum status status = parse_spelled(address_text, &block.first, &mapped);
    if (status != OK) {
        return status;
    }
    block.bits = (unsigned)block.first.len * 8;
    if (address_text.len != text.len) {
        uint64_t offset = mapped ? MAPPED_BITS : 0;
        uint64_t bits;
        status = text_parse_number(bits_text, offset + block.bits, &bits);
        if (status != OK || bits < offset) {
            return ERR_INPUT;
        }
        block.bits = (unsigned)(bits - offset);
    }
    *out = block;
    return OK;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool address_is_in(const struct address *address, const struct address_block *block)
{
    if (address->len != block->first.len) {
        return false;
    }
    size_t whole = block->bits / 8;
    unsigned rest = block->bits % 8;
    if (memcmp(address->bytes, block->first.bytes, whole) != 0) {
        return false;
    }
    unsigned mask = (0xffU << (8 - rest)) & 0xffU;
    return rest == 0 || ((address->bytes[whole] ^ block->first.bytes[whole]) & mask) == 0;
}
