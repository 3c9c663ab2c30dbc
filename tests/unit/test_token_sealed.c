/* Sealed tokens; what all kinds have in common is tested in test_token.c as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/mac.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "scratch.h"
#include "tables.h"

/* As drawn in token.h; the test does not ask the code where its fields are. */
enum {
    AT_VERSION = 0,
    AT_KIND = 1,
    AT_KEY_ID = 2,
    AT_RANDOM = 6,
    AT_ISSUED = 30,
    AT_BODY = 70,
    TAG_BYTES = 16,
    FRAME_BYTES = AT_BODY + TAG_BYTES,
    BYTES_MAX = 3000,
};

#define NOW   INT64_C(1764000000)
#define OLDER 0x0000000cu
#define NEWER 0xfedcba98u

/* 32 times the byte 0x11 under OLDER, 32 times 0x22 under NEWER, which is the current one. */
#define OLDER_LINE "0000000c ERERERERERERERERERERERERERERERERERERERERERE\n"
#define NEWER_LINE "fedcba98 IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI\n"

static struct keyring *keyring;

/* The bytes of a token. */
struct written {
    size_t len;
    uint8_t bytes[BYTES_MAX + 3];
};

static int open_keyring(void **state)
{
    (void)state;
    return keyring_open(scratch_write("secret", NEWER_LINE OLDER_LINE), KEYS_ALL, &keyring) == OK
               ? 0
               : -1;
}

static int close_keyring(void **state)
{
    (void)state;
    keyring_free(&keyring);
    return 0;
}

static struct token make_token(size_t body_len)
{
    struct token token = {0};
    assert_int_equal(token_new(TOKEN_SEALED, NOW, &token), OK);
    token.body_len = body_len;
    for (size_t i = 0; i < body_len; i++) {
        token.body[i] = (uint8_t)(i * 5);
    }
    return token;
}

static struct written write_token(const struct token *token)
{
    char text[TOKEN_TEXT_MAX + 1];
    struct written written = {.len = FRAME_BYTES + token->body_len};
    assert_int_equal(token_encode(keyring, token, text), OK);
    assert_int_equal(base64url_decode(text_of(text), written.bytes, written.len), OK);
    return written;
}

static struct written make_written(size_t body_len)
{
    struct token token = make_token(body_len);
    return write_token(&token);
}

/* Reads a token; one that is refused must leave nothing. */
static enum status decode(struct text text, struct token *out)
{
    struct token untouched;
    memset(out, 0x5a, sizeof *out);
    memset(&untouched, 0x5a, sizeof untouched);
    enum status status = token_decode(keyring, text, out);
    if (status != OK) {
        assert_memory_equal(out, &untouched, sizeof untouched);
    }
    return status;
}

static enum status decode_text(struct text text)
{
    struct token token;
    return decode(text, &token);
}

static enum status decode_written(const struct written *written)
{
    char text[BASE64URL_LEN(sizeof written->bytes) + 1];
    base64url_encode(written->bytes, written->len, text);
    return decode_text(text_of(text));
}

static void assert_same_token(const struct token *a, const struct token *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(a->issued_s == b->issued_s);
    assert_memory_equal(a->id, b->id, TOKEN_ID_BYTES);
    assert_int_equal(a->body_len, b->body_len);
    assert_memory_equal(a->body, b->body, b->body_len);
}

/* Seals the fields and the body anew under the header as it is now, with the key of a purpose, as
 * only we can. */
static void seal_with(struct written *written, const uint8_t *fields, uint32_t key_id,
                      enum key_purpose purpose)
{
    uint8_t material[SEAL_KEY_BYTES + SEAL_NONCE_BYTES];
    const uint8_t *key = keyring_get_key(keyring, key_id, purpose);
    assert_non_null(key);
    const struct mac_source source = {{(const char *)key, KEY_BYTES},
                                      {(const char *)written->bytes + AT_RANDOM, 24},
                                      TEXT("latchkey 1 sealed token")};
    assert_int_equal(mac_derive(&source, material, sizeof material), OK);
    const struct seal seal = {
        material, material + SEAL_KEY_BYTES, {(const char *)written->bytes, AT_ISSUED}};
    const struct text text = {(const char *)fields, written->len - TAG_BYTES - AT_ISSUED};
    seal_close(&seal, text, written->bytes + AT_ISSUED);
}

