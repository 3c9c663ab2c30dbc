#include "bad_requests.h"

#include "fastcgi_client.h"
#include "tables.h"

/* Records after a BEGIN of `role`, if that is not 0. */
static const struct {
    const char *what;
    uint16_t role;
    struct record records[4];
} out_of_turn[] = {
    {"no BEGIN", 0, {{1, RECORD_PARAMS, 1, 0, {0}}}},
    {"version 0", 1, {{0, RECORD_PARAMS, 1, 0, {0}}}},
    {"version 2", 1, {{2, RECORD_PARAMS, 1, 0, {0}}}},
    {"type 0", 1, {{1, 0, 1, 0, {0}}}},
    {"type 12", 1, {{1, 12, 1, 0, {0}}}},
    {"type 255", 1, {{1, 255, 1, 0, {0}}}},
    {"GET_VALUES", 0, {{1, 9, 0, 0, {0}}}},
    {"GET_VALUES with an id", 0, {{1, 9, 1, 0, {0}}}},
    {"GET_VALUES later", 1, {{1, 9, 0, 0, {0}}}},
    {"id 0", 1, {{1, RECORD_PARAMS, 0, 0, {0}}}},
    {"BEGIN with id 0", 0, {{1, RECORD_BEGIN, 0, 0, {"\0\1\0\0\0\0\0\0", 8}}}},
    {"changed id", 1, {{1, RECORD_PARAMS, 2, 0, {0}}}},
    {"role 0", 0, {{1, RECORD_BEGIN, 1, 0, {"\0\0\0\0\0\0\0\0", 8}}}},
    {"role 3", 3, {{1, RECORD_PARAMS, 1, 0, {0}}}},
    {"role 9", 9, {{1, RECORD_PARAMS, 1, 0, {0}}}},
    {"role 257", 0x0101, {{1, RECORD_PARAMS, 1, 0, {0}}}},
    {"BEGIN of 7 bytes", 0, {{1, RECORD_BEGIN, 1, 0, {"\0\1\0\0\0\0\0", 7}}}},
    {"BEGIN of 9 bytes", 0, {{1, RECORD_BEGIN, 1, 0, {"\0\1\0\0\0\0\0\0\0", 9}}}},
    {"empty BEGIN", 0, {{1, RECORD_BEGIN, 1, 0, {0}}}},
    {"second BEGIN", 1, {{1, RECORD_BEGIN, 1, 0, {"\0\1\0\0\0\0\0\0", 8}}}},
    {"ABORT at once", 1, {{1, RECORD_ABORT, 1, 0, {0}}}},
    {"ABORT among parameters",
     1,
     {{1, RECORD_PARAMS, 1, 0, {"\1\1Ab", 4}}, {1, RECORD_ABORT, 1, 0, {0}}}},
    {"ABORT in the body", 1, {{1, RECORD_PARAMS, 1, 0, {0}}, {1, RECORD_ABORT, 1, 0, {0}}}},
    {"STDIN first", 1, {{1, RECORD_STDIN, 1, 0, {0}}}},
    {"STDIN among parameters",
     1,
     {{1, RECORD_PARAMS, 1, 0, {"\1\1Ab", 4}}, {1, RECORD_STDIN, 1, 0, {0}}}},
    {"PARAMS after their end", 1, {{1, RECORD_PARAMS, 1, 0, {0}}, {1, RECORD_PARAMS, 1, 0, {0}}}},
    {"DATA", 1, {{1, RECORD_PARAMS, 1, 0, {0}}, {1, 8, 1, 0, {0}}}},
    {"STDOUT", 1, {{1, RECORD_STDOUT, 1, 0, {0}}}},
    {"a body for an authorizer",
     2,
     {{1, RECORD_PARAMS, 1, 0, {0}}, {1, RECORD_STDIN, 1, 0, {"x", 1}}}},
    {"a second request",
     1,
     {{1, RECORD_PARAMS, 1, 0, {0}},
      {1, RECORD_STDIN, 1, 0, {0}},
      {1, RECORD_BEGIN, 1, 0, {"\0\1\0\0\0\0\0\0", 8}}}},
};

/* The content of the parameter stream of a request that is good otherwise. */
static const struct {
    const char *what;
    struct text content;
} bad_params[] = {
    {"an empty name", {"\0\1b", 3}},
    {"a lone length", {"\1", 1}},
    {"lengths only", {"\1\1", 2}},
    {"a cut value", {"\1\2Ab", 4}},
    {"a cut name", {"\5\0Ab", 4}},
    {"a cut length", {"\1\x80\0\0", 4}},
    {"a length past the end", {"\1\x80\0\1\0Ab", 7}},
    {"lengths of 2 GiB", {"\xff\xff\xff\xff\xff\xff\xff\xff\1\1", 10}},
    {"lengths whose sum wraps", {"\xff\xff\xff\xff\1Zb", 7}},
    {"NUL in a name", {"\2\1A\0b", 5}},
    {"NUL in a value", {"\1\2Ab\0", 5}},
    {"'=' in a name", {"\3\1A=Bx", 6}},
    {"a line feed in a name", {"\2\1A\nx", 5}},
    {"DEL in a name", {"\2\1A\177x", 5}},
    {"two addresses", {"\13\1REMOTE_ADDRa\13\1REMOTE_ADDRb", 28}},
    {"two users", {"\13\1REMOTE_USERa\1\1Zb\13\2REMOTE_USERaa", 33}},
    {"two of any other", {"\1\1Ab\1\1Ac", 8}},
};

/* Whole connections. */
static const struct {
    const char *what;
    struct text bytes;
} strangers[] = {
    {"HTTP", {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27}},
    {"TLS", {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}},
    {"SSH", {"SSH-2.0-OpenSSH\r\n", 17}},
    {"NUL bytes", {"\0\0\0\0\0\0\0\0", 8}},
};

static bool is_nothing(const struct record *record)
{
    return record->version == 0 && record->type == 0 && record->id == 0;
}

static void add_records(struct buffer *out, size_t index)
{
    if (out_of_turn[index].role != 0) {
        record_add_begin(out, out_of_turn[index].role);
    }
    for (size_t i = 0; i < 4 && !is_nothing(&out_of_turn[index].records[i]); i++) {
        record_add(out, out_of_turn[index].records[i]);
    }
}

/* All are given twice, in one record and in records of one byte. */
static void add_params(struct buffer *out, size_t index)
{
    record_add_begin(out, 1);
    stream_add(out, RECORD_PARAMS, bad_params[index / 2].content, index % 2 == 0 ? 1000 : 1);
    stream_add(out, RECORD_STDIN, (struct text){0}, 1);
}

bool bad_request_add(struct buffer *out, size_t index, const char **what)
{
    if (index < COUNT(out_of_turn)) {
        *what = out_of_turn[index].what;
        add_records(out, index);
        return true;
    }
    index -= COUNT(out_of_turn);
    if (index < 2 * COUNT(bad_params)) {
        *what = bad_params[index / 2].what;
        add_params(out, index);
        return true;
    }
    index -= 2 * COUNT(bad_params);
    if (index < COUNT(strangers)) {
        *what = strangers[index].what;
        buffer_add_text(out, strangers[index].bytes);
        return true;
    }
    if (index == COUNT(strangers)) {
        *what = "a byte after the request";
        request_add(out, 1, "/x", (struct text){0});
        buffer_add(out, "", 1);
        return true;
    }
    return false;
}
