/* Interrupts programs that are started with this preloaded, and all that they fork, a thousand
 * times a second: by a signal that is handled and does nothing, so that whatever waits returns
 * EINTR. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define EVERY_NS 1000000

static void nothing(int number)
{
    (void)number;
}

/* A timer of this kind ends with exec, as the handler does; that of setitimer would kill. */
static void begin(void)
{
    const struct sigaction action = {.sa_handler = nothing}; /* without SA_RESTART */
    const struct itimerspec times = {{0, EVERY_NS}, {0, EVERY_NS}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_t timer;
    if (sigaction(SIGALRM, &action, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &times, NULL) != 0) {
        abort();
    }
}

__attribute__((constructor)) static void begin_here_and_in_children(void)
{
    begin();
    if (pthread_atfork(NULL, NULL, begin) != 0) {
        abort();
    }
}
