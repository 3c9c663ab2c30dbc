/* What is a secret, and which results are meant to be known.
 *
 * The latter are marked as set where they come out of the function that decides: the linker leads
 * the calls of these functions to the __wrap_ ones here, in all objects (--wrap in the Makefile).
 *   - secret_is_equal: yes or no
 *   - digest_sha256: a digest of random bytes, of which a database looks for the like
 *   - seal_open: what a sealed token says, once its tag was found to be right; not the id in it
 *
 * What is known of base64url, whether a text is the one spelling of its bytes, is known within the
 * function; constant_time.supp has its jumps. */
#include "marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <valgrind/memcheck.h>

#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/token.h"

bool __real_secret_is_equal(const void *a, const void *b, size_t len);
bool __wrap_secret_is_equal(const void *a, const void *b, size_t len);
void __real_digest_sha256(struct text input, uint8_t out[DIGEST_BYTES]);
void __wrap_digest_sha256(struct text input, uint8_t out[DIGEST_BYTES]);
enum status __real_seal_open(const struct seal *seal, struct text sealed, uint8_t *out);
enum status __wrap_seal_open(const struct seal *seal, struct text sealed, uint8_t *out);
char *__real_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data);

bool __wrap_secret_is_equal(const void *a, const void *b, size_t len)
{
    bool is_equal = __real_secret_is_equal(a, b, len);
    (void)VALGRIND_MAKE_MEM_DEFINED(&is_equal, sizeof is_equal);
    return is_equal;
}

void __wrap_digest_sha256(struct text input, uint8_t out[DIGEST_BYTES])
{
    __real_digest_sha256(input, out);
    (void)VALGRIND_MAKE_MEM_DEFINED(out, DIGEST_BYTES);
}

/* As token.h draws it: time of issue, id, body. */
enum status __wrap_seal_open(const struct seal *seal, struct text sealed, uint8_t *out)
{
    enum status status = __real_seal_open(seal, sealed, out);
    if (status == OK) {
        (void)VALGRIND_MAKE_MEM_DEFINED(out, 8);
        (void)VALGRIND_MAKE_MEM_DEFINED(out + 8 + TOKEN_ID_BYTES,
                                        sealed.len - SEAL_TAG_BYTES - 8 - TOKEN_ID_BYTES);
    }
    return status;
}

/* The other way round: what crypt(3) made is a secret but for the name of the scheme. */
char *__wrap_crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    char *made = __real_crypt_r(phrase, setting, data);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(made + 3, CRYPT_OUTPUT_SIZE - 3);
    return made;
}

bool compare(const void *a, const void *b, size_t len)
{
    return __real_secret_is_equal(a, b, len);
}

enum status open_sealed(const struct seal *seal, struct text sealed, uint8_t *out)
{
    return __real_seal_open(seal, sealed, out);
}

char *hash_crypt(const char *phrase, const char *setting, struct crypt_data *data)
{
    return __real_crypt_r(phrase, setting, data);
}

void hide(const void *secret, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, len);
}

void show(const void *secret, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(secret, len);
}

static unsigned errors_before;

void watch(void)
{
    errors_before = VALGRIND_COUNT_ERRORS;
}

unsigned count_errors(void)
{
    return VALGRIND_COUNT_ERRORS - errors_before;
}

bool is_hidden(const void *memory, size_t len)
{
    uint8_t bits[64];
    assert_in_range(len, 1, sizeof bits);
    assert_int_equal(VALGRIND_GET_VBITS(memory, bits, len), 1);
    for (size_t i = 0; i < len; i++) {
        if (bits[i] != 0) {
            return true;
        }
    }
    return false;
}
