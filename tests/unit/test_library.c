/* The library for other people's programs, through its public header, and the manual of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "command_line.h"
#include "latchkey.h"
#include "scratch.h"

#define WRITERS 50
#define LIMIT   65536

static struct lk_site *site;
static struct auth auth; /* of the administrator, who signs people in */
static struct config *config;
static struct user alice;
static char *environment[3];
static char cookie[4200];

/* Signs alice in; the cookie of the environment is hers from now on. */
static void sign_in(void)
{
    struct session_start start = {0};
    struct token token = {0};
    char text[TOKEN_TEXT_MAX + 1];
    assert_int_equal(clock_get(&start.now_s), OK);
    assert_int_equal(session_begin(&auth.sessions, &alice, &start, &token), OK);
    assert_int_equal(token_encode(auth.keyring, &token, text), OK);
    (void)snprintf(cookie, sizeof cookie, "HTTP_COOKIE=a=b; %s=%s", config_cookie_name(config),
                   text);
    environment[1] = cookie;
}

/* Over an installation that is there, with the store named. */
static void open_all(const char *store)
{
    char error[CONFIG_ERROR_MAX] = "";
    char more[64];
    (void)snprintf(more, sizeof more, "[session]\nstore = %s\n", store);
    command_line_configure(more);
    assert_int_equal(config_load(NULL, &config, error), OK);
    assert_int_equal(auth_open(config, "test", STORE_ROLE_ADMIN, false, &auth), OK);
    alice = (struct user){.name = "alice",
                          .display = "Alice <A>",
                          .email = "alice@example.org",
                          .groups = "staff,admins",
                          .hash = "$none$",
                          .created_s = 1};
    assert_int_equal(users_add(auth.store, &alice), OK);
    static char first[] = "REQUEST_METHOD=GET";
    environment[0] = first;
    sign_in();
    assert_int_equal(lk_open(NULL, "test_library", &site), LK_OK);
}

static int set_up(void **state)
{
    (void)state;
    command_line_install();
    open_all("database");
    return 0;
}

static int set_up_cache(void **state)
{
    (void)state;
    command_line_install();
    open_all("cache");
    return 0;
}

static int set_up_cookie(void **state)
{
    (void)state;
    command_line_install();
    open_all("cookie");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lk_close(site);
    auth_close(&auth);
    config_free(&config);
    return 0;
}

static struct lk_session *open_session(void)
{
    struct lk_session *session = NULL;
    assert_int_equal(lk_session_open(site, environment, &session), LK_OK);
    return session;
}

static void put(struct lk_session *session, const char *name, const char *value)
{
    assert_int_equal(lk_session_put(session, name, value, strlen(value)), LK_OK);
}

static void a_visitor_is_known_by_the_cookie(void **state)
{
    (void)state;
    struct lk_session *session = open_session();
    assert_string_equal(lk_session_user(session), "alice");
    assert_string_equal(lk_session_name(session), "Alice <A>");
    assert_string_equal(lk_session_email(session), "alice@example.org");
    assert_string_equal(lk_session_groups(session), "staff,admins");
    assert_string_equal(lk_session_error(session), "");
    assert_string_equal(lk_path(site), "/auth");
    lk_session_close(session);
    lk_session_close(NULL);
}

static void nobody_has_no_session(void **state)
{
    (void)state;
    static const char *const cookies[] = {NULL, "HTTP_COOKIE=", "HTTP_COOKIE=latchkey=x",
                                          "HTTP_COOKIE_=x", "X=y"};
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        struct lk_session *session = NULL;
        (void)snprintf(cookie, sizeof cookie, "%s", cookies[i] != NULL ? cookies[i] : "");
        environment[1] = cookies[i] != NULL ? cookie : NULL;
        assert_int_equal(lk_session_open(site, environment, &session), LK_NOBODY);
        assert_null(session);
    }
    sign_in();
    lk_session_close(open_session());
    cookie[strlen(cookie) - 3] ^= 1;
    struct lk_session *session = NULL;
    assert_int_equal(lk_session_open(site, environment, &session), LK_NOBODY);
}

