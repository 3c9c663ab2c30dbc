/* The csrf value of a token; with rotated and revoked secrets it is tested in test_token.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base64url.h"
#include "crypto/token.h"
#include "scratch.h"
#include "tables.h"

static struct keyring *keyring;

static int open_keyring(void **state)
{
    (void)state;
    const char *path = scratch_path("secret");
    return keyring_create(path) == OK && keyring_rotate(path) == OK &&
                   keyring_open(path, KEYS_ALL, &keyring) == OK
               ? 0
               : -1;
}

static int close_keyring(void **state)
{
    (void)state;
    keyring_free(&keyring);
    return 0;
}

static struct token make_token(enum token_kind kind)
{
    struct token token;
    assert_int_equal(token_new(kind, INT64_C(1764000000), &token), OK);
    return token;
}

static void a_csrf_value_is_good_for_its_own_token_only(void **state)
{
    (void)state;
    struct token token = make_token(TOKEN_STORED);
    struct token stranger = make_token(TOKEN_STORED);
    struct token other_kind = token;
    other_kind.kind = TOKEN_ANONYMOUS;
    char csrf[CSRF_TEXT_LEN + 1];
    assert_int_equal(token_csrf_encode(keyring, &token, csrf), OK);
    assert_int_equal(text_of(csrf).len, CSRF_TEXT_LEN);
    assert_true(token_csrf_check(keyring, &token, text_of(csrf)) == ALLOW);
    assert_false(token_csrf_check(keyring, &stranger, text_of(csrf)) == ALLOW);
    assert_false(token_csrf_check(keyring, &other_kind, text_of(csrf)) == ALLOW);
}

static void forms_stay_good_over_renewal_and_exchange_of_a_sessions_token(void **state)
{
    (void)state;
    static const enum token_kind kinds[] = {TOKEN_STORED, TOKEN_CACHED, TOKEN_SEALED};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct token token = make_token(kinds[i]);
        char csrf[CSRF_TEXT_LEN + 1];
        assert_int_equal(token_csrf_encode(keyring, &token, csrf), OK);
        token.issued_s += 1000;
        for (size_t j = 0; j < COUNT(kinds); j++) {
            token.kind = kinds[j];
            assert_true(token_csrf_check(keyring, &token, text_of(csrf)) == ALLOW);
        }
        token.kind = TOKEN_ANONYMOUS;
        assert_false(token_csrf_check(keyring, &token, text_of(csrf)) == ALLOW);
    }
}

static void a_token_of_no_kind_has_no_csrf_value(void **state)
{
    (void)state;
    static const int kinds[] = {TOKEN_NONE, TOKEN_DEVICE, 'x', 'A'};
    struct token token = make_token(TOKEN_STORED);
    char csrf[CSRF_TEXT_LEN + 1];
    assert_int_equal(token_csrf_encode(keyring, &token, csrf), OK);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char none[CSRF_TEXT_LEN + 1] = "untouched";
        token.kind = (enum token_kind)kinds[i];
        assert_int_equal(token_csrf_encode(keyring, &token, none), ERR_INPUT);
        assert_string_equal(none, "untouched");
        assert_false(token_csrf_check(keyring, &token, text_of(csrf)) == ALLOW);
    }
}

static void a_csrf_value_that_was_changed_is_refused(void **state)
{
    (void)state;
    struct token token = make_token(TOKEN_ANONYMOUS);
    char csrf[CSRF_TEXT_LEN + 2];
    assert_int_equal(token_csrf_encode(keyring, &token, csrf), OK);
    for (size_t at = 0; at < CSRF_TEXT_LEN; at++) {
        char kept = csrf[at];
        for (int c = 0; c < 256; c++) {
            csrf[at] = (char)c;
            bool good =
                token_csrf_check(keyring, &token, (struct text){csrf, CSRF_TEXT_LEN}) == ALLOW;
            assert_int_equal(good, csrf[at] == kept);
        }
        csrf[at] = kept;
    }
    for (size_t len = 0; len < CSRF_TEXT_LEN; len++) {
        assert_false(token_csrf_check(keyring, &token, (struct text){csrf, len}) == ALLOW);
    }
    csrf[CSRF_TEXT_LEN] = '=';
    assert_false(token_csrf_check(keyring, &token, (struct text){csrf, CSRF_TEXT_LEN + 1}) ==
                 ALLOW);
    assert_false(token_csrf_check(keyring, &token, (struct text){NULL, 0}) == ALLOW);
}

/* The id, its digest and the token's tag are of the same length as a csrf value. */
static void nothing_else_of_a_token_is_a_csrf_value(void **state)
{
    (void)state;
    struct token token = make_token(TOKEN_STORED);
    char text[TOKEN_TEXT_MAX + 1];
    uint8_t bytes[78];
    uint8_t digest[TOKEN_DIGEST_BYTES];
    assert_int_equal(token_encode(keyring, &token, text), OK);
    assert_int_equal(base64url_decode(text_of(text), bytes, sizeof bytes), OK);
    token_digest(&token, digest);
    const uint8_t *const parts[] = {token.id, digest, bytes + sizeof bytes - 32};
    for (size_t i = 0; i < COUNT(parts); i++) {
        char csrf[CSRF_TEXT_LEN + 1];
        base64url_encode(parts[i], 32, csrf);
        assert_false(token_csrf_check(keyring, &token, text_of(csrf)) == ALLOW);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_csrf_value_is_good_for_its_own_token_only),
        cmocka_unit_test(forms_stay_good_over_renewal_and_exchange_of_a_sessions_token),
        cmocka_unit_test(a_token_of_no_kind_has_no_csrf_value),
        cmocka_unit_test(a_csrf_value_that_was_changed_is_refused),
        cmocka_unit_test(nothing_else_of_a_token_is_a_csrf_value),
    };
    return cmocka_run_group_tests(tests, open_keyring, close_keyring);
}
