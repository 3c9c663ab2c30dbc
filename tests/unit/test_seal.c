#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/seal.h"
#include "hex.h"
#include "tables.h"

#define ROOM 128

/* The test cases with keys of 256 bits and nonces of 96 in "The Galois/Counter Mode of Operation
 * (GCM)", McGrew and Viega, appendix B, which NIST SP 800-38D points to. */
static const struct {
    const char *key;
    const char *nonce;
    const char *aad;
    const char *text;
    const char *sealed; /* with the tag */
} vectors[] = {
    /* 13 */
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    /* 14 */
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919"},
    /* 15 */
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
     "b094dac5d93471bdec1a502270e3cc6c"},
    /* 16 */
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

/* A vector's bytes; hex_bytes has room for few. */
struct example {
    uint8_t key[SEAL_KEY_BYTES];
    uint8_t nonce[SEAL_NONCE_BYTES];
    uint8_t aad[ROOM];
    uint8_t text[ROOM];
    uint8_t sealed[ROOM];
    size_t aad_len, text_len, sealed_len;
};

static size_t copy(uint8_t *out, size_t room, const char *digits)
{
    struct text bytes = hex_bytes(digits);
    assert_true(bytes.len <= room);
    memcpy(out, bytes.data, bytes.len);
    return bytes.len;
}

static struct example example_of(size_t vector)
{
    struct example example = {0};
    assert_int_equal(copy(example.key, sizeof example.key, vectors[vector].key), 32);
    assert_int_equal(copy(example.nonce, sizeof example.nonce, vectors[vector].nonce), 12);
    example.aad_len = copy(example.aad, ROOM, vectors[vector].aad);
    example.text_len = copy(example.text, ROOM, vectors[vector].text);
    example.sealed_len = copy(example.sealed, ROOM, vectors[vector].sealed);
    return example;
}

static struct text over(const uint8_t *bytes, size_t len)
{
    return (struct text){(const char *)bytes, len};
}

static struct seal seal_of(const struct example *example)
{
    return (struct seal){example->key, example->nonce, over(example->aad, example->aad_len)};
}

static enum status open_example(const struct example *example, uint8_t *out)
{
    const struct seal seal = seal_of(example);
    return seal_open(&seal, over(example->sealed, example->sealed_len), out);
}

static void what_is_sealed_is_as_the_specification_of_gcm_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct example example = example_of(i);
        const struct seal seal = seal_of(&example);
        uint8_t out[ROOM];
        seal_close(&seal, over(example.text, example.text_len), out);
        assert_int_equal(example.sealed_len, example.text_len + SEAL_TAG_BYTES);
        assert_memory_equal(out, example.sealed, example.sealed_len);
        assert_int_equal(open_example(&example, out), OK);
        assert_memory_equal(out, example.text, example.text_len);
    }
}

static void a_text_is_sealed_and_opened_where_it_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct example example = example_of(i);
        const struct seal seal = seal_of(&example);
        uint8_t bytes[ROOM];
        memcpy(bytes, example.text, ROOM);
        seal_close(&seal, over(bytes, example.text_len), bytes);
        assert_memory_equal(bytes, example.sealed, example.sealed_len);
        assert_int_equal(seal_open(&seal, over(bytes, example.sealed_len), bytes), OK);
        assert_memory_equal(bytes, example.text, example.text_len);
    }
}

static void assert_refused_with_zeros(const struct example *example)
{
    uint8_t out[ROOM];
    static const uint8_t zeros[ROOM];
    memset(out, 0xaa, sizeof out);
    assert_int_equal(open_example(example, out), ERR_INPUT);
    assert_memory_equal(out, zeros, example->sealed_len - SEAL_TAG_BYTES);
}

static void assert_each_bit_counts(struct example *example, uint8_t *bytes, size_t len)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1u << bit % 8));
        assert_refused_with_zeros(example);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1u << bit % 8));
    }
}

static void every_flip_of_one_bit_is_refused_and_leaves_zeros(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct example example = example_of(i);
        uint8_t out[ROOM];
        assert_each_bit_counts(&example, example.sealed, example.sealed_len);
        assert_each_bit_counts(&example, example.aad, example.aad_len);
        assert_each_bit_counts(&example, example.key, sizeof example.key);
        assert_each_bit_counts(&example, example.nonce, sizeof example.nonce);
        assert_int_equal(open_example(&example, out), OK);
    }
}

static void another_length_of_either_part_is_refused(void **state)
{
    (void)state;
    struct example example = example_of(3);
    const struct example whole = example;
    uint8_t out[ROOM];
    for (size_t len = 0; len < ROOM; len++) {
        example.sealed_len = len;
        assert_int_equal(open_example(&example, out), len == whole.sealed_len ? OK : ERR_INPUT);
    }
    example = whole;
    for (size_t len = 0; len < ROOM; len++) {
        example.aad_len = len;
        assert_int_equal(open_example(&example, out), len == whole.aad_len ? OK : ERR_INPUT);
    }
}

static void what_is_shorter_than_a_tag_is_refused(void **state)
{
    (void)state;
    const struct example example = example_of(0);
    const struct seal seal = seal_of(&example);
    uint8_t out[1] = {0xaa};
    assert_int_equal(seal_open(&seal, (struct text){NULL, 0}, out), ERR_INPUT);
    for (size_t len = 0; len < SEAL_TAG_BYTES; len++) {
        assert_int_equal(seal_open(&seal, over(example.sealed, len), out), ERR_INPUT);
    }
    assert_int_equal(out[0], 0xaa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_as_the_specification_of_gcm_says),
        cmocka_unit_test(a_text_is_sealed_and_opened_where_it_lies),
        cmocka_unit_test(every_flip_of_one_bit_is_refused_and_leaves_zeros),
        cmocka_unit_test(another_length_of_either_part_is_refused),
        cmocka_unit_test(what_is_shorter_than_a_tag_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
