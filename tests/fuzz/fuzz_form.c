/* The body of a form.
 *
 * Promised: what is accepted is UTF-8 without NUL, at most REQUEST_FIELDS_MAX fields, each name
 * once; written down again, every byte escaped that may be, it reads as the same fields. What the
 * strict reading of a form accepts, that of a query accepts too, as the same. A whole POST request
 * with the body gives those fields or is refused with 400, 413 or 415. */
#include "fuzz.h"

#include <stdio.h>

#include "http/form.h"

#define ARENA_MAX_BYTES ((size_t)1024 * 1024)

static void check_same(struct fields fields, struct fields again)
{
    bool is_same = fields.count == again.count;
    for (size_t i = 0; i < fields.count && is_same; i++) {
        is_same = text_equal(fields.items[i].name, again.items[i].name) &&
                  text_equal(fields.items[i].value, again.items[i].value);
    }
    fuzz_require(is_same, "one form has one meaning");
}

static void check_fields(struct fields fields, bool unique)
{
    fuzz_require(fields.count <= REQUEST_FIELDS_MAX, "a form has an end");
    for (size_t i = 0; i < fields.count; i++) {
        struct text name = fields.items[i].name;
        struct text value = fields.items[i].value;
        fuzz_require(text_is_utf8(name) && text_is_utf8(value), "fields are UTF-8");
        fuzz_require(!text_has_byte(name, '\0') && !text_has_byte(value, '\0'), "no NUL");
        for (size_t j = 0; unique && j < i; j++) {
            fuzz_require(!text_equal(name, fields.items[j].name), "each name once");
        }
    }
}

static void check_again(struct fields fields, bool unique, struct arena *arena)
{
    struct fields again = {0};
    struct buffer body;
    buffer_init(&body, ARENA_MAX_BYTES);
    for (size_t i = 0; i < fields.count; i++) {
        buffer_add_percent(&body, fields.items[i].name);
        buffer_add_string(&body, "=");
        buffer_add_percent(&body, fields.items[i].value);
        buffer_add_string(&body, "&");
    }
    fuzz_require(!body.failed, "there is memory");
    fuzz_require(form_parse(buffer_text(&body), unique, arena, &again) == OK,
                 "a form that is written down can be read");
    check_same(fields, again);
    buffer_clear(&body);
}

static int post(struct text body, struct arena *arena, struct request *out)
{
    char length[24];
    const char *reason = NULL;
    (void)snprintf(length, sizeof length, "%zu", body.len);
    const struct field items[] = {
        {TEXT("REQUEST_METHOD"), TEXT("POST")},
        {TEXT("REQUEST_URI"), TEXT("/auth/login")},
        {TEXT("REMOTE_ADDR"), TEXT("192.0.2.1")},
        {TEXT("SERVER_PROTOCOL"), TEXT("HTTP/1.1")},
        {TEXT("CONTENT_LENGTH"), text_of(length)},
        {TEXT("CONTENT_TYPE"), TEXT("application/x-www-form-urlencoded")},
    };
    const struct request_source source = {
        .params = params_judge((struct fields){items, sizeof items / sizeof items[0]}),
        .body = body,
        .reads_body = true,
    };
    int status = request_parse(&source, arena, out, &reason);
    fuzz_require((status == 0) == (reason[0] == '\0'), "a refusal has a reason");
    return status;
}

static bool check_request(struct text body, struct arena *arena, const struct fields *form)
{
    struct request request;
    int status = post(body, arena, &request);
    fuzz_require(status == 0 || status == 400 || status == 413, "a body is a form or refused");
    fuzz_require((status == 0) == (form != NULL && body.len <= REQUEST_BODY_MAX_BYTES),
                 "a request has the form that its body is");
    if (status == 0) {
        check_same(*form, request.form);
    }
    return status == 0;
}

bool fuzz_one(struct text input)
{
    struct arena *arena = NULL;
    struct fields form = {0};
    struct fields query = {0};
    fuzz_require(arena_new(ARENA_MAX_BYTES, &arena) == OK, "there is memory");
    bool is_form = form_parse(input, true, arena, &form) == OK;
    bool is_query = form_parse(input, false, arena, &query) == OK;
    fuzz_require(is_query || !is_form, "a form is a query");
    if (is_query) {
        check_fields(query, false);
        check_again(query, false, arena);
    }
    if (is_form) {
        check_fields(form, true);
        check_same(form, query);
        check_again(form, true, arena);
    }
    bool accepted = check_request(input, arena, is_form ? &form : NULL);
    arena_free(&arena);
    return accepted;
}