/* Computed with the crypto module of Node.js from the drawing in token.h. */
static void a_token_is_read_as_it_is_drawn(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *text;
    } cases[] = {
        {"", "AWX-3LqYQEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXazs1UI30oHM09SOK6CIQ3h8utyhu4Bcfg1ZAlXaR5mc-"
             "583De91AwwBQrF4qHl2ip-dL8n49kqs"},
        {"a body of 21 bytes...",
         "AWX-3LqYQEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXazs1UI30oHM09SOK6CIQ3h8utyhu4Bcfg1ZAlXaR5mc-"
         "583De91AwxHjikrYH44g14_Zm7HkoxMhgc-Dd8vi-iKMkuzAd0atq9YB9VY"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token token;
        struct text body = text_of(cases[i].body);
        assert_int_equal(decode(text_of(cases[i].text), &token), OK);
        assert_int_equal(token.kind, TOKEN_SEALED);
        assert_true(token.issued_s == NOW);
        for (size_t j = 0; j < TOKEN_ID_BYTES; j++) {
            assert_int_equal(token.id[j], j);
        }
        assert_int_equal(token.body_len, body.len);
        assert_memory_equal(token.body, body.data, body.len);
    }
}

static void a_token_reads_back_as_it_was_written(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 3, 150, 1000, TOKEN_BODY_MAX - 1, TOKEN_BODY_MAX};
    static const int64_t times[] = {0, 1, NOW, INT64_MAX};
    for (size_t i = 0; i < COUNT(lengths) * COUNT(times); i++) {
        struct token token = make_token(lengths[i / COUNT(times)]);
        struct token again;
        char text[TOKEN_TEXT_MAX + 1];
        token.issued_s = times[i % COUNT(times)];
        assert_int_equal(token_encode(keyring, &token, text), OK);
        assert_int_equal(text_of(text).len, TOKEN_SEALED_TEXT_LEN(token.body_len));
        assert_int_equal(decode(text_of(text), &again), OK);
        assert_same_token(&again, &token);
    }
}

static void a_body_over_the_maximum_is_refused(void **state)
{
    (void)state;
    static const size_t lengths[] = {TOKEN_BODY_MAX + 1, TOKEN_BODY_MAX + 2, SIZE_MAX};
    assert_int_equal(TOKEN_BODY_MAX, 2914);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char text[TOKEN_TEXT_MAX + 1] = "untouched";
        struct token token = make_token(0);
        token.body_len = lengths[i];
        assert_int_equal(token_encode(keyring, &token, text), ERR_TOO_LARGE);
        assert_string_equal(text, "untouched");
    }
    /* One byte more, sealed as only we can, is not read either. */
    uint8_t fields[BYTES_MAX] = {0};
    struct written written = make_written(TOKEN_BODY_MAX);
    seal_with(&written, fields, NEWER, KEY_SEAL);
    assert_int_equal(decode_written(&written), OK);
    written.len++;
    seal_with(&written, fields, NEWER, KEY_SEAL);
    assert_int_equal(decode_written(&written), ERR_INPUT);
}

static void every_flip_of_one_bit_is_refused(void **state)
{
    (void)state;
    for (size_t body_len = 0; body_len < 150; body_len += 49) {
        struct written written = make_written(body_len);
        for (size_t bit = 0; bit < 8 * written.len; bit++) {
            written.bytes[bit / 8] = (uint8_t)(written.bytes[bit / 8] ^ (1u << bit % 8));
            assert_int_equal(decode_written(&written), ERR_INPUT);
            written.bytes[bit / 8] = (uint8_t)(written.bytes[bit / 8] ^ (1u << bit % 8));
        }
        assert_int_equal(decode_written(&written), OK);
    }
}

