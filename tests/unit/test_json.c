#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

#define CONTENT_MAX 200

static void an_object_holds_its_members_in_order(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, CONTENT_MAX);
    struct json json = json_open(&out);
    json_add_text(&json, "user", TEXT("al\"ice\n"));
    json_add_number(&json, "expires", INT64_MIN);
    json_add_bool(&json, "locked", true);
    json_add_bool(&json, "remember", false);
    json_add_words(&json, "groups", TEXT("a\\b,staff"));
    json_close(&json);
    assert_string_equal(out.data, "{\"user\":\"al\\\"ice\\n\",\"expires\":-9223372036854775808,"
                                  "\"locked\":true,\"remember\":false,"
                                  "\"groups\":[\"a\\\\b\",\"staff\"]}");
    buffer_clear(&out);
}

static void nothing_is_an_empty_object_an_empty_string_and_an_empty_array(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, CONTENT_MAX);
    struct json json = json_open(&out);
    json_close(&json);
    json = json_open(&out);
    json_add_text(&json, "name", (struct text){0});
    json_add_words(&json, "groups", (struct text){0});
    json_close(&json);
    assert_string_equal(out.data, "{}{\"name\":\"\",\"groups\":[]}");
    buffer_clear(&out);
}

static void an_object_that_does_not_fit_fails(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 10);
    struct json json = json_open(&out);
    json_add_text(&json, "user", TEXT("alice"));
    json_close(&json);
    assert_true(out.failed);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_holds_its_members_in_order),
        cmocka_unit_test(nothing_is_an_empty_object_an_empty_string_and_an_empty_array),
        cmocka_unit_test(an_object_that_does_not_fit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
