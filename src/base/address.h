/* IPv4 and IPv6 addresses, and blocks of them. */
#ifndef LATCHKEY_BASE_ADDRESS_H
#define LATCHKEY_BASE_ADDRESS_H

#include <sys/socket.h>

#include "base/text.h"

#define ADDRESS_TEXT_MAX 46 /* the longest spelling of an address, with its NUL */

struct address {
    size_t len; /* 4 for IPv4, 16 for IPv6 */
    unsigned char bytes[16];
};

struct address_block {
    struct address first;
    unsigned bits; /* of `first` that count */
};

/* Reads an address as inet_pton(3) knows it: no zone, no port, no brackets. An IPv4-mapped IPv6
 * address (RFC 4291 §2.5.5.2) becomes the IPv4 address. ERR_INPUT. */
enum status address_parse(struct text text, struct address *out) MUST_USE;

/* The address of a socket's peer, IPv4-mapped ones likewise. ERR_INPUT: it is of another family. */
enum status address_from_socket(const struct sockaddr_storage *peer, struct address *out) MUST_USE;

/* Writes the canonical spelling (RFC 5952), NUL-terminated. */
void address_print(const struct address *address, char out[ADDRESS_TEXT_MAX]);

/* Reads "address" or "address/bits" (RFC 4632 §3.1). ERR_INPUT; also for a block of fewer than 96
 * bits that is spelled with an IPv4-mapped address, for it would be of both families. */
enum status address_parse_block(struct text text, struct address_block *out) MUST_USE;

/* Whether two are the same machine. */
bool address_equal(const struct address *a, const struct address *b);

/* Whether the block holds the address. An address is never in a block of the other family. */
bool address_is_in(const struct address *address, const struct address_block *block);

#endif
