/* What web servers, and others who reach the socket, say to a FastCGI worker: a script of theirs,
 * made of the bytes of an input, and what is to be said of the answers.
 *
 * A script speaks on up to four connections to one socket. Each of its bytes is an order, the lower
 * four bits say which, the upper four how. Orders gather bytes for the present connection; they are
 * written when the script says so, and the worker gets its turn after each writing. So the script
 * decides in which pieces records arrive, and what happens in between. */
#ifndef LATCHKEY_TESTS_CONVERSATION_H
#define LATCHKEY_TESTS_CONVERSATION_H

#include <sys/un.h>

#include "base/buffer.h"

#define CONVERSATION_PEERS 4

enum order {
    ORDER_RAW,        /* as many bytes as the upper bits say; 15: as the next byte says */
    ORDER_RECORD,     /* a record: its type, a piece (a byte of length, bytes); padding above */
    ORDER_BEGIN,      /* BEGIN_REQUEST; above: the role, 4: to be kept, 8: with the id 2 */
    ORDER_USUAL,      /* PARAMS that servers send, a piece is the URI; above: the method, 4: then a
                       * byte is CONTENT_LENGTH, 8: in records of 7 bytes */
    ORDER_PAIR,       /* PARAMS with one pair: two pieces */
    ORDER_END_PARAMS, /* the empty PARAMS */
    ORDER_BODY,       /* STDIN with a piece */
    ORDER_END_BODY,   /* the empty STDIN */
    ORDER_FILL,     /* a record of the type above, with as often 256 bytes as the next byte says */
    ORDER_SEND,     /* writes what is gathered, and lets the worker have its turn */
    ORDER_WAIT,     /* the same, and as many seconds pass as said above */
    ORDER_END_SIDE, /* the same, and says that no more will come */
    ORDER_HANG_UP,  /* writes what is gathered, and closes the connection at once */
    ORDER_OTHER,    /* goes on with the connection that is said above, made when it is new */
    ORDER_READ,     /* writes, and takes what was answered before the worker's next turn */
    ORDER_HEADER,   /* the header of a record with the length that the next two bytes say; above:
                     * its type */
};

struct peer {
    int fd; /* -1: not connected, or hung up */
    bool was_used, has_hung_up;
    uint16_t id;                  /* of the records that it makes */
    struct buffer gathered;       /* not written yet */
    struct buffer sent, answered; /* all of it */
};

struct conversation {
    struct sockaddr_un address; /* where the worker listens */
    struct text script;         /* what is left of it */
    struct peer peers[CONVERSATION_PEERS];
    size_t present;
};

/* Begins to speak, without a word yet. The script is borrowed. */
void conversation_open(struct conversation *conversation, const struct sockaddr_un *address,
                       struct text script);

/* Goes on until the worker gets its turn. Milliseconds that pass then; -1: all was said. */
int conversation_go_on(struct conversation *conversation);

/* Connects one more peer, in the place of nobody, who asks for the URI, or posts a form there. */
void conversation_ask(const struct conversation *conversation, struct peer *peer, const char *uri,
                      struct text body);

/* Takes what was answered. */
void peer_read(struct peer *peer);

/* Bytes of memory that it holds. */
size_t conversation_count_memory(const struct conversation *conversation);

/* Ends the process unless every peer got what the loop promises: nothing, or one whole answer for
 * each request that was whole, in their order, with their ids. How many answers there were, in all.
 */
size_t conversation_check(const struct conversation *conversation);

/* Closes all connections. */
void conversation_close(struct conversation *conversation);
void peer_close(struct peer *peer);

#endif
