/* The worker's loop, as it is: listener, epoll, the screen, libfcgi, the request and its answer.
 *
 * Promised, whatever bytes come, in whatever pieces, from whoever hangs up when: no answer but to a
 * whole request, each answer whole, with Status first; memory within bounds; and the next good
 * request is answered right, while the others still hang there. A worker that is told to stop
 * leaves within its deadlines.
 *
 * There is one thread. Where the loop would wait (epoll_wait, replaced when this target is linked),
 * the script of the input goes on (conversation.h); when all is said, a good request is made, read,
 * and then the worker is told to stop, as programs are: by a signal. The clock of deadlines is
 * replaced, too, so that ten seconds pass at once. Nothing else is.
 *
 * A script that begins with the byte SLOW speaks to a slow program: first its porter has the
 * socket, who answers what is no POST, and when he has left, a worker takes over whom he put into
 * the lines.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../unit/fastcgi_client.h"
#include "../unit/scratch.h"
#include "base/log.h"
#include "conversation.h"
#include "fuzz.h"
#include "http/fastcgi.h"

#define MEMORY_MAX  ((size_t)2 * 1024 * 1024) /* of a worker with four connections */
#define LARGE_BYTES 60000
#define BACKLOG     64
#define TURNS_MAX   100000 /* of the loop, in a run: many times what the longest script needs */
#define GOOD_HEAD   "Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"
#define STOP        SIGUSR1
#define SLOW        ((char)0xfd)

/* Of every sanitizer's runtime; its header comes with clang alone. */
size_t __sanitizer_get_current_allocated_bytes(void);

int __real_epoll_wait(int epoll, struct epoll_event *events, int room, int wait_ms);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int room, int wait_ms);
int64_t __wrap_clock_monotonic_ms(void);

/* What stands ready once and for all. */
static int listener = -1;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

/* The run at hand. */
enum scene { SCENE_SCRIPT, SCENE_GOOD, SCENE_TAKEN_OVER, SCENE_STOP };
static struct {
    struct conversation conversation;
    struct peer good;   /* asks with GET */
    struct peer posted; /* asks with POST */
    struct peer known;  /* the same, and is known to the program */
    enum scene scene;
    size_t memory; /* the most that was in use before a run */
    size_t turns;
    int64_t now_ms;
} run;

/* ---- the program ---- */

/* What a handler may rely on. */
static void check_request(const struct request *request)
{
    fuzz_require(request->address.len > 0 && request->uri.len > 0 && request->path.len > 0 &&
                     request->path.data[0] == '/',
                 "a handler is told who wants what");
    fuzz_require(!text_has_control(request->path) && text_is_utf8(request->path),
                 "a path has no control characters");
    fuzz_require(text_is_visible(request->uri), "an URI is printable");
    fuzz_require(request->form.count == 0 || request->method == METHOD_POST, "forms are posted");
}

static void handle(void *context, const struct request *request, struct response *response)
{
    (void)context;
    check_request(request);
    response->status = 200;
    response_add_header(response, "Content-Type", TEXT("text/plain"));
    if (text_is(request->path, "/large")) {
        for (size_t i = 0; i < LARGE_BYTES; i += 10) {
            buffer_add(&response->body, "0123456789", 10);
        }
        return;
    }
    buffer_print(&response->body, "%d %d %.*s %zu", (int)request->role, (int)request->method,
                 (int)request->path.len, request->path.data, request->form.count);
}

static void refuse(void *context, const struct request *request, int status,
                   struct response *response)
{
    (void)context;
    (void)request;
    response->status = status;
}

static uint64_t known_as(void *context, const struct request *request)
{
    (void)context;
    check_request(request);
    return text_has_prefix(request->path, TEXT("/known")) ? request->path.len : 0;
}

static int tend(void *context, bool leaving)
{
    (void)context;
    return leaving ? -1 : 3000;
}

static int let_rest(void *context)
{
    (void)context;
    return -1;
}

/* ---- the turns ---- */

static void check_memory(void)
{
    size_t now = __sanitizer_get_current_allocated_bytes();
    size_t own = run.memory + conversation_count_memory(&run.conversation);
    fuzz_require(now < own + MEMORY_MAX, "memory is bounded");
}

/* The count may be too low for a moment, when a thread of libFuzzer begins or ends. */
static void note_memory(void)
{
    size_t now = __sanitizer_get_current_allocated_bytes();
    run.memory = now > run.memory ? now : run.memory;
}

/* To this thread: libFuzzer has others, which do not block it. */
static void tell_to_stop(void)
{
    fuzz_require(raise(STOP) == 0, "a signal can be sent");
    run.scene = SCENE_STOP;
}

