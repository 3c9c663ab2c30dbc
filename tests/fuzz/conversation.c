#include "conversation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/fastcgi_client.h"
#include "fuzz.h"

#define GATHERED_MAX ((size_t)2 * 1024 * 1024) /* twice what is ever read of a request */

static const char *const methods[] = {"GET", "POST", "HEAD", "PUT"};

/* ---- peers ---- */

static void peer_init(struct peer *peer)
{
    *peer = (struct peer){.fd = -1, .id = 1};
    buffer_init(&peer->gathered, GATHERED_MAX);
    buffer_init(&peer->sent, GATHERED_MAX);
    buffer_init(&peer->answered, GATHERED_MAX);
}

static void peer_connect(struct peer *peer, const struct sockaddr_un *address)
{
    peer->was_used = true;
    peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fuzz_require(peer->fd >= 0 &&
                     connect(peer->fd, (const struct sockaddr *)address, sizeof *address) == 0,
                 "who connects is let in");
    fuzz_require(fcntl(peer->fd, F_SETFL, O_NONBLOCK) == 0, "a socket need not wait");
}

/* Writes what the socket takes; the rest stays. Where nobody reads any more it is lost. */
static void peer_write(struct peer *peer)
{
    struct text left = buffer_text(&peer->gathered);
    while (peer->fd >= 0 && left.len > 0) {
        ssize_t sent = send(peer->fd, left.data, left.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            break;
        }
        size_t gone = sent < 0 ? left.len : (size_t)sent;
        buffer_add(&peer->sent, left.data, sent < 0 ? 0 : gone);
        left = text_from(left, gone);
    }
    struct buffer rest;
    buffer_init(&rest, GATHERED_MAX);
    buffer_add_text(&rest, left);
    buffer_clear(&peer->gathered);
    peer->gathered = rest;
}

void peer_read(struct peer *peer)
{
    char bytes[8192];
    ssize_t len = 1;
    while (peer->fd >= 0 && len > 0) {
        len = recv(peer->fd, bytes, sizeof bytes, 0);
        buffer_add(&peer->answered, bytes, len > 0 ? (size_t)len : 0);
    }
}

static void hang_up(struct peer *peer)
{
    if (peer->fd >= 0) {
        (void)close(peer->fd);
        peer->fd = -1;
        peer->has_hung_up = true;
    }
}

void peer_close(struct peer *peer)
{
    hang_up(peer);
    buffer_clear(&peer->gathered);
    buffer_clear(&peer->sent);
    buffer_clear(&peer->answered);
}

/* ---- orders that gather ---- */

static void gather_record(struct peer *peer, uint8_t type, struct text content, uint8_t padding)
{
    record_add(
        &peer->gathered,
        (struct record){
            .version = 1, .type = type, .id = peer->id, .padding = padding, .content = content});
}

static void gather_begin(struct peer *peer, unsigned how)
{
    const char body[8] = {0, (char)(how & 3), (char)((how & 4) != 0)};
    peer->id = (how & 8) != 0 ? 2 : 1;
    gather_record(peer, RECORD_BEGIN, (struct text){body, sizeof body}, 0);
}

static void gather_params(struct peer *peer, const struct buffer *pairs, size_t piece)
{
    struct text left = buffer_text(pairs);
    while (left.len > 0) {
        gather_record(peer, RECORD_PARAMS, fuzz_take(&left, piece), 0);
    }
}

static void gather_usual(struct peer *peer, unsigned how, struct text *script)
{
    struct buffer pairs;
    char uri[256];
    char length[8];
    struct text piece = fuzz_take_piece(script);
    (void)snprintf(uri, sizeof uri, "%.*s", (int)piece.len, text_bytes(piece));
    buffer_init(&pairs, GATHERED_MAX);
    pairs_add_usual(&pairs, methods[how & 3], uri);
    if ((how & 4) != 0) {
        (void)snprintf(length, sizeof length, "%u", (unsigned)fuzz_take_byte(script));
        pair_add(&pairs, TEXT("CONTENT_LENGTH"), text_of(length));
        pair_add(&pairs, TEXT("CONTENT_TYPE"), TEXT("application/x-www-form-urlencoded"));
    }
    gather_params(peer, &pairs, (how & 8) != 0 ? 7 : pairs.len);
    buffer_clear(&pairs);
}

static void gather_pair(struct peer *peer, struct text *script)
{
    struct buffer pairs;
    struct text name = fuzz_take_piece(script);
    buffer_init(&pairs, GATHERED_MAX);
    pair_add(&pairs, name, fuzz_take_piece(script));
    gather_params(peer, &pairs, pairs.len);
    buffer_clear(&pairs);
}

