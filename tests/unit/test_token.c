#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/token.h"
#include "hex.h"
#include "scratch.h"
#include "tables.h"

/* Plain tokens; sealed ones are in test_token_sealed.c. As drawn in token.h; the test does not ask
 * the code where its fields are. */
enum {
    AT_VERSION = 0,
    AT_KIND = 1,
    AT_KEY_ID = 2,
    AT_ISSUED = 6,
    AT_ID = 14,
    AT_TAG = 46,
    TOKEN_BYTES = 78,
};

#define NOW   INT64_C(1764000000)
#define OLDER 0x0000000cu
#define NEWER 0xfedcba98u

/* 32 times the byte 0x11 under OLDER, 32 times 0x22 under NEWER, which is the current one. */
#define OLDER_LINE "0000000c ERERERERERERERERERERERERERERERERERERERERERE\n"
#define NEWER_LINE "fedcba98 IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI\n"

static struct keyring *keyring;

static struct keyring *open_ring(const char *content)
{
    struct keyring *opened = NULL;
    assert_int_equal(keyring_open(scratch_write("secret", content), KEYS_ALL, &opened), OK);
    return opened;
}

static int open_keyring(void **state)
{
    (void)state;
    keyring = open_ring(NEWER_LINE OLDER_LINE);
    return 0;
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
    assert_int_equal(token_new(kind, NOW, &token), OK);
    return token;
}

/* The text of a fresh stored session's token. */
static void make_text(char out[TOKEN_TEXT_MAX + 1])
{
    struct token token = make_token(TOKEN_STORED);
    assert_int_equal(token_encode(keyring, &token, out), OK);
}

static void make_bytes(uint8_t out[TOKEN_BYTES])
{
    char text[TOKEN_TEXT_MAX + 1];
    make_text(text);
    assert_int_equal(base64url_decode(text_of(text), out, TOKEN_BYTES), OK);
}

static enum status decode_with(const struct keyring *ring, struct text text)
{
    struct token token;
    struct token untouched;
    memset(&token, 0x5a, sizeof token);
    memset(&untouched, 0x5a, sizeof untouched);
    enum status status = token_decode(ring, text, &token);
    if (status != OK) {
        assert_memory_equal(&token, &untouched, sizeof token);
    }
    return status;
}

static enum status decode(struct text text)
{
    return decode_with(keyring, text);
}

static enum status decode_bytes(const uint8_t bytes[TOKEN_BYTES])
{
    char text[TOKEN_TEXT_MAX + 1];
    base64url_encode(bytes, TOKEN_BYTES, text);
    return decode(text_of(text));
}

/* Puts the tag on that the key of the purpose makes, as only we can. */
static void tag_with(uint8_t bytes[TOKEN_BYTES], uint32_t key_id, enum key_purpose purpose)
{
    const uint8_t *key = keyring_get_key(keyring, key_id, purpose);
    assert_non_null(key);
    mac_sha256((struct text){(const char *)key, KEY_BYTES},
               (struct text){(const char *)bytes, AT_TAG}, bytes + AT_TAG);
}

static void a_token_reads_back_as_it_was_written(void **state)
{
    (void)state;
    static const enum token_kind kinds[] = {TOKEN_ANONYMOUS, TOKEN_STORED, TOKEN_CACHED};
    static const int64_t times[] = {0, 1, NOW, INT64_C(0x0102030405060708), INT64_MAX};
    for (size_t i = 0; i < COUNT(kinds) * COUNT(times); i++) {
        struct token token;
        struct token again;
        char text[TOKEN_TEXT_MAX + 1];
        assert_int_equal(token_new(kinds[i % 3], times[i / 3], &token), OK);
        assert_int_equal(token_encode(keyring, &token, text), OK);
        assert_int_equal(text_of(text).len, TOKEN_TEXT_LEN);
        assert_int_equal(token_decode(keyring, text_of(text), &again), OK);
        assert_int_equal(again.kind, kinds[i % 3]);
        assert_true(again.issued_s == times[i / 3]);
        assert_int_equal(again.body_len, 0);
        assert_memory_equal(again.id, token.id, TOKEN_ID_BYTES);
    }
}

