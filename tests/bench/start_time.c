/* How long a program takes from its start to its end. Usage: start_time TIMES PROGRAM
 *
 * PROGRAM runs that often, one after the other, with our environment and nobody reading. Two
 * medians in microseconds are printed: from start to end, and of the processor time that it used
 * meanwhile. A run that ends badly ends the measurement. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 10000

struct times {
    int64_t taken_us[TIMES_MAX];
    int64_t used_us[TIMES_MAX];
};

static int64_t now_us(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t sum_us(const struct rusage *usage)
{
    return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
           usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

/* Whether it ended well. vfork, as posix_spawn does it. */
static bool run(char *program, int64_t *taken_us, int64_t *used_us)
{
    char *arguments[] = {program, NULL};
    struct rusage usage;
    int status = 0;
    int64_t started_us = now_us();
    pid_t pid = vfork();
    if (pid == 0) {
        (void)execve(program, arguments, environ);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status != 0) {
        return false;
    }
    *taken_us = now_us() - started_us;
    *used_us = sum_us(&usage);
    return true;
}

static int compare(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static double median_us(int64_t *values, size_t count)
{
    qsort(values, count, sizeof values[0], compare);
    return (double)values[count / 2];
}

static int measure(size_t count, char *program)
{
    static struct times times;
    for (size_t i = 0; i < count; i++) {
        if (!run(program, &times.taken_us[i], &times.used_us[i])) {
            (void)fprintf(stderr, "start_time: %s ended badly\n", program);
            return 1;
        }
    }
    (void)fprintf(stderr, "%.0f %.0f\n", median_us(times.taken_us, count),
                  median_us(times.used_us, count));
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long times = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (times < 1 || times > TIMES_MAX) {
        (void)fprintf(stderr, "usage: start_time TIMES PROGRAM\n");
        return 2;
    }
    /* The answers go nowhere; the figures go to standard error. */
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0) {
        return 1;
    }
    return measure(times, argv[2]);
}