static void what_was_saved_is_there_with_the_next_request(void **state)
{
    (void)state;
    size_t len = 77;
    struct lk_session *session = open_session();
    assert_null(lk_session_get(session, "a", &len));
    assert_int_equal(len, 0);
    assert_null(lk_session_next(session, NULL));
    put(session, "b", "two");
    assert_int_equal(lk_session_put(session, "a", "\0x", 2), LK_OK);
    assert_int_equal(lk_session_save(session), LK_OK);
    put(session, "forgotten", "not saved");
    lk_session_close(session);
    session = open_session();
    assert_string_equal(lk_session_next(session, NULL), "a");
    assert_string_equal(lk_session_next(session, "a"), "b");
    assert_null(lk_session_next(session, "b"));
    assert_memory_equal(lk_session_get(session, "a", &len), "\0x", 3);
    assert_int_equal(len, 2);
    assert_string_equal(lk_session_get(session, "b", NULL), "two");
    assert_int_equal(lk_session_delete(session, "b"), LK_OK);
    assert_int_equal(lk_session_delete(session, "b"), LK_NOT_FOUND);
    assert_int_equal(lk_session_save(session), LK_OK);
    assert_null(lk_session_cookie(session));
    lk_session_close(session);
    session = open_session();
    assert_null(lk_session_get(session, "b", NULL));
    lk_session_close(session);
}

static void a_bad_name_is_refused(void **state)
{
    (void)state;
    struct lk_session *session = open_session();
    assert_int_equal(lk_session_put(session, "a b", "", 0), LK_INVALID);
    assert_non_null(strstr(lk_session_error(session), "letters"));
    assert_int_equal(lk_session_put(session, "", "", 0), LK_INVALID);
    assert_int_equal(lk_session_put(session, NULL, "", 0), LK_INVALID);
    assert_null(lk_session_next(session, NULL));
    lk_session_close(session);
}

static void too_much_is_told_by_how_many_bytes_and_nothing_changes(void **state)
{
    (void)state;
    static const char large[2 * LIMIT + (1 << 20)] = "";
    struct lk_session *session = open_session();
    put(session, "kept", "1");
    assert_int_equal(lk_session_save(session), LK_OK);
    put(session, "kept", "2");
    assert_int_equal(lk_session_put(session, "large", large, LIMIT), LK_OK);
    assert_int_equal(lk_session_save(session), LK_TOO_LARGE);
    assert_string_equal(lk_session_error(session),
                        "Nothing was saved: this would be 10 bytes more than there is room for; "
                        "remove or shorten something first.");
    assert_string_equal(lk_session_get(session, "kept", NULL), "1");
    assert_null(lk_session_get(session, "large", NULL));
    assert_int_equal(lk_session_put(session, "large", large, sizeof large), LK_TOO_LARGE);
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "be %zu bytes more", sizeof large + 10 - LIMIT);
    assert_non_null(strstr(lk_session_error(session), wanted));
    assert_int_equal(lk_session_put(session, "large", large, LIMIT - 10), LK_OK);
    assert_int_equal(lk_session_save(session), LK_OK);
    lk_session_close(session);
    session = open_session();
    assert_string_equal(lk_session_get(session, "kept", NULL), "1");
    lk_session_close(session);
}

static void a_session_that_ended_meanwhile_saves_nothing(void **state)
{
    (void)state;
    struct lk_session *session = open_session();
    put(session, "a", "1");
    int64_t ended = 0;
    assert_int_equal(users_renew_salt(auth.store, alice.id, &ended), OK);
    assert_int_equal(lk_session_save(session), LK_NOBODY);
    assert_null(lk_session_get(session, "a", NULL));
    assert_non_null(strstr(lk_session_error(session), "sign in"));
    lk_session_close(session);
    assert_int_equal(lk_session_open(site, environment, &session), LK_NOBODY);
    assert_null(session);
}

