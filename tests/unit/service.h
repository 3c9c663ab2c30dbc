/* A real FastCGI program in processes of its own, on a socket in the scratch folder. */
#ifndef LATCHKEY_TESTS_SERVICE_H
#define LATCHKEY_TESTS_SERVICE_H

#include <sys/types.h>

#include "base/buffer.h"

struct service_options {
    size_t workers;    /* 0 means 1 */
    bool ignores_body; /* the program does not read bodies, as the gate */
    bool is_brief;     /* its answers are brief, as the gate's */
    bool is_slow;      /* it has a porter, who knows those that ask for /known/NUMBER as NUMBER */
    unsigned files;    /* limit of open descriptors; 0: as it is */
    const char *peers; /* FCGI_WEB_SERVER_ADDRS; with it, the socket is TCP on 127.0.0.1 */
    bool tends;        /* the program has something to tend, and logs it (service_read_tends) */
    int tend_ms;       /* how long that takes */
    bool rests;        /* the program logs "rests after N" answers before it waits */
    int again_ms;      /* what both return; `rests` only the first time after an answer, then -1 */
};

/* Starts it; returns the process id of the master. What it answers, by path:
 *   /crash  dies · /slow  answers after 600 ms · /steady  after 30 ms · /large  60,000 bytes
 *   anything else  "pid role method path body-fields first-field\n" */
pid_t service_start(struct service_options options);

/* Sends SIGTERM if it still runs; returns the exit status, or -1 when a signal ended it. */
int service_stop(pid_t master);

/* A connection, with a limit of 20 s on reading. */
int service_connect(void);

/* Sends all, in writes of at most `piece` bytes. False when the other side has closed. */
bool service_send(int fd, struct text bytes, size_t piece);

/* How a connection came to its end. A reset may cost the other side bytes that were sent. */
enum ending { ENDING_NONE, ENDING_CLOSED, ENDING_RESET };

/* Reads until the other side closes, and closes; ENDING_NONE when it did not within 20 s. */
enum ending service_read(int fd, struct buffer *out);

/* Reads one answer from a connection that may be kept, and gives its text; false unless it was
 * whole and nothing followed. Closes nothing. */
bool service_read_answer(int fd, struct buffer *out);

/* Connects, sends, reads, and gives the text of the answer; false unless it was a whole
 * answer, cleanly closed. */
bool service_ask(struct text request, struct buffer *out);

/* A good request for `path`, answered; the process id that the answer names, 0 without answer. */
pid_t service_ask_pid(const char *path);

/* One call of the program's tend. */
struct tended {
    int64_t at_ms;  /* by clock_monotonic_ms */
    size_t answers; /* requests that its process handled before */
    bool leaving;
};

/* The calls that ended so far, in all workers; how many, at most `room`. */
size_t service_read_tends(struct tended *out, size_t room);

/* What the program has written to its log; that of a slow one has "answers FIELD" for the first
 * field of each form, when it begins with it. */
void service_read_log(struct buffer *out);

#endif