/* Among the bodies are those that leave no bit, two and four bits over in the last character. */
static void every_other_character_in_every_place_is_refused(void **state)
{
    (void)state;
    for (size_t body_len = 1; body_len < 4; body_len++) {
        struct token token = make_token(body_len);
        char text[TOKEN_TEXT_MAX + 1];
        assert_int_equal(token_encode(keyring, &token, text), OK);
        size_t len = text_of(text).len;
        for (size_t at = 0; at < len; at++) {
            char kept = text[at];
            for (int c = 0; c < 256; c++) {
                text[at] = (char)c;
                assert_int_equal(decode_text((struct text){text, len}),
                                 text[at] == kept ? OK : ERR_INPUT);
            }
            text[at] = kept;
        }
    }
}

static void every_cut_and_every_addition_is_refused(void **state)
{
    (void)state;
    struct token token = make_token(150);
    char text[TOKEN_TEXT_MAX + 1];
    char longer[TOKEN_TEXT_MAX + 5];
    assert_int_equal(token_encode(keyring, &token, text), OK);
    size_t len = text_of(text).len;
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(decode_text((struct text){text, cut}), ERR_INPUT);
        assert_int_equal(decode_text((struct text){text + len - cut, cut}), ERR_INPUT);
    }
    for (int c = 0; c < 256; c++) {
        for (size_t more = 1; more <= 4; more++) {
            memcpy(longer, text, len);
            memset(longer + len, c, more);
            assert_int_equal(decode_text((struct text){longer, len + more}), ERR_INPUT);
            memmove(longer + more, longer, len);
            memset(longer, c, more);
            assert_int_equal(decode_text((struct text){longer, len + more}), ERR_INPUT);
        }
    }
}

static void every_cut_of_the_bytes_is_refused(void **state)
{
    (void)state;
    struct written written = make_written(150);
    size_t whole = written.len;
    for (written.len = 0; written.len < whole; written.len++) {
        assert_int_equal(decode_written(&written), ERR_INPUT);
    }
    assert_int_equal(decode_written(&written), OK);
}

static void a_text_of_any_length_is_refused_if_it_is_no_token(void **state)
{
    (void)state;
    static char text[2 * TOKEN_TEXT_MAX];
    static const char fillings[] = {'A', '_', 'z', '=', '\0'};
    for (size_t i = 0; i < COUNT(fillings); i++) {
        memset(text, fillings[i], sizeof text);
        memcpy(text, "AWX-3LqY", 8); /* a header of ours */
        for (size_t len = 0; len < sizeof text; len += len < 200 ? 1 : 97) {
            assert_int_equal(decode_text((struct text){text, len}), ERR_INPUT);
        }
        for (size_t len = TOKEN_TEXT_MAX - 4; len < TOKEN_TEXT_MAX + 4; len++) {
            assert_int_equal(decode_text((struct text){text, len}), ERR_INPUT);
        }
    }
}

static void of_all_versions_only_the_first_is_good(void **state)
{
    (void)state;
    const uint8_t fields[40 + 10] = {0};
    struct written written = make_written(10);
    for (unsigned version = 0; version < 256; version++) {
        written.bytes[AT_VERSION] = (uint8_t)version;
        seal_with(&written, fields, NEWER, KEY_SEAL);
        assert_int_equal(decode_written(&written), version == 1 ? OK : ERR_INPUT);
    }
}

