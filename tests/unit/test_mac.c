#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/mac.h"
#include "hex.h"
#include "tables.h"

static struct text repeat(char *room, size_t len, char byte)
{
    memset(room, byte, len);
    return (struct text){room, len};
}

static void assert_mac(struct text key, struct text input, const char *wanted)
{
    uint8_t tag[MAC_BYTES];
    mac_sha256(key, input, tag);
    assert_memory_equal(tag, hex_bytes(wanted).data, sizeof tag);
}

static void tags_are_those_of_rfc_4231(void **state)
{
    (void)state;
    char key[131];
    char input[50];
    assert_mac(repeat(key, 20, 0x0b), TEXT("Hi There"),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_mac(TEXT("Jefe"), TEXT("what do ya want for nothing?"),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_mac(repeat(key, 20, '\xaa'), repeat(input, 50, '\xdd'),
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    assert_mac(hex_bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"),
               repeat(input, 50, '\xcd'),
               "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    assert_mac(repeat(key, 131, '\xaa'),
               TEXT("Test Using Larger Than Block-Size Key - Hash Key First"),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_mac(repeat(key, 131, '\xaa'),
               TEXT("This is a test using a larger than block-size key and a larger than "
                    "block-size data. The key needs to be hashed before being used by the HMAC "
                    "algorithm."),
               "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void an_empty_key_and_an_empty_input_have_a_tag(void **state)
{
    (void)state;
    struct text nothing = {NULL, 0};
    assert_mac(nothing, nothing,
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static const struct {
    const char *secret;
    const char *salt;
    const char *info;
    const char *key;
} derivations[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
     "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
     "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
     "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void derived_keys_are_those_of_rfc_5869(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(derivations); i++) {
        struct mac_source source = {hex_bytes(derivations[i].secret),
                                    hex_bytes(derivations[i].salt), hex_bytes(derivations[i].info)};
        struct text wanted = hex_bytes(derivations[i].key);
        uint8_t key[128];
        assert_true(wanted.len <= sizeof key);
        assert_int_equal(mac_derive(&source, key, wanted.len), OK);
        assert_memory_equal(key, wanted.data, wanted.len);
    }
}

/* RFC 5869 §2.3: L is at most 255 * HashLen. */
static void a_key_that_is_too_long_is_refused_and_zeroed(void **state)
{
    (void)state;
    struct mac_source source = {TEXT("secret"), TEXT("salt"), TEXT("info")};
    static uint8_t key[255 * MAC_BYTES + 1];
    static const uint8_t zeros[sizeof key];
    assert_int_equal(mac_derive(&source, key, sizeof key - 1), OK);
    assert_memory_not_equal(key, zeros, sizeof key);
    assert_int_equal(mac_derive(&source, key, sizeof key), ERR_CRYPTO);
    assert_memory_equal(key, zeros, sizeof key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_those_of_rfc_4231),
        cmocka_unit_test(an_empty_key_and_an_empty_input_have_a_tag),
        cmocka_unit_test(derived_keys_are_those_of_rfc_5869),
        cmocka_unit_test(a_key_that_is_too_long_is_refused_and_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