static void forms_are_guarded_by_session(void **state)
{
    (void)state;
    struct lk_session *session = open_session();
    sign_in();
    struct lk_session *other = open_session();
    const char *csrf = lk_session_csrf(session);
    assert_int_equal(strlen(csrf), CSRF_TEXT_LEN);
    assert_int_equal(lk_session_csrf_check(session, csrf), 1);
    assert_int_equal(lk_session_csrf_check(other, csrf), 0);
    assert_int_equal(lk_session_csrf_check(session, ""), 0);
    assert_int_equal(lk_session_csrf_check(session, NULL), 0);
    lk_session_close(other);
    lk_session_close(session);
}

static void an_installation_that_cannot_be_read_is_no_site(void **state)
{
    (void)state;
    struct lk_site *none = NULL;
    assert_int_equal(lk_open(scratch_path("no.conf"), "test_library", &none), LK_UNAVAILABLE);
    assert_null(none);
    assert_int_equal(lk_open(scratch_write("bad.conf", "[nonsense]\n"), "test_library", &none),
                     LK_UNAVAILABLE);
    assert_null(none);
    lk_close(NULL);
}

/* What a browser sends after it got the line. */
static void take_line(const char *line)
{
    static const char head[] = "Set-Cookie: ";
    assert_non_null(line);
    assert_memory_equal(line, head, sizeof head - 1);
    assert_in_range(strlen(line), 1, sizeof head - 1 + 4096);
    assert_null(strpbrk(line, "\r\n"));
    line += sizeof head - 1;
    (void)snprintf(cookie, sizeof cookie, "HTTP_COOKIE=%.*s", (int)strcspn(line, ";"), line);
}

static void the_cookie_store_hands_out_a_line(void **state)
{
    (void)state;
    static const char large[4096] = "";
    char former[sizeof cookie];
    struct lk_session *session = open_session();
    put(session, "a", "1");
    assert_null(lk_session_cookie(session));
    assert_int_equal(lk_session_save(session), LK_OK);
    (void)snprintf(former, sizeof former, "%s", cookie);
    take_line(lk_session_cookie(session));
    put(session, "b", "2");
    assert_int_equal(lk_session_save(session), LK_OK);
    take_line(lk_session_cookie(session));
    assert_int_equal(lk_session_put(session, "large", large, sizeof large), LK_OK);
    put(session, "a", "3");
    assert_int_equal(lk_session_save(session), LK_TOO_LARGE);
    assert_non_null(strstr(lk_session_error(session), "bytes more"));
    lk_session_close(session);
    session = open_session();
    assert_string_equal(lk_session_get(session, "a", NULL), "1");
    assert_string_equal(lk_session_get(session, "b", NULL), "2");
    assert_null(lk_session_get(session, "large", NULL));
    lk_session_close(session);
    (void)snprintf(cookie, sizeof cookie, "%s", former); /* as it is said: he may come back so */
    session = open_session();
    assert_null(lk_session_next(session, NULL));
    lk_session_close(session);
}

static void the_cookie_is_filled_to_its_last_byte(void **state)
{
    (void)state;
    static const char large[4096] = "";
    struct lk_session *session = open_session();
    assert_int_equal(lk_session_put(session, "v", large, sizeof large), LK_OK);
    assert_int_equal(lk_session_save(session), LK_TOO_LARGE);
    unsigned excess = 0;
    assert_int_equal(
        sscanf(lk_session_error(session), "Nothing was saved: this would be %u", &excess), 1);
    assert_in_range(excess, 1, sizeof large);
    assert_int_equal(lk_session_put(session, "v", large, sizeof large - excess + 1), LK_OK);
    assert_int_equal(lk_session_save(session), LK_TOO_LARGE);
    assert_non_null(strstr(lk_session_error(session), "1 byte more"));
    assert_int_equal(lk_session_put(session, "v", large, sizeof large - excess), LK_OK);
    assert_int_equal(lk_session_save(session), LK_OK);
    take_line(lk_session_cookie(session));
    lk_session_close(session);
    size_t len = 0;
    session = open_session();
    assert_non_null(lk_session_get(session, "v", &len));
    assert_int_equal(len, sizeof large - excess);
    lk_session_close(session);
}