static void gather_fill(struct peer *peer, unsigned type, uint8_t times)
{
    static const char filling[255 * 256] = {'x', '='};
    gather_record(peer, (uint8_t)type, (struct text){filling, (size_t)times * 256}, 0);
}

static void gather_header(struct peer *peer, unsigned type, struct text *script)
{
    uint8_t high = fuzz_take_byte(script);
    const uint8_t header[8] = {1,    (uint8_t)type,         0, (uint8_t)peer->id,
                               high, fuzz_take_byte(script)};
    buffer_add(&peer->gathered, header, sizeof header);
}

/* False: it is another kind of order. */
static bool gather(struct peer *peer, enum order order, unsigned how, struct text *script)
{
    uint8_t type = 0;
    switch ((int)order) {
    case ORDER_RAW:
        buffer_add_text(&peer->gathered,
                        how == 15 ? fuzz_take_piece(script) : fuzz_take(script, how));
        return true;
    case ORDER_RECORD:
        type = fuzz_take_byte(script);
        gather_record(peer, type, fuzz_take_piece(script), (uint8_t)how);
        return true;
    case ORDER_BEGIN:
        gather_begin(peer, how);
        return true;
    case ORDER_USUAL:
        gather_usual(peer, how, script);
        return true;
    case ORDER_PAIR:
        gather_pair(peer, script);
        return true;
    case ORDER_END_PARAMS:
        gather_record(peer, RECORD_PARAMS, (struct text){0}, 0);
        return true;
    case ORDER_BODY:
        gather_record(peer, RECORD_STDIN, fuzz_take_piece(script), 0);
        return true;
    case ORDER_END_BODY:
        gather_record(peer, RECORD_STDIN, (struct text){0}, 0);
        return true;
    case ORDER_FILL:
        gather_fill(peer, how, fuzz_take_byte(script));
        return true;
    case ORDER_HEADER:
        gather_header(peer, how, script);
        return true;
    default:
        return false;
    }
}

/* ---- the script ---- */

void conversation_open(struct conversation *conversation, const struct sockaddr_un *address,
                       struct text script)
{
    *conversation = (struct conversation){.address = *address, .script = script};
    for (size_t i = 0; i < CONVERSATION_PEERS; i++) {
        peer_init(&conversation->peers[i]);
    }
}

static struct peer *use_peer(struct conversation *conversation)
{
    struct peer *peer = &conversation->peers[conversation->present];
    if (!peer->was_used) {
        peer_connect(peer, &conversation->address);
    }
    return peer;
}

/* An order that lets the worker have its turn: how many milliseconds pass. */
static int act(struct peer *peer, enum order order, unsigned how)
{
    peer_write(peer);
    switch ((int)order) {
    case ORDER_WAIT:
        return (int)how * 1000;
    case ORDER_END_SIDE:
        if (peer->fd >= 0) {
            (void)shutdown(peer->fd, SHUT_WR);
        }
        return 0;
    case ORDER_HANG_UP:
        hang_up(peer);
        return 0;
    case ORDER_READ:
        peer_read(peer);
        return 0;
    default:
        return 0;
    }
}

int conversation_go_on(struct conversation *conversation)
{
    struct text *script = &conversation->script;
    while (script->len > 0) {
        uint8_t byte = fuzz_take_byte(script);
        enum order order = (enum order)(byte & 15);
        unsigned how = byte >> 4;
        if (order == ORDER_OTHER) {
            conversation->present = how % CONVERSATION_PEERS;
            continue;
        }
        struct peer *peer = use_peer(conversation);
        if (!gather(peer, order, how, script)) {
            return act(peer, order, how);
        }
    }
    bool has_more = false;
    for (size_t i = 0; i < CONVERSATION_PEERS; i++) {
        struct peer *peer = &conversation->peers[i];
        size_t before = peer->gathered.len;
        peer_write(peer);
        peer_read(peer);
        has_more = has_more || peer->gathered.len < before;
    }
    return has_more ? 0 : -1;
}

void conversation_ask(const struct conversation *conversation, struct peer *peer, const char *uri,
                      struct text body)
{
    peer_init(peer);
    peer_connect(peer, &conversation->address);
    request_add(&peer->gathered, 1, uri, body);
    peer_write(peer);
}

size_t conversation_count_memory(const struct conversation *conversation)
{
    size_t bytes = 0;
    for (size_t i = 0; i < CONVERSATION_PEERS; i++) {
        const struct peer *peer = &conversation->peers[i];
        bytes += peer->gathered.room + peer->sent.room + peer->answered.room;
    }
    return bytes;
}

void conversation_close(struct conversation *conversation)
{
    for (size_t i = 0; i < CONVERSATION_PEERS; i++) {
        peer_close(&conversation->peers[i]);
    }
}