/* Sealed bytes are of the sealed kind only, were the tag made for another one. */
static void of_all_kinds_only_the_sealed_one_is_sealed(void **state)
{
    (void)state;
    const uint8_t fields[40 + 10] = {0};
    struct written written = make_written(10);
    for (unsigned kind = 0; kind < 256; kind++) {
        written.bytes[AT_KIND] = (uint8_t)kind;
        assert_int_equal(decode_written(&written), kind == 'e' ? OK : ERR_INPUT);
    }
    for (unsigned kind = 0; kind < 256; kind++) {
        written.bytes[AT_KIND] = (uint8_t)kind;
        seal_with(&written, fields, NEWER, KEY_SEAL);
        assert_int_equal(decode_written(&written), kind == 'e' ? OK : ERR_INPUT);
    }
}

/* The bytes of a plain token, made as long as a sealed one, do not become one by their header. */
static void a_plain_token_relabelled_is_refused(void **state)
{
    (void)state;
    static const enum token_kind kinds[] = {TOKEN_ANONYMOUS, TOKEN_STORED, TOKEN_CACHED};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct token token = make_token(0);
        char text[TOKEN_TEXT_MAX + 1];
        token.kind = kinds[i];
        assert_int_equal(token_encode(keyring, &token, text), OK);
        for (size_t len = 78; len < 100; len++) {
            struct written written = {.len = len};
            assert_int_equal(base64url_decode(text_of(text), written.bytes, 78), OK);
            assert_int_equal(decode_written(&written), len == 78 ? OK : ERR_INPUT);
            written.bytes[AT_KIND] = 'e';
            assert_int_equal(decode_written(&written), ERR_INPUT);
        }
    }
}

static void put_key_id(struct written *written, uint32_t id)
{
    for (size_t i = 0; i < 4; i++) {
        written->bytes[AT_KEY_ID + i] = (uint8_t)(id >> (24 - 8 * i));
    }
}

static void an_unknown_key_id_is_refused_and_no_other_key_tried(void **state)
{
    (void)state;
    static const uint32_t ids[] = {0,          1,          0x0c000000, 0x98badcfe, 0xffffffff,
                                   0x0000000d, 0x0000000b, 0xfedcba99, OLDER,      NEWER};
    const uint8_t fields[40 + 10] = {0};
    struct written written = make_written(10);
    for (size_t i = 0; i < COUNT(ids); i++) {
        put_key_id(&written, ids[i]);
        seal_with(&written, fields, OLDER, KEY_SEAL);
        assert_int_equal(decode_written(&written), ids[i] == OLDER ? OK : ERR_INPUT);
        seal_with(&written, fields, NEWER, KEY_SEAL);
        assert_int_equal(decode_written(&written), ids[i] == NEWER ? OK : ERR_INPUT);
    }
}

static void the_key_of_another_purpose_seals_no_token(void **state)
{
    (void)state;
    const uint8_t fields[40 + 10] = {0};
    struct written written = make_written(10);
    for (size_t i = 0; i < KEY_PURPOSES; i++) {
        seal_with(&written, fields, NEWER, (enum key_purpose)i);
        assert_int_equal(decode_written(&written), i == KEY_SEAL ? OK : ERR_INPUT);
    }
}

static void a_time_beyond_the_largest_is_refused(void **state)
{
    (void)state;
    uint8_t fields[40 + 10] = {0x7f};
    struct written written = make_written(10);
    seal_with(&written, fields, NEWER, KEY_SEAL);
    assert_int_equal(decode_written(&written), OK);
    fields[0] = 0x80;
    seal_with(&written, fields, NEWER, KEY_SEAL);
    assert_int_equal(decode_written(&written), ERR_INPUT);

    char text[TOKEN_TEXT_MAX + 1] = "untouched";
    struct token token = make_token(10);
    token.issued_s = -1;
    assert_int_equal(token_encode(keyring, &token, text), ERR_CRYPTO);
    assert_string_equal(text, "untouched");
}

