#include "fastcgi_client.h"

#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 8
#define CONTENT_MAX  65535

void record_add(struct buffer *out, struct record record)
{
    const uint8_t header[HEADER_BYTES] = {
        record.version,
        record.type,
        (uint8_t)(record.id >> 8),
        (uint8_t)record.id,
        (uint8_t)(record.content.len >> 8),
        (uint8_t)record.content.len,
        record.padding,
    };
    const char padding[256] = {0};
    buffer_add(out, header, sizeof header);
    buffer_add_text(out, record.content);
    buffer_add(out, padding, record.padding);
}

void record_add_plain(struct buffer *out, uint8_t type, struct text content)
{
    record_add(out, (struct record){.version = 1, .type = type, .id = 1, .content = content});
}

void record_add_begin(struct buffer *out, uint16_t role)
{
    const char body[8] = {(char)(role >> 8), (char)role};
    record_add_plain(out, RECORD_BEGIN, (struct text){body, sizeof body});
}

static void add_length(struct buffer *out, size_t len)
{
    const uint8_t bytes[4] = {(uint8_t)(0x80 | len >> 24), (uint8_t)(len >> 16),
                              (uint8_t)(len >> 8), (uint8_t)len};
    if (len < 128) {
        buffer_add(out, bytes + 3, 1);
    } else {
        buffer_add(out, bytes, 4);
    }
}

void pair_add(struct buffer *out, struct text name, struct text value)
{
    add_length(out, name.len);
    add_length(out, value.len);
    buffer_add_text(out, name);
    buffer_add_text(out, value);
}

void pairs_add_usual(struct buffer *out, const char *method, const char *uri)
{
    pair_add(out, TEXT("REQUEST_METHOD"), text_of(method));
    pair_add(out, TEXT("REQUEST_URI"), text_of(uri));
    pair_add(out, TEXT("SERVER_PROTOCOL"), TEXT("HTTP/1.1"));
    pair_add(out, TEXT("REMOTE_ADDR"), TEXT("192.0.2.7"));
    pair_add(out, TEXT("HTTP_HOST"), TEXT("www.example.org"));
}

void stream_add(struct buffer *out, uint8_t type, struct text content, size_t piece)
{
    while (content.len > 0) {
        size_t len = content.len < piece ? content.len : piece;
        record_add_plain(out, type, (struct text){content.data, len});
        content = (struct text){content.data + len, content.len - len};
    }
    record_add_plain(out, type, (struct text){0});
}

void request_add(struct buffer *out, uint16_t role, const char *uri, struct text body)
{
    struct buffer pairs;
    char length[24];
    buffer_init(&pairs, RECORDS_MAX);
    pairs_add_usual(&pairs, body.len > 0 ? "POST" : "GET", uri);
    if (body.len > 0) {
        (void)snprintf(length, sizeof length, "%zu", body.len);
        pair_add(&pairs, TEXT("CONTENT_LENGTH"), text_of(length));
        pair_add(&pairs, TEXT("CONTENT_TYPE"), TEXT("application/x-www-form-urlencoded"));
    }
    record_add_begin(out, role);
    stream_add(out, RECORD_PARAMS, buffer_text(&pairs), CONTENT_MAX);
    stream_add(out, RECORD_STDIN, body, 32768);
    buffer_clear(&pairs);
}

void request_keep(struct buffer *records)
{
    records->data[HEADER_BYTES + 2] = 1; /* the flags follow the role */
}

bool answer_read(struct text answer, struct buffer *out)
{
    bool stream_ended = false;
    while (answer.len >= HEADER_BYTES) {
        const uint8_t *header = (const uint8_t *)answer.data;
        size_t content = (size_t)header[4] << 8 | header[5];
        size_t whole = HEADER_BYTES + content + header[6];
        if (whole > answer.len || header[0] != 1 || header[2] != 0 || header[3] != 1) {
            return false;
        }
        if (header[1] == RECORD_END) { /* status 0, request complete, nothing after it */
            static const char complete[8];
            return stream_ended && content == sizeof complete && whole == answer.len &&
                   memcmp(answer.data + HEADER_BYTES, complete, sizeof complete) == 0;
        }
        if (header[1] != RECORD_STDOUT || stream_ended) {
            return false;
        }
        buffer_add(out, answer.data + HEADER_BYTES, content);
        stream_ended = content == 0;
        answer = (struct text){answer.data + whole, answer.len - whole};
    }
    return false;
}
