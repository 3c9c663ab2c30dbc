/* A good request, which each test changes in one thing and then parses. */
#ifndef LATCHKEY_TESTS_SAMPLE_REQUEST_H
#define LATCHKEY_TESTS_SAMPLE_REQUEST_H

#include "http/request.h"

#define SAMPLE_PARAMS_MAX 640 /* room for parameters */

extern struct request_source sample_source; /* what the carrier hands over */
extern struct request sample_request;       /* what came of it at the last sample_parse */
extern struct arena *sample_arena;
extern const char *sample_reason;

/* For cmocka: a good GET before each test, and its memory freed after it. */
int sample_set_up(void **state);
int sample_tear_down(void **state);

/* Begins anew with the good GET. */
void sample_start(void);

/* Adds a parameter, besides one of that name. */
void sample_add(struct text name, struct text value);

/* Sets a parameter; NULL takes it away. */
void sample_set(const char *name, const char *value);

/* Hands over a body, with parameters for its length and type; NULL leaves one out. */
void sample_set_body(const char *body, const char *length, const char *type);

/* Parses; gives 0 or the HTTP status of the refusal, which must have a reason. */
int sample_parse(void);

#endif
