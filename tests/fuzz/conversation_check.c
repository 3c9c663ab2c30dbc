/* What was said, read once more by another hand: records by FastCGI 1.0 §3, and which requests were
 * whole. Not judged here is whether a request was good; so a whole request may stay without an
 * answer, but what was not whole never gets one. */
#include "../unit/fastcgi_client.h"
#include "conversation.h"
#include "fuzz.h"

#define HEADER_BYTES 8

struct frame {
    uint8_t version, type;
    uint16_t id;
    struct text content;
};

/* Cuts a record off the front; false when there is no whole one. */
static bool take_frame(struct text *rest, struct frame *out)
{
    const uint8_t *bytes = (const uint8_t *)rest->data;
    if (rest->len < HEADER_BYTES) {
        return false;
    }
    size_t len = (size_t)bytes[4] * 256 + bytes[5];
    size_t whole = HEADER_BYTES + len + bytes[6];
    if (rest->len < whole) {
        return false;
    }
    *out = (struct frame){bytes[0],
                          bytes[1],
                          (uint16_t)(bytes[2] * 256 + bytes[3]),
                          {rest->data + HEADER_BYTES, len}};
    *rest = text_from(*rest, whole);
    return true;
}

/* Takes a whole request off the front: BEGIN, parameters and their end, input and its end, which an
 * authorizer may lack. Its id; 0: what comes is no whole request. */
static uint16_t take_request(struct text *rest)
{
    struct frame begin;
    struct frame frame;
    bool has_params = false;
    if (!take_frame(rest, &begin) || begin.version != 1 || begin.type != RECORD_BEGIN ||
        begin.id == 0 || begin.content.len != HEADER_BYTES || begin.content.data[0] != 0 ||
        (begin.content.data[1] != 1 && begin.content.data[1] != 2)) {
        return 0;
    }
    bool is_authorizer = begin.content.data[1] == 2;
    while (true) {
        struct text before = *rest;
        bool is_whole = take_frame(rest, &frame);
        if (has_params && is_authorizer &&
            (!is_whole || frame.type != RECORD_STDIN || frame.content.len > 0)) {
            *rest = before;
            return begin.id;
        }
        if (!is_whole || frame.version != 1 || frame.id != begin.id ||
            frame.type != (has_params ? RECORD_STDIN : RECORD_PARAMS)) {
            return 0;
        }
        if (frame.content.len == 0 && has_params) {
            return begin.id;
        }
        has_params = has_params || frame.content.len == 0;
    }
}

/* Takes a whole answer off the front, for the request of that id. */
static void take_answer(struct text *rest, uint16_t id)
{
    struct frame frame = {0};
    struct frame first = {0};
    struct frame last = {0};
    while (take_frame(rest, &frame) && frame.type == RECORD_STDOUT) {
        fuzz_require(frame.version == 1 && frame.id == id, "an answer is to the request");
        first = first.version == 0 ? frame : first;
        fuzz_require(last.version == 0 || last.content.len > 0, "a stream has one end");
        last = frame;
    }
    fuzz_require(frame.type == RECORD_END && frame.version == 1 && frame.id == id,
                 "an answer has an end");
    fuzz_require(last.version == 1 && last.content.len == 0, "its stream, too");
    fuzz_require(text_equal(frame.content, TEXT("\0\0\0\0\0\0\0\0")),
                 "which says that all is well");
    fuzz_require(text_has_prefix(first.content, TEXT("Status: ")),
                 "an answer begins with its status");
}

static size_t check_peer(const struct peer *peer)
{
    struct text sent = buffer_text(&peer->sent);
    struct text answered = buffer_text(&peer->answered);
    size_t count = 0;
    while (answered.len > 0) {
        uint16_t id = take_request(&sent);
        fuzz_require(id != 0, "what is no whole request gets no answer");
        take_answer(&answered, id);
        count++;
    }
    return count;
}

size_t conversation_check(const struct conversation *conversation)
{
    size_t count = 0;
    for (size_t i = 0; i < CONVERSATION_PEERS; i++) {
        count += check_peer(&conversation->peers[i]);
    }
    return count;
}
