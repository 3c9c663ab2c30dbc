/* Notes the password hashes of programs that are started with this preloaded: a line is added to
 * the file that LATCHKEY_TEST_HASHES names for each hash that begins, as "hash m=1024,t=1,p=1", and
 * "crypt" for one of another scheme. */
#define _GNU_SOURCE
#include <crypt.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "original.h"

static void note(const char *line, int len)
{
    const char *path = getenv("LATCHKEY_TEST_HASHES");
    int file = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || write(file, line, (size_t)len) != len) {
        abort(); /* a count that misses one proves nothing */
    }
    (void)close(file);
}

/* libsodium's functions, declared as it does; its header says that no argument may be NULL, which
 * is of no use here. */
int crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long len);
int crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *password,
                  unsigned long long len, const unsigned char *salt, unsigned long long passes,
                  size_t memory, int algorithm);

int crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long len)
{
    const char *cost = strstr(hash, "$m=");
    char line[160];
    note(line,
         snprintf(line, sizeof line, "hash %.*s\n", cost != NULL ? (int)strcspn(cost + 1, "$") : 1,
                  cost != NULL ? cost + 1 : "?"));
    return ORIGINAL(crypto_pwhash_str_verify)(hash, password, len);
}

int crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *password,
                  unsigned long long len, const unsigned char *salt, unsigned long long passes,
                  size_t memory, int algorithm)
{
    char line[160];
    note(line, snprintf(line, sizeof line, "hash m=%zu,t=%llu,p=1\n", memory / 1024, passes));
    return ORIGINAL(crypto_pwhash)(out, out_len, password, len, salt, passes, memory, algorithm);
}

char *crypt_r(const char *password, const char *setting, struct crypt_data *work)
{
    note("crypt\n", 6);
    return ORIGINAL(crypt_r)(password, setting, work);
}