/* Computed with Python's hmac and base64 from the drawing in token.h. */
static void a_token_is_written_as_it_is_drawn(void **state)
{
    (void)state;
    struct token token = {.kind = TOKEN_STORED, .issued_s = NOW};
    for (size_t i = 0; i < TOKEN_ID_BYTES; i++) {
        token.id[i] = (uint8_t)i;
    }
    char text[TOKEN_TEXT_MAX + 1];
    assert_int_equal(token_encode(keyring, &token, text), OK);
    assert_string_equal(text, "AXP-3LqYAAAAAGkkgQAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
                              "GRobHB0eH1wp0usydY5zLZS6QwUyFbChJrmAoizlPdi75xy5jkvS");
    char csrf[CSRF_TEXT_LEN + 1];
    assert_int_equal(token_csrf_encode(keyring, &token, csrf), OK);
    assert_string_equal(csrf, "KDLsMB_RGyerXM5ZlWCiiy8mWrluETQn3CpZ5w7OutA");
}

static void the_digest_is_the_sha_256_of_the_id(void **state)
{
    (void)state;
    struct token token = make_token(TOKEN_STORED);
    uint8_t wanted[DIGEST_BYTES];
    uint8_t digest[TOKEN_DIGEST_BYTES];
    digest_sha256((struct text){(const char *)token.id, TOKEN_ID_BYTES}, wanted);
    token_digest(&token, digest);
    assert_memory_equal(digest, wanted, sizeof wanted);
}

static void ids_of_new_tokens_do_not_repeat(void **state)
{
    (void)state;
    static struct token tokens[200];
    for (size_t i = 0; i < COUNT(tokens); i++) {
        tokens[i] = make_token(TOKEN_ANONYMOUS);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(tokens[i].id, tokens[j].id, TOKEN_ID_BYTES);
            assert_memory_not_equal(tokens[i].id, tokens[j].id, 8);
        }
    }
}

static void every_flip_of_one_bit_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1u << bit % 8));
        assert_int_equal(decode_bytes(bytes), ERR_INPUT);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1u << bit % 8));
    }
    assert_int_equal(decode_bytes(bytes), OK);
}

static void every_other_character_in_every_place_is_refused(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_MAX + 1];
    make_text(text);
    for (size_t at = 0; at < TOKEN_TEXT_LEN; at++) {
        char kept = text[at];
        for (int c = 0; c < 256; c++) {
            text[at] = (char)c;
            enum status wanted = text[at] == kept ? OK : ERR_INPUT;
            assert_int_equal(decode((struct text){text, TOKEN_TEXT_LEN}), wanted);
        }
        text[at] = kept;
    }
}

static void every_cut_at_either_end_is_refused(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_MAX + 1];
    make_text(text);
    for (size_t len = 0; len < TOKEN_TEXT_LEN; len++) {
        assert_int_equal(decode((struct text){text, len}), ERR_INPUT);
        assert_int_equal(decode((struct text){text + TOKEN_TEXT_LEN - len, len}), ERR_INPUT);
    }
    assert_int_equal(decode((struct text){NULL, 0}), ERR_INPUT);
}

static void every_extension_by_one_byte_is_refused(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_MAX + 1];
    char longer[TOKEN_TEXT_LEN + 1];
    make_text(text);
    for (int c = 0; c < 256; c++) {
        memcpy(longer, text, TOKEN_TEXT_LEN);
        longer[TOKEN_TEXT_LEN] = (char)c;
        assert_int_equal(decode((struct text){longer, sizeof longer}), ERR_INPUT);
        memcpy(longer + 1, text, TOKEN_TEXT_LEN);
        longer[0] = (char)c;
        assert_int_equal(decode((struct text){longer, sizeof longer}), ERR_INPUT);
    }
}

/* A token whose text has both of the characters in which the alphabets differ. */
static void make_text_with_specials(char out[TOKEN_TEXT_MAX + 1])
{
    do {
        make_text(out);
    } while (strchr(out, '-') == NULL || strchr(out, '_') == NULL);
}

static void replace_all(char *text, char old, char new)
{
    for (char *at = strchr(text, old); at != NULL; at = strchr(at, old)) {
        *at = new;
    }
}

