#define _DEFAULT_SOURCE /* syscall */
/* Lines for the system's log, sent to a socket that stands in for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/syslog.h"
#include "capture.h"
#include "scratch.h"
#include "tables.h"

/* Where what is sent goes, whatever it was sent to. */
static const char *listener_path;
static char asked_path[108];

ssize_t sendto(int descriptor, const void *bytes, size_t count, int flags,
               const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_un to;
    assert_int_equal(len, sizeof to);
    memcpy(&to, address, sizeof to);
    (void)snprintf(asked_path, sizeof asked_path, "%s", to.sun_path);
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", listener_path);
    return (ssize_t)syscall(SYS_sendto, descriptor, bytes, count, flags, &to, sizeof to);
}

static int listener = -1;

static int start(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)state;
    listener_path = scratch_path("log");
    (void)unlink(listener_path);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", listener_path);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    log_open("login", LOG_LEVEL_INFO);
    capture_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_end();
    (void)close(listener);
    return 0;
}

/* The next line that came, behind its time; "" when none did. */
static const char *receive(void)
{
    static char message[2000];
    ssize_t len = recv(listener, message, sizeof message - 1, 0);
    if (len < 0) {
        return "";
    }
    message[len] = '\0';
    assert_null(strchr(message, '\n'));
    assert_memory_equal(message, "<84>", 4); /* authpriv 10 * 8 + warning 4 */
    assert_int_equal(message[4 + 15], ' ');  /* "Nov 29 16:05:09 " */
    return message + 4 + 16;
}

static void assert_received(const char *line)
{
    char wanted[1000];
    (void)snprintf(wanted, sizeof wanted, "latchkey[%ld]: %s", (long)getpid(), line);
    assert_string_equal(receive(), wanted);
}

static void a_wrong_password_is_one_line_in_both_logs(void **state)
{
    static const struct {
        const char *user, *address, *line;
    } cases[] = {
        {"alice", "192.0.2.7", "authentication failure; user=alice rhost=192.0.2.7"},
        {"a.b_c-d@e+F9", "2001:DB8:0:0::1",
         "authentication failure; user=a.b_c-d@e+F9 rhost=2001:db8::1"},
        {"", "::ffff:192.0.2.7", "authentication failure; user= rhost=192.0.2.7"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "authentication failure; "
         "user=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa rhost=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "192.0.2.7",
         "authentication failure; user= rhost=192.0.2.7"},
        {"alice rhost=203.0.113.1", "192.0.2.7", "authentication failure; user= rhost=192.0.2.7"},
        {"alice\nx", "192.0.2.7", "authentication failure; user= rhost=192.0.2.7"},
        {"\303\266", "192.0.2.7", "authentication failure; user= rhost=192.0.2.7"},
        {"alice", "192.0.2.7 x", "authentication failure; user=alice rhost="},
        {"alice", "", "authentication failure; user=alice rhost="},
        {"alice", "fe80::1%eth0", "authentication failure; user=alice rhost="},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char wanted[1000];
        errno = ENOSPC;
        log_authentication_failure(text_of(cases[i].user), text_of(cases[i].address));
        assert_int_equal(errno, ENOSPC);
        assert_string_equal(asked_path, "/dev/log");
        assert_received(cases[i].line);
        (void)snprintf(wanted, sizeof wanted, "login[%ld]: warning: %s\n", (long)getpid(),
                       cases[i].line);
        assert_string_equal(capture_next(), wanted);
        assert_string_equal(capture_next(), "");
        assert_string_equal(receive(), "");
    }
}

static void the_system_has_it_whatever_the_level_of_our_log(void **state)
{
    (void)state;
    log_open("login", LOG_LEVEL_ERROR);
    log_authentication_failure(TEXT("alice"), TEXT("192.0.2.7"));
    assert_string_equal(capture_next(), "");
    assert_received("authentication failure; user=alice rhost=192.0.2.7");
}

static void where_no_log_is_kept_nothing_fails(void **state)
{
    (void)state;
    (void)unlink(listener_path);
    assert_int_equal(syslog_send("/dev/log", LOG_AUTHPRIV | LOG_WARNING, TEXT("x")), ERR_SYSTEM);
    log_authentication_failure(TEXT("alice"), TEXT("192.0.2.7"));
    assert_non_null(strstr(capture_next(), "user=alice rhost=192.0.2.7\n"));
}

static void a_log_that_has_stopped_holds_nobody_up(void **state)
{
    enum status status = OK;
    (void)state;
    (void)alarm(10); /* ends the test if it comes to a halt */
    for (int i = 0; i < 10000 && status == OK; i++) {
        status = syslog_send("/dev/log", LOG_AUTHPRIV | LOG_WARNING, TEXT("x"));
    }
    (void)alarm(0);
    assert_int_equal(status, ERR_SYSTEM);
}

static void what_is_too_long_is_not_sent(void **state)
{
    char line[SYSLOG_LINE_MAX + 1];
    char path[200];
    (void)state;
    memset(line, 'x', sizeof line);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(
        syslog_send("/l", LOG_AUTHPRIV | LOG_WARNING, (struct text){line, sizeof line}),
        ERR_TOO_LARGE);
    assert_int_equal(syslog_send(path, LOG_AUTHPRIV | LOG_WARNING, TEXT("x")), ERR_TOO_LARGE);
    assert_int_equal(
        syslog_send("/l", LOG_AUTHPRIV | LOG_WARNING, (struct text){line, SYSLOG_LINE_MAX}), OK);
    assert_string_equal(asked_path, "/l");
    assert_int_equal(strlen(strchr(receive(), ' ')), SYSLOG_LINE_MAX + 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_password_is_one_line_in_both_logs),
        TEST(the_system_has_it_whatever_the_level_of_our_log),
        TEST(where_no_log_is_kept_nothing_fails),
        TEST(a_log_that_has_stopped_holds_nobody_up),
        TEST(what_is_too_long_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
