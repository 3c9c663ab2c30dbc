/* Makes FastCGI records for tests, good ones and bad ones, and takes answers apart. */
#ifndef LATCHKEY_TESTS_FASTCGI_CLIENT_H
#define LATCHKEY_TESTS_FASTCGI_CLIENT_H

#include "base/buffer.h"

#define RECORDS_MAX (4 * 1024 * 1024)

enum { RECORD_BEGIN = 1, RECORD_ABORT, RECORD_END, RECORD_PARAMS, RECORD_STDIN, RECORD_STDOUT };

/* A record of any kind; `padding` zero bytes follow the content. */
struct record {
    uint8_t version, type;
    uint16_t id;
    uint8_t padding;
    struct text content;
};

void record_add(struct buffer *out, struct record record);

/* A record of version 1, id 1, no padding. */
void record_add_plain(struct buffer *out, uint8_t type, struct text content);

void record_add_begin(struct buffer *out, uint16_t role);

/* A name-value pair as PARAMS holds it. */
void pair_add(struct buffer *out, struct text name, struct text value);

/* The pairs that every web server sends; REQUEST_URI as given. */
void pairs_add_usual(struct buffer *out, const char *method, const char *uri);

/* Records with at most `piece` bytes of content each, and the empty one that ends the stream. */
void stream_add(struct buffer *out, uint8_t type, struct text content, size_t piece);

/* A whole good request; a body makes it a POST with a form's type and length. */
void request_add(struct buffer *out, uint16_t role, const char *uri, struct text body);

/* Sets FCGI_KEEP_CONN in the first request of `records`. */
void request_keep(struct buffer *records);

/* The content of all STDOUT records, up to END_REQUEST. False unless `answer` is a whole, correct
 * answer and nothing else. */
bool answer_read(struct text answer, struct buffer *out);

#endif