static void tokens_spliced_of_two_are_refused(void **state)
{
    (void)state;
    struct token token = make_token(60);
    struct written one = write_token(&token);
    struct written two = write_token(&token);
    for (size_t cut = AT_RANDOM + 1; cut < one.len; cut++) {
        struct written mixed = one;
        memcpy(mixed.bytes, two.bytes, cut);
        /* Where both happen to have the same bytes, nothing was changed. */
        bool same = memcmp(mixed.bytes, one.bytes, one.len) == 0 ||
                    memcmp(mixed.bytes, two.bytes, two.len) == 0;
        assert_int_equal(decode_written(&mixed), same ? OK : ERR_INPUT);
    }
}

static int by_random_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 24);
}

/* The random bytes are all that key and nonce differ by. */
static void no_two_tokens_have_the_same_key_and_nonce(void **state)
{
    (void)state;
    static uint8_t drawn[5000][24];
    struct token token = make_token(20);
    for (size_t i = 0; i < COUNT(drawn); i++) {
        struct written written = write_token(&token);
        memcpy(drawn[i], written.bytes + AT_RANDOM, sizeof drawn[i]);
    }
    qsort(drawn, COUNT(drawn), sizeof drawn[0], by_random_bytes);
    for (size_t i = 1; i < COUNT(drawn); i++) {
        assert_memory_not_equal(drawn[i - 1], drawn[i], sizeof drawn[i]);
    }
}

/* With one key stream for two tokens, what they differ by would be what their texts differ by. */
static void tokens_of_the_same_content_have_nothing_sealed_in_common(void **state)
{
    (void)state;
    struct token token = make_token(100);
    struct written one = write_token(&token);
    struct written two = write_token(&token);
    for (size_t at = AT_ISSUED; at + 8 <= one.len; at++) {
        assert_memory_not_equal(one.bytes + at, two.bytes + at, 8);
    }
}

static void neither_id_nor_body_can_be_read_in_the_token(void **state)
{
    (void)state;
    struct token token = make_token(100);
    struct written written = write_token(&token);
    for (size_t at = 0; at + 8 <= written.len; at++) {
        assert_memory_not_equal(written.bytes + at, token.id, 8);
        assert_memory_not_equal(written.bytes + at, token.body, 8);
    }
}

static void a_session_keeps_its_id_over_renewal_and_exchange(void **state)
{
    (void)state;
    static const enum token_kind kinds[] = {TOKEN_SEALED, TOKEN_SEALED, TOKEN_STORED, TOKEN_CACHED,
                                            TOKEN_SEALED};
    struct token token = make_token(30);
    const struct token first = token;
    uint8_t wanted[TOKEN_DIGEST_BYTES];
    token_digest(&first, wanted);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char text[TOKEN_TEXT_MAX + 1];
        uint8_t digest[TOKEN_DIGEST_BYTES];
        token.kind = kinds[i];
        token.issued_s += 3600;
        token.body_len = kinds[i] == TOKEN_SEALED ? 30 + i : 0;
        assert_int_equal(token_encode(keyring, &token, text), OK);
        assert_int_equal(decode(text_of(text), &token), OK);
        assert_int_equal(token.kind, kinds[i]);
        assert_memory_equal(token.id, first.id, TOKEN_ID_BYTES);
        token_digest(&token, digest);
        assert_memory_equal(digest, wanted, sizeof wanted);
    }
}

static void a_rotated_secret_is_still_good_and_a_revoked_one_is_not(void **state)
{
    (void)state;
    const char *path = scratch_path("rotated");
    struct keyring *ring = NULL;
    assert_int_equal(keyring_create(path), OK);
    assert_int_equal(keyring_open(path, KEYS_ALL, &ring), OK);
    struct token token = make_token(30);
    struct token again;
    char text[TOKEN_TEXT_MAX + 1];
    assert_int_equal(token_encode(ring, &token, text), OK);
    assert_int_equal(token_decode(keyring, text_of(text), &again), ERR_INPUT);
    assert_int_equal(keyring_rotate(path), OK);
    assert_int_equal(keyring_refresh(ring), OK);
    assert_int_equal(token_decode(ring, text_of(text), &again), OK);
    assert_int_equal(keyring_revoke(path), OK);
    assert_int_equal(keyring_refresh(ring), OK);
    assert_int_equal(token_decode(ring, text_of(text), &again), ERR_INPUT);
    keyring_free(&ring);
}

