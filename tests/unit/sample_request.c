#include "sample_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct request_source sample_source;
struct request sample_request;
struct arena *sample_arena;
const char *sample_reason;
static struct field params[SAMPLE_PARAMS_MAX];

void sample_add(struct text name, struct text value)
{
    assert_true(sample_source.params.fields.count < SAMPLE_PARAMS_MAX);
    params[sample_source.params.fields.count++] = (struct field){name, value};
}

void sample_set(const char *name, const char *value)
{
    size_t kept = 0;
    for (size_t i = 0; i < sample_source.params.fields.count; i++) {
        if (!text_is(params[i].name, name)) {
            params[kept++] = params[i];
        }
    }
    sample_source.params.fields.count = kept;
    if (value != NULL) {
        sample_add(text_of(name), text_of(value));
    }
}

int sample_parse(void)
{
    arena_reset(sample_arena);
    sample_reason = NULL;
    sample_source.params = params_judge(sample_source.params.fields);
    int status = request_parse(&sample_source, sample_arena, &sample_request, &sample_reason);
    assert_non_null(sample_reason);
    assert_int_equal(status == 0, sample_reason[0] == '\0');
    return status;
}

void sample_set_body(const char *body, const char *length, const char *type)
{
    sample_source.body = text_of(body);
    sample_set("CONTENT_LENGTH", length);
    sample_set("CONTENT_TYPE", type);
}

void sample_start(void)
{
    sample_source = (struct request_source){.params.fields = {params, 0}, .reads_body = true};
    sample_set("REQUEST_METHOD", "GET");
    sample_set("REQUEST_URI", "/a%20b?x=1&y");
    sample_set("REMOTE_ADDR", "192.0.2.1");
    sample_set("SERVER_PROTOCOL", "HTTP/1.1");
}

int sample_set_up(void **state)
{
    (void)state;
    sample_start();
    return arena_new(256 * 1024, &sample_arena) == OK ? 0 : -1;
}

int sample_tear_down(void **state)
{
    (void)state;
    arena_free(&sample_arena);
    return 0;
}