static void other_spellings_of_the_same_bytes_are_refused(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_MAX + 1];
    char other[2 * TOKEN_TEXT_MAX + 16];
    make_text_with_specials(text);
    static const char *const around[][2] = {
        {"", "="},  {"", "=="},   {"", "===="}, {"", " "},   {" ", ""},   {"\t", ""},
        {"", "\n"}, {"", "\r\n"}, {"\"", "\""}, {"", "%3D"}, {"", "%00"}, {"", "."},
    };
    for (size_t i = 0; i < COUNT(around); i++) {
        (void)snprintf(other, sizeof other, "%s%s%s", around[i][0], text, around[i][1]);
        assert_int_equal(decode(text_of(other)), ERR_INPUT);
    }
    for (size_t at = 1; at < TOKEN_TEXT_LEN; at++) {
        (void)snprintf(other, sizeof other, "%.*s %s", (int)at, text, text + at);
        assert_int_equal(decode(text_of(other)), ERR_INPUT);
    }
    static const char pairs[][2] = {{'-', '+'}, {'_', '/'}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        memcpy(other, text, TOKEN_TEXT_LEN + 1);
        replace_all(other, pairs[i][0], pairs[i][1]);
        assert_int_equal(decode(text_of(other)), ERR_INPUT);
    }
    assert_int_equal(decode(text_of(text)), OK);
}

static void what_is_no_token_at_all_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "____________________________________________________"
        "____________________________________________________",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZG1pbiIsImlhdCI6MX0."
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "deleted",
        "null",
        "1",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(decode(text_of(texts[i])), ERR_INPUT);
    }
}

static void of_all_versions_only_the_first_is_good(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    for (unsigned version = 0; version < 256; version++) {
        bytes[AT_VERSION] = (uint8_t)version;
        tag_with(bytes, NEWER, KEY_TOKEN);
        assert_int_equal(decode_bytes(bytes), version == 1 ? OK : ERR_INPUT);
    }
}

static void of_all_kinds_only_the_four_are_good(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    for (unsigned kind = 0; kind < 256; kind++) {
        bytes[AT_KIND] = (uint8_t)kind;
        tag_with(bytes, NEWER, KEY_TOKEN);
        bool good = kind == 'a' || kind == 's' || kind == 'c' || kind == 'd';
        assert_int_equal(decode_bytes(bytes), good ? OK : ERR_INPUT);
    }
}

/* The kind is under the tag: an anonymous token cannot be made a session, nor a session one that is
 * looked for elsewhere. */
static void the_kind_cannot_be_changed_without_the_key(void **state)
{
    (void)state;
    static const char kinds[] = {'a', 's', 'c', 'd', 'e'};
    for (size_t i = 0; i < COUNT(kinds) - 1; i++) {
        struct token token = make_token((enum token_kind)kinds[i]);
        char text[TOKEN_TEXT_MAX + 1];
        uint8_t bytes[TOKEN_BYTES];
        assert_int_equal(token_encode(keyring, &token, text), OK);
        assert_int_equal(base64url_decode(text_of(text), bytes, sizeof bytes), OK);
        assert_int_equal(bytes[AT_KIND], kinds[i]);
        for (size_t j = 0; j < COUNT(kinds); j++) {
            bytes[AT_KIND] = (uint8_t)kinds[j];
            assert_int_equal(decode_bytes(bytes), i == j ? OK : ERR_INPUT);
        }
    }
}

static void put_key_id(uint8_t bytes[TOKEN_BYTES], uint32_t id)
{
    for (size_t i = 0; i < 4; i++) {
        bytes[AT_KEY_ID + i] = (uint8_t)(id >> (24 - 8 * i));
    }
}

static void an_unknown_key_id_is_refused_and_no_other_key_tried(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    put_key_id(bytes, OLDER);
    tag_with(bytes, OLDER, KEY_TOKEN);
    assert_int_equal(decode_bytes(bytes), OK);
    tag_with(bytes, NEWER, KEY_TOKEN);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
    static const uint32_t unknown[] = {0,          1,          0x0c000000, 0x98badcfe,
                                       0xffffffff, 0x0000000d, 0x0000000b, 0xfedcba99};
    for (size_t i = 0; i < COUNT(unknown); i++) {
        put_key_id(bytes, unknown[i]);
        tag_with(bytes, NEWER, KEY_TOKEN);
        assert_int_equal(decode_bytes(bytes), ERR_INPUT);
        tag_with(bytes, OLDER, KEY_TOKEN);
        assert_int_equal(decode_bytes(bytes), ERR_INPUT);
    }
    for (unsigned low = 0; low < 256; low++) {
        put_key_id(bytes, low);
        tag_with(bytes, OLDER, KEY_TOKEN);
        assert_int_equal(decode_bytes(bytes), low == OLDER ? OK : ERR_INPUT);
    }
}

static void the_key_of_another_purpose_makes_no_token(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        tag_with(bytes, NEWER, (enum key_purpose)i);
        assert_int_equal(decode_bytes(bytes), i == KEY_TOKEN ? OK : ERR_INPUT);
    }
}

