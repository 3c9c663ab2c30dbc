/* How long a program takes from its start to its end. Usage: start_time TIMES PROGRAM
 *
 * PROGRAM runs that often, one after the other, with our environment and nobody reading; the median
 * in microseconds is printed. A run that ends badly ends the measurement. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 10000

static int64_t now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nanoseconds; negative when it ended badly. vfork, as web servers do and as posix_spawn does. */
static int64_t run(char *program)
{
    char *arguments[] = {program, NULL};
    int status = 0;
    int64_t started_ns = now_ns();
    pid_t pid = vfork();
    if (pid == 0) {
        (void)execve(program, arguments, environ);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        return -1;
    }
    return now_ns() - started_ns;
}

static int compare(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int measure(size_t times, char *program)
{
    static int64_t taken_ns[TIMES_MAX];
    for (size_t i = 0; i < times; i++) {
        taken_ns[i] = run(program);
        if (taken_ns[i] < 0) {
            (void)fprintf(stderr, "start_time: %s ended badly\n", program);
            return 1;
        }
    }
    qsort(taken_ns, times, sizeof taken_ns[0], compare);
    (void)fprintf(stderr, "%.1f\n", (double)taken_ns[times / 2] / 1000);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long times = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (times < 1 || times > TIMES_MAX) {
        (void)fprintf(stderr, "usage: start_time TIMES PROGRAM\n");
        return 2;
    }
    /* The answers go nowhere; the figure goes to standard error. */
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0) {
        return 1;
    }
    return measure(times, argv[2]);
}
