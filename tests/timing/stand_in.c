/* Preloaded: lets the check of a password for a user who is not there take another time. In
 * microseconds, LATCHKEY_TEST_STAND_IN is what it takes longer; "none": it is left out. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int verify_function(const char *hash, const char *password, unsigned long long len);

static double now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int crypto_pwhash_str_verify(const char hash[crypto_pwhash_STRBYTES], const char *const password,
                             unsigned long long len)
{
    verify_function *verify = NULL;
    const char *wanted = getenv("LATCHKEY_TEST_STAND_IN");
    *(void **)&verify = dlsym(RTLD_NEXT, "crypto_pwhash_str_verify");
    if (wanted != NULL && strstr(hash, "nobodynobody") != NULL) {
        if (strcmp(wanted, "none") == 0) {
            errno = EINVAL;
            return -1;
        }
        for (double end = now_us() + strtod(wanted, NULL); now_us() < end;) {
        }
    }
    return verify(hash, password, len);
}