/* A good request must have been answered by now. */
static void check_good(struct peer *peer, const char *wanted)
{
    struct buffer answer;
    buffer_init(&answer, RECORDS_MAX);
    peer_read(peer);
    fuzz_require(answer_read(buffer_text(&peer->answered), &answer),
                 "the next good request is answered");
    fuzz_require(text_is(buffer_text(&answer), wanted), "the next good request is answered right");
    buffer_clear(&answer);
    peer_close(peer);
}

/* What happens while the worker waits: how many milliseconds pass. */
static int play(int wait_ms)
{
    int passes_ms = -1;
    switch (run.scene) {
    case SCENE_SCRIPT:
        passes_ms = conversation_go_on(&run.conversation);
        if (passes_ms >= 0) {
            return passes_ms;
        }
        conversation_ask(&run.conversation, &run.good, "/good", (struct text){0});
        conversation_ask(&run.conversation, &run.posted, "/good", TEXT("a=b"));
        conversation_ask(&run.conversation, &run.known, "/known", TEXT("a=b"));
        run.scene = SCENE_GOOD;
        return 0;
    case SCENE_GOOD:
        check_good(&run.good, GOOD_HEAD "0 1 /good 0");
        tell_to_stop();
        return 0;
    case SCENE_TAKEN_OVER:
        tell_to_stop();
        return 0;
    case SCENE_STOP:
    default:
        fuzz_require(wait_ms >= 0, "a worker that stops waits for a deadline at most");
        return wait_ms;
    }
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int room, int wait_ms)
{
    int count = __real_epoll_wait(epoll, events, room, 0);
    check_memory();
    fuzz_require(run.turns++ < TURNS_MAX, "a worker waits where nothing is to be done");
    if (count != 0 || wait_ms == 0) {
        return count;
    }
    run.now_ms += play(wait_ms);
    return __real_epoll_wait(epoll, events, room, 0);
}

int64_t __wrap_clock_monotonic_ms(void)
{
    return run.now_ms;
}

/* ---- the run ---- */

static void set_up(void)
{
    log_open("fuzz", LOG_LEVEL_ERROR);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path("s.sock"));
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fuzz_require(listener >= 0 &&
                     bind(listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
                     listen(listener, BACKLOG) == 0,
                 "a socket can be listened to");
}

/* The life of one process: it must stop when it is told to. */
static void serve(const struct http_program *program, const struct fastcgi_duty *duty,
                  struct fastcgi_crew *crew)
{
    const struct timespec at_once = {0};
    sigset_t stop;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, STOP);
    (void)sigprocmask(SIG_BLOCK, &stop, NULL);
    fuzz_require(fastcgi_serve(program, NULL, duty, crew) == 0, "a worker stops in order");
    (void)sigtimedwait(&stop, NULL, &at_once);
    (void)sigprocmask(SIG_UNBLOCK, &stop, NULL);
    fuzz_require(run.scene == SCENE_STOP, "a worker stops when it is told to");
}

static void serve_all(bool is_slow)
{
    const struct http_program program = {.name = "fuzz",
                                         .reads_body = true,
                                         .is_slow = is_slow,
                                         .known_as = known_as,
                                         .handle = handle,
                                         .refuse = refuse,
                                         .tend = tend,
                                         .rest = let_rest};
    struct fastcgi_crew crew = {0};
    struct handover handover;
    struct fastcgi_duty duty = {.listener = listener};
    if (!is_slow) {
        serve(&program, &duty, &crew);
        return;
    }
    fuzz_require(handover_open(&handover) == OK, "there are lines");
    duty.handover = &handover;
    duty.is_porter = true;
    duty.is_helper = true;
    serve(&program, &duty, &crew);
    duty.is_porter = false;
    duty.is_helper = false;
    run.scene = SCENE_TAKEN_OVER;
    serve(&program, &duty, &crew);
    handover_close(&handover);
}

/* How many answers there were. */
static size_t play_script(struct text script)
{
    bool is_slow = script.len > 0 && script.data[0] == SLOW;
    run.scene = SCENE_SCRIPT;
    run.turns = 0;
    run.now_ms = 1000000;
    conversation_open(&run.conversation, &address, script);
    note_memory();
    serve_all(is_slow);
    check_good(&run.posted, GOOD_HEAD "0 3 /good 1");
    check_good(&run.known, GOOD_HEAD "0 3 /known 1");
    for (size_t i = 0; i < CONVERSATION_PEERS; i++) {
        peer_read(&run.conversation.peers[i]);
    }
    size_t answers = conversation_check(&run.conversation);
    conversation_close(&run.conversation);
    return answers;
}

bool fuzz_one(struct text input)
{
    if (listener < 0) {
        set_up();
    }
    return play_script(input) > 0;
}