static void tags_of_nothing_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    memset(bytes + AT_TAG, 0, MAC_BYTES);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
    memset(bytes + AT_TAG, 0xff, MAC_BYTES);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
    struct text signed_part = {(const char *)bytes, AT_TAG};
    digest_sha256(signed_part, bytes + AT_TAG);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
    mac_sha256(TEXT(""), signed_part, bytes + AT_TAG);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
}

static void tokens_spliced_of_two_are_refused(void **state)
{
    (void)state;
    static const size_t cuts[] = {AT_KIND, AT_KEY_ID, AT_ISSUED, AT_ID, AT_TAG, TOKEN_BYTES};
    struct token later = make_token(TOKEN_ANONYMOUS);
    later.issued_s += 1;
    char text[TOKEN_TEXT_MAX + 1];
    uint8_t one[TOKEN_BYTES];
    uint8_t two[TOKEN_BYTES];
    make_bytes(one);
    assert_int_equal(token_encode(keyring, &later, text), OK);
    assert_int_equal(base64url_decode(text_of(text), two, sizeof two), OK);
    /* Each field from either token, in all 64 ways: good are those that are not mixed, which may
     * have version and key id from either, as these are the same in both. */
    for (unsigned choice = 0; choice < 64; choice++) {
        uint8_t mixed[TOKEN_BYTES];
        size_t from = 0;
        for (size_t field = 0; field < COUNT(cuts); field++) {
            memcpy(mixed + from, ((choice >> field & 1) != 0 ? two : one) + from,
                   cuts[field] - from);
            from = cuts[field];
        }
        bool whole = (choice & 0x3a) == 0 || (choice & 0x3a) == 0x3a;
        assert_int_equal(decode_bytes(mixed), whole ? OK : ERR_INPUT);
    }
}

static void a_time_beyond_the_largest_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[TOKEN_BYTES];
    make_bytes(bytes);
    bytes[AT_ISSUED] = 0x80;
    tag_with(bytes, NEWER, KEY_TOKEN);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
    memset(bytes + AT_ISSUED, 0xff, 8);
    tag_with(bytes, NEWER, KEY_TOKEN);
    assert_int_equal(decode_bytes(bytes), ERR_INPUT);
}

static void the_token_of_another_installation_is_refused(void **state)
{
    (void)state;
    struct keyring *other = open_ring("fedcba98 MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM\n");
    char text[TOKEN_TEXT_MAX + 1];
    make_text(text);
    assert_int_equal(decode_with(other, text_of(text)), ERR_INPUT);
    keyring_free(&other);
}

static void a_token_that_its_own_reader_would_refuse_is_not_written(void **state)
{
    (void)state;
    struct token bad[] = {make_token(TOKEN_NONE), make_token(TOKEN_STORED),
                          make_token(TOKEN_STORED), make_token((enum token_kind)'x')};
    bad[1].issued_s = -1;
    bad[2].body_len = 1; /* which would be lost */
    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[TOKEN_TEXT_MAX + 1] = "untouched";
        assert_int_equal(token_encode(keyring, &bad[i], text), ERR_CRYPTO);
        assert_string_equal(text, "untouched");
    }
}

static void a_rotated_secret_is_still_good_and_a_revoked_one_is_not(void **state)
{
    (void)state;
    const char *path = scratch_path("rotated");
    assert_int_equal(keyring_create(path), OK);
    struct keyring *ring = NULL;
    assert_int_equal(keyring_open(path, KEYS_ALL, &ring), OK);
    struct token token = make_token(TOKEN_STORED);
    char text[TOKEN_TEXT_MAX + 1];
    char renewed[TOKEN_TEXT_MAX + 1];
    char csrf[CSRF_TEXT_LEN + 1];
    char new_csrf[CSRF_TEXT_LEN + 1];
    assert_int_equal(token_encode(ring, &token, text), OK);
    assert_int_equal(token_csrf_encode(ring, &token, csrf), OK);

    assert_int_equal(keyring_rotate(path), OK);
    assert_int_equal(keyring_refresh(ring), OK);
    assert_int_equal(decode_with(ring, text_of(text)), OK);
    assert_true(token_csrf_check(ring, &token, text_of(csrf)) == ALLOW);
    assert_int_equal(token_encode(ring, &token, renewed), OK);
    assert_string_not_equal(renewed, text);
    assert_int_equal(token_csrf_encode(ring, &token, new_csrf), OK);
    assert_string_not_equal(new_csrf, csrf);
    assert_true(token_csrf_check(ring, &token, text_of(new_csrf)) == ALLOW);

    assert_int_equal(keyring_revoke(path), OK);
    assert_int_equal(keyring_refresh(ring), OK);
    assert_int_equal(decode_with(ring, text_of(text)), ERR_INPUT);
    assert_int_equal(decode_with(ring, text_of(renewed)), ERR_INPUT);
    assert_false(token_csrf_check(ring, &token, text_of(csrf)) == ALLOW);
    assert_false(token_csrf_check(ring, &token, text_of(new_csrf)) == ALLOW);
    keyring_free(&ring);
}

