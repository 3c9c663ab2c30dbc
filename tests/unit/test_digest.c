#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "hex.h"
#include "tables.h"

static const struct {
    const char *input;
    const char *digest;
} vectors[] = {
    {"", "e3b0c442 98fc1c14 9afbf4c8 996fb924 27ae41e4 649b934c a495991b 7852b855"},
    {"abc", "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61 d20638b8 e5c02693 0c3e6039 a33ce459 64ff2167 f6ecedd4 19db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
     "lmnopqrsmnopqrstnopqrstu",
     "cf5b16a7 78af8380 036ce59e 7b049237 0b249b11 e8f07a51 afac4503 7afee9d1"},
};

static void digests_are_those_of_fips_180_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        uint8_t digest[DIGEST_BYTES];
        digest_sha256(text_of(vectors[i].input), digest);
        assert_memory_equal(digest, hex_bytes(vectors[i].digest).data, sizeof digest);
    }
}

static void a_million_letters_have_the_digest_of_fips_180_4(void **state)
{
    (void)state;
    char *letters = malloc(1000000);
    assert_non_null(letters);
    memset(letters, 'a', 1000000);
    uint8_t digest[DIGEST_BYTES];
    digest_sha256((struct text){letters, 1000000}, digest);
    free(letters);
    struct text wanted =
        hex_bytes("cdc76e5c 9914fb92 81a1c7e2 84d73e67 f1809a48 a497200e 046d39cc c7112cd0");
    assert_memory_equal(digest, wanted.data, sizeof digest);
}

static void nothing_at_all_has_the_digest_of_the_empty_text(void **state)
{
    (void)state;
    uint8_t digest[DIGEST_BYTES];
    digest_sha256((struct text){NULL, 0}, digest);
    assert_memory_equal(digest, hex_bytes(vectors[0].digest).data, sizeof digest);
}

static void a_nul_does_not_end_the_input(void **state)
{
    (void)state;
    uint8_t with[DIGEST_BYTES];
    uint8_t without[DIGEST_BYTES];
    digest_sha256(TEXT("abc\0d"), with);
    digest_sha256(TEXT("abc"), without);
    assert_memory_not_equal(with, without, sizeof with);
}

/* The value that CSP3 §8.3 gives for the script of its example. */
static void digests_in_base64_are_those_of_a_content_security_policy(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        const char *base64;
    } texts[] = {
        {"", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        {"abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="},
        {"alert('Hello, world.');", "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char base64[DIGEST_BASE64_LEN + 1];
        digest_sha256_base64(text_of(texts[i].input), base64);
        assert_string_equal(base64, texts[i].base64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180_4),
        cmocka_unit_test(a_million_letters_have_the_digest_of_fips_180_4),
        cmocka_unit_test(nothing_at_all_has_the_digest_of_the_empty_text),
        cmocka_unit_test(a_nul_does_not_end_the_input),
        cmocka_unit_test(digests_in_base64_are_those_of_a_content_security_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
