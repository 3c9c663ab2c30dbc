/* The judge of FastCGI records: what passes, what waits, and all that must never pass. */
#include "http/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bad_requests.h"
#include "fastcgi_client.h"

static struct screen_room room;

static enum screen_verdict look(const struct buffer *records, struct screen *seen)
{
    /* An allocation of exactly this size, so that one byte too far is found. */
    char *exact = malloc(records->len > 0 ? records->len : 1);
    assert_non_null(exact);
    if (records->len > 0) {
        memcpy(exact, records->data, records->len);
    }
    enum screen_verdict verdict = screen_look((struct text){exact, records->len}, &room, seen);
    free(exact);
    return verdict;
}

static void a_whole_request_is_complete(void **state)
{
    static const struct {
        uint16_t sent;
        enum role role;
        const char *body;
    } cases[] = {{1, ROLE_RESPONDER, ""}, {1, ROLE_RESPONDER, "a=b&c=d"}, {2, ROLE_AUTHORIZER, ""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer records;
        struct screen seen;
        buffer_init(&records, RECORDS_MAX);
        request_add(&records, cases[i].sent, "/x?y", text_of(cases[i].body));
        assert_int_equal(look(&records, &seen), SCREEN_COMPLETE);
        assert_int_equal(seen.role, cases[i].role);
        assert_int_equal(seen.request_id, 1);
        assert_int_equal(seen.total_bytes, records.len);
        assert_int_equal(seen.body_bytes, strlen(cases[i].body));
        buffer_clear(&records);
    }
}

static void the_parameters_are_gathered_and_can_be_cut_into_pairs(void **state)
{
    struct buffer pairs, records;
    struct screen seen;
    struct field pair;
    char value[200];
    (void)state;
    memset(value, 'v', sizeof value);
    buffer_init(&pairs, RECORDS_MAX);
    buffer_init(&records, RECORDS_MAX);
    pair_add(&pairs, TEXT("A"), TEXT(""));
    pair_add(&pairs, TEXT("LONG"), (struct text){value, sizeof value});
    record_add_begin(&records, 1);
    stream_add(&records, RECORD_PARAMS, buffer_text(&pairs), 1);
    stream_add(&records, RECORD_STDIN, (struct text){0}, 1);
    assert_int_equal(look(&records, &seen), SCREEN_COMPLETE);
    struct text rest = {room.params, seen.params_bytes};
    assert_int_equal(screen_next_pair(&rest, &pair), OK);
    assert_true(text_is(pair.name, "A"));
    assert_int_equal(pair.value.len, 0);
    assert_int_equal(screen_next_pair(&rest, &pair), OK);
    assert_true(text_is(pair.name, "LONG"));
    assert_true(text_equal(pair.value, (struct text){value, sizeof value}));
    assert_int_equal(rest.len, 0);
    buffer_clear(&pairs);
    buffer_clear(&records);
}

static void every_prefix_of_a_good_request_is_incomplete(void **state)
{
    struct buffer records;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    request_add(&records, 1, "/x", TEXT("a=b"));
    size_t whole = records.len;
    for (records.len = 0; records.len < whole; records.len++) {
        struct screen seen;
        assert_int_equal(look(&records, &seen), SCREEN_INCOMPLETE);
    }
    records.len = whole;
    buffer_clear(&records);
}

static void bytes_may_come_split_anywhere(void **state)
{
    struct buffer records;
    struct screen seen;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    request_add(&records, 1, "/x", TEXT("a=b"));
    screen_init(&seen, room.params);
    for (size_t i = 0; i < records.len; i++) {
        bool last = i + 1 == records.len;
        assert_int_equal(screen_feed(&seen, (struct text){records.data + i, 1}),
                         last ? SCREEN_COMPLETE : SCREEN_INCOMPLETE);
    }
    buffer_clear(&records);
}

static void an_authorizer_is_complete_without_input(void **state)
{
    struct buffer records;
    struct screen seen;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    record_add_begin(&records, 2);
    stream_add(&records, RECORD_PARAMS, TEXT("\1\1Ab"), 100);
    size_t without = records.len;
    stream_add(&records, RECORD_STDIN, (struct text){0}, 1);
    size_t with = records.len;
    for (records.len = without; records.len < with; records.len++) {
        assert_int_equal(look(&records, &seen), SCREEN_COMPLETE);
    }
    assert_int_equal(look(&records, &seen), SCREEN_COMPLETE);
    record_add_plain(&records, RECORD_STDIN, (struct text){0});
    assert_int_equal(look(&records, &seen), SCREEN_MALFORMED);
    buffer_clear(&records);
}

static void what_the_peer_wants_of_the_connection_is_known(void **state)
{
    static const struct {
        uint16_t role;
        bool keep, without_input;
    } cases[] = {{1, false, false}, {1, true, false}, {2, true, false}, {2, true, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer records;
        struct screen seen;
        buffer_init(&records, RECORDS_MAX);
        request_add(&records, cases[i].role, "/", (struct text){0});
        if (cases[i].keep) {
            request_keep(&records);
        }
        records.len -= cases[i].without_input ? SCREEN_HEADER_BYTES : 0;
        assert_int_equal(look(&records, &seen), SCREEN_COMPLETE);
        assert_int_equal(seen.keep_conn, cases[i].keep);
        assert_int_equal(seen.input_ended, !cases[i].without_input);
        buffer_clear(&records);
    }
}

static void padding_belongs_to_its_record(void **state)
{
    struct buffer records;
    struct screen seen;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    record_add_begin(&records, 1);
    record_add(&records, (struct record){1, RECORD_PARAMS, 1, 255, TEXT("\1\1Ab")});
    record_add(&records, (struct record){1, RECORD_PARAMS, 1, 7, {0}});
    record_add(&records, (struct record){1, RECORD_STDIN, 1, 3, {0}});
    assert_int_equal(look(&records, &seen), SCREEN_COMPLETE);
    records.len--; /* the last byte of padding has not come */
    assert_int_equal(look(&records, &seen), SCREEN_INCOMPLETE);
    records.len++;
    buffer_clear(&records);
}

static void requests_that_are_not_whole_and_sound_are_malformed(void **state)
{
    struct buffer records;
    const char *what = NULL;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    for (size_t i = 0; bad_request_add(&records, i, &what); i++) {
        struct screen seen;
        if (look(&records, &seen) != SCREEN_MALFORMED || seen.reason == NULL) {
            fail_msg("%s: taken", what);
        }
        buffer_clear(&records);
    }
}

/* lighttpd puts the head of a request before what it could not send at its first try. */
static void a_request_that_begins_anew_is_refused_by_name(void **state)
{
    struct buffer records;
    struct screen seen;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    for (int i = 0; i < 2; i++) {
        record_add_begin(&records, 1);
        stream_add(&records, RECORD_PARAMS, TEXT("\1\1Ab"), 4);
    }
    stream_add(&records, RECORD_STDIN, (struct text){0}, 1);
    assert_int_equal(look(&records, &seen), SCREEN_MALFORMED);
    assert_non_null(strstr(seen.reason, "begins anew before its end"));
    buffer_clear(&records);
}

static enum screen_verdict look_at_params(struct text content, size_t piece)
{
    struct buffer records;
    struct screen seen;
    buffer_init(&records, RECORDS_MAX);
    record_add_begin(&records, 1);
    stream_add(&records, RECORD_PARAMS, content, piece);
    stream_add(&records, RECORD_STDIN, (struct text){0}, 1);
    enum screen_verdict verdict = look(&records, &seen);
    buffer_clear(&records);
    return verdict;
}

static void sound_parameters_pass_however_they_are_split(void **state)
{
    static const struct {
        const char *what;
        struct text content;
    } cases[] = {
        {"none at all", {"", 0}},
        {"a pair", {"\1\1Ab", 4}},
        {"an empty value", {"\1\0A", 3}},
        {"a long length for a short value", {"\1\x80\0\0\1Ab", 7}},
        {"'=' in a value", {"\1\3A===", 6}},
        {"the same twice", {"\1\1Ab\1\1Ab", 8}},
        {"two cookies", {"\13\1HTTP_COOKIEa\13\1HTTP_COOKIEb", 28}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 1; piece < 12; piece++) {
            if (look_at_params(cases[i].content, piece) != SCREEN_COMPLETE) {
                fail_msg("%s, in pieces of %zu", cases[i].what, piece);
            }
        }
    }
}

static void limits_are_exact(void **state)
{
    (void)state;
    for (size_t over = 0; over <= 1; over++) {
        struct buffer pairs, records;
        struct screen seen;
        enum screen_verdict expected = over > 0 ? SCREEN_TOO_LARGE : SCREEN_COMPLETE;
        static char bytes[PARAMS_MAX_BYTES];
        memset(bytes, 'x', sizeof bytes);
        buffer_init(&pairs, RECORDS_MAX);
        pair_add(&pairs, TEXT("A"), (struct text){bytes, sizeof bytes - 6 + over});
        assert_int_equal(look_at_params(buffer_text(&pairs), 20000), expected);
        buffer_clear(&pairs);

        buffer_init(&records, RECORDS_MAX);
        request_add(&records, 1, "/", (struct text){bytes, REQUEST_BODY_MAX_BYTES + over});
        assert_int_equal(look(&records, &seen), expected);
        buffer_clear(&records);

        buffer_init(&pairs, RECORDS_MAX);
        for (size_t i = 0; i < SCREEN_PARAMS_MAX + over; i++) {
            pair_add(&pairs, TEXT("HTTP_A"), TEXT("b"));
        }
        assert_int_equal(look_at_params(buffer_text(&pairs), 20000), expected);
        buffer_clear(&pairs);
    }
}

static void too_large_is_said_before_the_rest_came(void **state)
{
    struct buffer records;
    struct screen seen;
    static char bytes[40000];
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    request_add(&records, 1, "/", (struct text){bytes, sizeof bytes});
    records.len -= 30000;
    assert_int_equal(look(&records, &seen), SCREEN_TOO_LARGE);
    records.len += 30000;
    assert_int_equal(look(&records, &seen), SCREEN_TOO_LARGE);
    assert_true(seen.params_bytes > 0);
    buffer_clear(&records);
}

static void a_request_made_of_padding_is_too_large(void **state)
{
    struct buffer records;
    struct screen seen;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    record_add_begin(&records, 1);
    while (records.len < SCREEN_RAW_MAX_BYTES) {
        assert_int_equal(look(&records, &seen), SCREEN_INCOMPLETE);
        record_add(&records, (struct record){1, RECORD_PARAMS, 1, 255, TEXT("\1\1Ab")});
    }
    assert_int_equal(look(&records, &seen), SCREEN_TOO_LARGE);
    buffer_clear(&records);
}

static void too_large_does_not_excuse_bad_parameters(void **state)
{
    struct buffer records;
    struct screen seen;
    static char bytes[REQUEST_BODY_MAX_BYTES + 1];
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    record_add_begin(&records, 1);
    stream_add(&records, RECORD_PARAMS, TEXT("\3\1A=Bx"), 100);
    stream_add(&records, RECORD_STDIN, (struct text){bytes, sizeof bytes}, 30000);
    assert_int_equal(look(&records, &seen), SCREEN_MALFORMED);
    buffer_clear(&records);
}

static void too_many_do_not_excuse_bad_parameters(void **state)
{
    struct buffer pairs;
    (void)state;
    for (size_t bad = 0; bad <= 1; bad++) {
        buffer_init(&pairs, RECORDS_MAX);
        pair_add(&pairs, bad != 0 ? TEXT("A=B") : TEXT("HTTP_A"), TEXT("b"));
        for (size_t i = 0; i < SCREEN_PARAMS_MAX; i++) {
            pair_add(&pairs, TEXT("HTTP_A"), TEXT("b"));
        }
        assert_int_equal(look_at_params(buffer_text(&pairs), 20000),
                         bad != 0 ? SCREEN_MALFORMED : SCREEN_TOO_LARGE);
        buffer_clear(&pairs);
    }
}

static void no_flipped_byte_crashes_the_judge(void **state)
{
    struct buffer records;
    size_t refused = 0;
    (void)state;
    buffer_init(&records, RECORDS_MAX);
    request_add(&records, 1, "/x", TEXT("a=b"));
    for (size_t i = 0; i < records.len; i++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            struct screen seen;
            records.data[i] = (char)(records.data[i] ^ (int)flip);
            refused += look(&records, &seen) == SCREEN_MALFORMED;
            records.data[i] = (char)(records.data[i] ^ (int)flip);
        }
    }
    assert_true(refused > records.len); /* the flips do reach the headers */
    buffer_clear(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_request_is_complete),
        cmocka_unit_test(the_parameters_are_gathered_and_can_be_cut_into_pairs),
        cmocka_unit_test(every_prefix_of_a_good_request_is_incomplete),
        cmocka_unit_test(bytes_may_come_split_anywhere),
        cmocka_unit_test(an_authorizer_is_complete_without_input),
        cmocka_unit_test(what_the_peer_wants_of_the_connection_is_known),
        cmocka_unit_test(padding_belongs_to_its_record),
        cmocka_unit_test(requests_that_are_not_whole_and_sound_are_malformed),
        cmocka_unit_test(a_request_that_begins_anew_is_refused_by_name),
        cmocka_unit_test(sound_parameters_pass_however_they_are_split),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(too_large_is_said_before_the_rest_came),
        cmocka_unit_test(a_request_made_of_padding_is_too_large),
        cmocka_unit_test(too_large_does_not_excuse_bad_parameters),
        cmocka_unit_test(too_many_do_not_excuse_bad_parameters),
        cmocka_unit_test(no_flipped_byte_crashes_the_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
