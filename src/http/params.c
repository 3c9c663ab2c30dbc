/* What may be believed of parameters.
 *
 * All but HTTP_* are the web server's own word: if one of them is malformed or contradicts another,
 * somebody else is speaking (a request smuggled in, or a process that got at the socket). HTTP_*
 * are headers, which any client can make, also twice: some web servers pass each line on. Which of
 * two counts would differ between libraries, so where a decision hangs on them they must agree.
 *
 * Each is looked at once, in the order sent. What they mean is not judged here (request.c). */
#include "http/params.h"

struct text fields_get(struct fields fields, const char *name)
{
    struct text wanted = text_of(name);
    for (size_t i = 0; i < fields.count; i++) {
        if (text_equal(fields.items[i].name, wanted)) {
            struct text value = fields.items[i].value;
            return value.data != NULL ? value : TEXT("");
        }
    }
    return (struct text){NULL, 0};
}

bool fields_has(struct fields fields, const char *name)
{
    return fields_get(fields, name).data != NULL;
}

/* Of all objections the first of the worst kind is kept. */
static void object(struct params *params, enum params_verdict verdict, const char *fault)
{
    if (verdict < params->verdict) {
        params->verdict = verdict;
        params->fault = fault;
    }
}

/* Whether an earlier parameter of this name has another value. */
static bool is_contradicted(struct fields fields, size_t index)
{
    const struct field *param = &fields.items[index];
    for (size_t i = 0; i < index; i++) {
        if (text_equal(fields.items[i].name, param->name)) {
            /* Earlier ones agree with each other already. */
            return !text_equal(fields.items[i].value, param->value);
        }
    }
    return false;
}

/* Whether a decision hangs on the header: those that are read for more than show. */
static bool is_decisive(struct text name)
{
    static const struct text headers[] = {
        TEXT_INIT("HTTP_HOST"),
        TEXT_INIT("HTTP_ORIGIN"),
        TEXT_INIT("HTTP_CONTENT_ENCODING"),
        TEXT_INIT("HTTP_SEC_FETCH_SITE"),
        TEXT_INIT("HTTP_SEC_FETCH_MODE"),
        TEXT_INIT("HTTP_SEC_FETCH_DEST"),
        TEXT_INIT("HTTP_X_FORWARDED_FOR"),
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (text_equal(name, headers[i])) {
            return true;
        }
    }
    return false;
}

/* A tab is the one control character that a header may have (RFC 9110 §5.5). */
static bool has_header_control(struct text value)
{
    while (value.len > 0) {
        if (text_has_control(text_cut(&value, '\t'))) {
            return true;
        }
    }
    return false;
}

static void judge_header(struct params *params, size_t index)
{
    const struct field *header = &params->fields.items[index];
    /* Hardly any has a control character at all, NUL among them. */
    if (text_has_control(header->value)) {
        if (text_has_byte(header->value, '\0')) {
            object(params, PARAMS_BROKEN, "NUL in a parameter's value");
        } else if (has_header_control(header->value)) {
            object(params, PARAMS_REFUSED, "a control character in a header");
        }
    }
    if (is_decisive(header->name) && is_contradicted(params->fields, index)) {
        object(params, PARAMS_REFUSED, "a header came twice with different values");
    }
}

/* One of the web server; or it is the environment of a CGI program, where values are anybody's
 * lines. */
static void judge_other(struct params *params, size_t index)
{
    if (text_has_byte(params->fields.items[index].value, '\0')) {
        object(params, PARAMS_BROKEN, "NUL in a parameter's value");
    }
    if (is_contradicted(params->fields, index)) {
        object(params, PARAMS_BROKEN, "a parameter given twice with different values");
    }
}

static void judge_one(struct params *params, size_t index)
{
    struct text name = params->fields.items[index].name;
    if (name.len == 0) {
        object(params, PARAMS_BROKEN, "a parameter without a name");
    }
    if (text_has_control(name) || text_has_byte(name, '=')) {
        object(params, PARAMS_BROKEN, "a control character or '=' in a parameter's name");
    }
    if (text_has_prefix(name, TEXT("HTTP_"))) {
        judge_header(params, index);
    } else {
        judge_other(params, index);
    }
}

struct params params_judge(struct fields fields)
{
    struct params params = {fields, PARAMS_SOUND, ""};
    size_t bytes = 0;
    for (size_t i = 0; i < fields.count && params.verdict != PARAMS_BROKEN; i++) {
        bytes += fields.items[i].name.len + fields.items[i].value.len;
        judge_one(&params, i);
    }
    if (fields.count > PARAMS_MAX) {
        object(&params, PARAMS_REFUSED, "too many parameters");
    }
    if (bytes > PARAMS_MAX_BYTES) {
        object(&params, PARAMS_REFUSED, "the parameters are too large");
    }
    return params;
}