/* One of many programs. */
static int write_as(size_t number)
{
    char name[16];
    struct lk_session *session = NULL;
    (void)snprintf(name, sizeof name, "writer-%zu", number);
    enum lk_status status = lk_session_open(site, environment, &session);
    if (status == LK_OK) {
        status = lk_session_put(session, name, "1", 1);
    }
    if (status == LK_OK) {
        status = lk_session_save(session);
    }
    lk_session_close(session);
    return (int)status;
}

static void no_name_of_fifty_parallel_programs_is_lost(void **state)
{
    (void)state;
    pid_t writers[WRITERS];
    auth_disconnect(&auth);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_int_not_equal(writers[i], -1);
        if (writers[i] == 0) {
            _exit(write_as(i));
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int result = -1;
        assert_int_equal(waitpid(writers[i], &result, 0), writers[i]);
        assert_int_equal(result, 0);
    }
    size_t count = 0;
    struct lk_session *session = open_session();
    for (const char *name = lk_session_next(session, NULL); name != NULL;
         name = lk_session_next(session, name)) {
        count++;
    }
    assert_int_equal(count, WRITERS);
    lk_session_close(session);
}

static void read_whole(const char *path, struct buffer *out)
{
    buffer_init(out, 1 << 20);
    assert_int_equal(file_read(path, out), OK);
}

/* Whether the manual has it as a macro's word: ".Fn lk_open" or ".Dv LK_OK". */
static bool manual_has(const char *manual, const char *macro, const char *word)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\n.%s %s", macro, word);
    return strstr(manual, wanted) != NULL;
}

static void the_manual_has_every_function_and_status(void **state)
{
    (void)state;
    struct buffer header;
    struct buffer manual;
    size_t functions = 0;
    size_t statuses = 0;
    read_whole("src/latchkey.h", &header);
    read_whole("man/latchkey.3", &manual);
    char *rest = NULL;
    for (char *line = strtok_r(header.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char word[64] = "";
        const char *at = strstr(line, "lk_");
        const char *open = strchr(line, '(');
        if (line[0] >= 'a' && line[0] <= 'z' && open != NULL) {
            while (strstr(at + 1, "lk_") != NULL && strstr(at + 1, "lk_") < open) {
                at = strstr(at + 1, "lk_");
            }
            (void)snprintf(word, sizeof word, "%.*s", (int)(open - at), at);
            if (!manual_has(manual.data, "Fn", word)) {
                fail_msg("man/latchkey.3 lacks %s", word);
            }
            functions++;
        } else if (sscanf(line, "    %63[A-Z_]", word) == 1 && strncmp(word, "LK_", 3) == 0) {
            if (!manual_has(manual.data, "It Dv", word)) {
                fail_msg("man/latchkey.3 lacks %s", word);
            }
            statuses++;
        }
    }
    assert_int_equal(functions, 19);
    assert_int_equal(statuses, 7);
    buffer_clear(&header);
    buffer_clear(&manual);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_visitor_is_known_by_the_cookie),
        TEST(nobody_has_no_session),
        TEST(what_was_saved_is_there_with_the_next_request),
        TEST(a_bad_name_is_refused),
        TEST(too_much_is_told_by_how_many_bytes_and_nothing_changes),
        TEST(a_session_that_ended_meanwhile_saves_nothing),
        TEST(forms_are_guarded_by_session),
        TEST(an_installation_that_cannot_be_read_is_no_site),
        TEST(no_name_of_fifty_parallel_programs_is_lost),
        cmocka_unit_test_setup_teardown(what_was_saved_is_there_with_the_next_request, set_up_cache,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_name_of_fifty_parallel_programs_is_lost, set_up_cache,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_cookie_store_hands_out_a_line, set_up_cookie,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_cookie_is_filled_to_its_last_byte, set_up_cookie,
                                        tear_down),
        cmocka_unit_test(the_manual_has_every_function_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