static void without_any_key_nothing_is_sealed(void **state)
{
    (void)state;
    struct keyring *ring = NULL;
    struct token token = make_token(30);
    char text[TOKEN_TEXT_MAX + 1] = "untouched";
    const char *path = scratch_path("gone");
    assert_int_equal(keyring_create(path), OK);
    assert_int_equal(keyring_open(path, KEYS_ALL, &ring), OK);
    scratch_write("gone", "nonsense");
    assert_int_not_equal(keyring_refresh(ring), OK);
    assert_int_equal(token_encode(ring, &token, text), ERR_NOT_FOUND);
    assert_string_equal(text, "untouched");
    keyring_free(&ring);
}

static void copying_and_wiping_touch_what_is_in_use(void **state)
{
    (void)state;
    static const uint8_t zeros[sizeof(struct token)];
    struct token token = make_token(30);
    struct token copy;
    memset(&copy, 0x5a, sizeof copy);
    token_copy(&copy, &token);
    assert_same_token(&copy, &token);
    assert_int_equal(copy.body[30], 0x5a);
    token_wipe(&copy);
    assert_memory_equal(&copy, zeros, offsetof(struct token, body) + 30);
    assert_int_equal(copy.body[30], 0x5a);
    /* Whatever the length says, nothing beyond the struct is touched. */
    copy.body_len = SIZE_MAX;
    token_wipe(&copy);
    assert_memory_equal(&copy, zeros, offsetof(struct token, body) + TOKEN_BODY_MAX);
}

static void sessions_are_all_kinds_but_the_anonymous(void **state)
{
    (void)state;
    struct token token = make_token(0);
    for (int kind = 0; kind < 256; kind++) {
        token.kind = (enum token_kind)kind;
        assert_int_equal(token_is_session(&token), kind == 's' || kind == 'c' || kind == 'e');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_read_as_it_is_drawn),
        cmocka_unit_test(a_token_reads_back_as_it_was_written),
        cmocka_unit_test(a_body_over_the_maximum_is_refused),
        cmocka_unit_test(every_flip_of_one_bit_is_refused),
        cmocka_unit_test(every_other_character_in_every_place_is_refused),
        cmocka_unit_test(every_cut_and_every_addition_is_refused),
        cmocka_unit_test(every_cut_of_the_bytes_is_refused),
        cmocka_unit_test(a_text_of_any_length_is_refused_if_it_is_no_token),
        cmocka_unit_test(of_all_versions_only_the_first_is_good),
        cmocka_unit_test(of_all_kinds_only_the_sealed_one_is_sealed),
        cmocka_unit_test(a_plain_token_relabelled_is_refused),
        cmocka_unit_test(an_unknown_key_id_is_refused_and_no_other_key_tried),
        cmocka_unit_test(the_key_of_another_purpose_seals_no_token),
        cmocka_unit_test(a_time_beyond_the_largest_is_refused),
        cmocka_unit_test(tokens_spliced_of_two_are_refused),
        cmocka_unit_test(no_two_tokens_have_the_same_key_and_nonce),
        cmocka_unit_test(tokens_of_the_same_content_have_nothing_sealed_in_common),
        cmocka_unit_test(neither_id_nor_body_can_be_read_in_the_token),
        cmocka_unit_test(a_session_keeps_its_id_over_renewal_and_exchange),
        cmocka_unit_test(a_rotated_secret_is_still_good_and_a_revoked_one_is_not),
        cmocka_unit_test(without_any_key_nothing_is_sealed),
        cmocka_unit_test(copying_and_wiping_touch_what_is_in_use),
        cmocka_unit_test(sessions_are_all_kinds_but_the_anonymous),
    };
    return cmocka_run_group_tests(tests, open_keyring, close_keyring);
}