static void without_any_key_nothing_is_written_and_nothing_verifies(void **state)
{
    (void)state;
    struct keyring *ring = open_ring(NEWER_LINE OLDER_LINE);
    struct token token = make_token(TOKEN_STORED);
    char text[TOKEN_TEXT_MAX + 1];
    char csrf[CSRF_TEXT_LEN + 1];
    assert_int_equal(token_encode(ring, &token, text), OK);
    assert_int_equal(token_csrf_encode(ring, &token, csrf), OK);
    assert_int_equal(decode_with(ring, text_of(text)), OK);
    assert_int_equal(unlink(scratch_path("secret")), 0);
    assert_int_equal(keyring_refresh(ring), ERR_NOT_FOUND);
    assert_int_equal(decode_with(ring, text_of(text)), ERR_INPUT);
    assert_false(token_csrf_check(ring, &token, text_of(csrf)) == ALLOW);
    assert_int_equal(token_encode(ring, &token, text), ERR_NOT_FOUND);
    assert_int_equal(token_csrf_encode(ring, &token, csrf), ERR_NOT_FOUND);
    keyring_free(&ring);
}

static void random_changes_are_refused(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_MAX + 1];
    make_text(text);
    for (size_t round = 0; round < 20000; round++) {
        char changed[TOKEN_TEXT_LEN + 1];
        uint8_t dice[8];
        memcpy(changed, text, sizeof changed);
        assert_int_equal(random_fill(dice, sizeof dice), OK);
        for (size_t i = 0; i + 1 < sizeof dice; i += 2) {
            changed[dice[i] % TOKEN_TEXT_LEN] = text[dice[i + 1] % TOKEN_TEXT_LEN];
        }
        bool same = memcmp(changed, text, TOKEN_TEXT_LEN) == 0;
        assert_int_equal(decode((struct text){changed, TOKEN_TEXT_LEN}), same ? OK : ERR_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_reads_back_as_it_was_written),
        cmocka_unit_test(a_token_is_written_as_it_is_drawn),
        cmocka_unit_test(the_digest_is_the_sha_256_of_the_id),
        cmocka_unit_test(ids_of_new_tokens_do_not_repeat),
        cmocka_unit_test(every_flip_of_one_bit_is_refused),
        cmocka_unit_test(every_other_character_in_every_place_is_refused),
        cmocka_unit_test(every_cut_at_either_end_is_refused),
        cmocka_unit_test(every_extension_by_one_byte_is_refused),
        cmocka_unit_test(other_spellings_of_the_same_bytes_are_refused),
        cmocka_unit_test(what_is_no_token_at_all_is_refused),
        cmocka_unit_test(of_all_versions_only_the_first_is_good),
        cmocka_unit_test(of_all_kinds_only_the_four_are_good),
        cmocka_unit_test(the_kind_cannot_be_changed_without_the_key),
        cmocka_unit_test(an_unknown_key_id_is_refused_and_no_other_key_tried),
        cmocka_unit_test(the_key_of_another_purpose_makes_no_token),
        cmocka_unit_test(tags_of_nothing_are_refused),
        cmocka_unit_test(tokens_spliced_of_two_are_refused),
        cmocka_unit_test(a_time_beyond_the_largest_is_refused),
        cmocka_unit_test(the_token_of_another_installation_is_refused),
        cmocka_unit_test(a_token_that_its_own_reader_would_refuse_is_not_written),
        cmocka_unit_test(a_rotated_secret_is_still_good_and_a_revoked_one_is_not),
        cmocka_unit_test(without_any_key_nothing_is_written_and_nothing_verifies),
        cmocka_unit_test(random_changes_are_refused),
    };
    return cmocka_run_group_tests(tests, open_keyring, close_keyring);
}
