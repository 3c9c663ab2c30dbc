/* How many passwords all processors can check in a second: the bound of sign-ins, when linked with
 * what the login program is linked with (huge_hash_rate), and without it what any program on
 * libsodium reaches.
 * Usage: hash_rate PROCESSES SECONDS, with the configuration of the programs (LATCHKEY_CONFIG)
 *
 * Each process checks the same password again and again, as sign-in does it, and reports how often
 * through a pipe. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "crypto/password.h"

#define PROCESSES_MAX 64

static int64_t count_checks(const char *hash, const struct password_cost *cost, int64_t until_ms)
{
    int64_t count = 0;
    while (clock_monotonic_ms() < until_ms) {
        enum verdict verdict = DENY;
        if (password_check(TEXT("a password for the bench"), hash, cost, NULL, &verdict) != OK ||
            verdict != ALLOW) {
            return 0;
        }
        count++;
    }
    return count;
}

static int64_t gather(int from, long processes)
{
    int64_t total = 0;
    for (long i = 0; i < processes; i++) {
        int64_t count = 0;
        if (read(from, &count, sizeof count) != (ssize_t)sizeof count) {
            return 0;
        }
        total += count;
    }
    return total;
}

static int measure(const struct password_cost *cost, long processes, long seconds)
{
    char hash[PASSWORD_HASH_MAX];
    int pipes[2];
    if (password_hash(TEXT("a password for the bench"), cost, hash) != OK || pipe(pipes) != 0) {
        return 1;
    }
    int64_t until_ms = clock_monotonic_ms() + seconds * 1000;
    for (long i = 0; i < processes; i++) {
        if (fork() == 0) {
            int64_t count = count_checks(hash, cost, until_ms);
            _exit(write(pipes[1], &count, sizeof count) == (ssize_t)sizeof count ? 0 : 1);
        }
    }
    (void)close(pipes[1]);
    int64_t total = gather(pipes[0], processes);
    while (wait(NULL) > 0) {
    }
    (void)printf("%.1f\n", (double)total / (double)seconds);
    return total > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    long processes = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    long seconds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (processes < 1 || processes > PROCESSES_MAX || seconds < 1) {
        (void)fprintf(stderr, "usage: hash_rate PROCESSES SECONDS\n");
        return 2;
    }
    if (config_load(NULL, &config, error) != OK) {
        (void)fprintf(stderr, "hash_rate: %s\n", error);
        return 1;
    }
    struct password_cost cost = {config->password.memory_bytes, config->password.passes};
    int result = measure(&cost, processes, seconds);
    config_free(&config);
    return result;
}
