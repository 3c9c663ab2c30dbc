/* Preloaded: lets the check of a password for a user who is not there take another time. In
 * microseconds, LATCHKEY_TEST_STAND_IN is what it takes longer; "none": it is left out. */
#define _GNU_SOURCE
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../web/support/original.h"

/* The salt of src/crypto/password.c's stand-in, which it is known by: "nobodynobodynobodynobA". */
static const unsigned char salt_of_nobody[crypto_pwhash_SALTBYTES] = {
    0x9e, 0x86, 0xe8, 0x77, 0x29, 0xe8, 0x6e, 0x87, 0x72, 0x9e, 0x86, 0xe8, 0x77, 0x29, 0xe8, 0x6c,
};

static double now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int crypto_pwhash(unsigned char *const out, unsigned long long out_len, const char *const password,
                  unsigned long long len, const unsigned char *const salt,
                  unsigned long long passes, size_t memory, int algorithm)
{
    const char *wanted = getenv("LATCHKEY_TEST_STAND_IN");
    if (wanted != NULL && memcmp(salt, salt_of_nobody, sizeof salt_of_nobody) == 0) {
        if (strcmp(wanted, "none") == 0) {
            memset(out, 0, (size_t)out_len);
            return 0;
        }
        for (double end = now_us() + strtod(wanted, NULL); now_us() < end;) {
        }
    }
    return ORIGINAL(crypto_pwhash)(out, out_len, password, len, salt, passes, memory, algorithm);
}
