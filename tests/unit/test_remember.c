/* What sessions remember in the different stores, and when they go from one to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "database.h"
#include "http/cookie.h"
#include "scratch.h"
#include "session/remember.h"
#include "session/sealed.h"

static struct config *config;
static struct store *store;
static struct sessions sessions;
static struct user alice;
static struct token token; /* of the session at hand */
static struct session_row row;
static uint64_t excess;

static const struct session_start at_noon = {.now_s = NOON};

/* New sessions go there from now on. */
static void use_store(enum session_store wanted)
{
    sessions_close(&sessions);
    config->session.store = wanted;
    assert_int_equal(sessions_open(config, store, STORE_ROLE_ADMIN, false, &sessions), OK);
}

static int set_up(void **state)
{
    (void)state;
    char error[CONFIG_ERROR_MAX] = "";
    char text[512];
    (void)snprintf(text, sizeof text, "[state]\ndirectory = %s\nrun_directory = %s\n",
                   scratch_folder(), scratch_folder());
    assert_int_equal(config_load(scratch_write("test.conf", text), &config, error), OK);
    (void)database_make();
    store = database_open(STORE_ROLE_ADMIN);
    alice = database_add_user(store, "alice");
    sessions = (struct sessions){0};
    excess = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sessions_close(&sessions);
    store_close(&store);
    config_free(&config);
    return 0;
}

static void begin_in(enum session_store wanted)
{
    use_store(wanted);
    assert_int_equal(session_begin(&sessions, &alice, &at_noon, &token), OK);
    assert_int_equal(session_find(&sessions, &token, NOON, &row), OK);
}

static struct session_data *read_data(void)
{
    struct session_data *data = NULL;
    assert_int_equal(session_data_new(1 << 20, &data), OK);
    assert_int_equal(remember_read(&sessions, &token, &row, data), OK);
    return data;
}

static enum status write_data(struct session_data *data)
{
    return token.kind == TOKEN_SEALED
               ? remember_seal(&row, data, remember_room(TOKEN_TEXT_MAX), &token, &excess)
               : remember_save(&sessions, &token, &row, data, &excess);
}

static void put(const char *name, const char *value, size_t len)
{
    struct session_data *data = read_data();
    assert_int_equal(session_data_put(data, text_of(name), (struct text){value, len}), OK);
    assert_int_equal(write_data(data), OK);
    session_data_free(&data);
}

static void drop(const char *name)
{
    struct session_data *data = read_data();
    assert_int_equal(session_data_drop(data, text_of(name)), OK);
    assert_int_equal(write_data(data), OK);
    session_data_free(&data);
}

/* The names in order, each with the first byte of its value: "a1 b2". */
static void expect(const char *content)
{
    char found[128] = "";
    size_t len = 0;
    struct text name = {0};
    struct session_data *data = read_data();
    while ((name = session_data_next(data, name)).data != NULL) {
        int printed = snprintf(found + len, sizeof found - len, "%s%s%.1s", len > 0 ? " " : "",
                               name.data, session_data_get(data, name).data);
        assert_in_range(printed, 1, sizeof found - len - 1);
        len += (size_t)printed;
    }
    assert_string_equal(found, content);
    session_data_free(&data);
}

/* Goes on with a renewed token, of the store named. */
static void renew_in(enum session_store wanted)
{
    struct token former = token;
    use_store(wanted);
    assert_int_equal(session_renew(&sessions, &former, &row, &at_noon, &token), OK);
    assert_memory_equal(token.id, former.id, sizeof token.id);
    assert_int_equal(session_find(&sessions, &token, NOON, &row), OK);
}

static void each_store_remembers_what_was_saved(void **state)
{
    (void)state;
    static const enum session_store stores[] = {SESSION_STORE_DATABASE, SESSION_STORE_CACHE,
                                                SESSION_STORE_COOKIE};
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        begin_in(stores[i]);
        expect("");
        put("b", "2", 1);
        put("a", "1", 1);
        put("empty", "", 0);
        expect("a1 b2 empty");
        drop("a");
        expect("b2 empty");
        begin_in(stores[i]);
        expect("");
    }
}

static void a_renewed_sealed_token_remembers_the_same(void **state)
{
    (void)state;
    begin_in(SESSION_STORE_COOKIE);
    put("a", "1", 1);
    renew_in(SESSION_STORE_COOKIE);
    expect("a1");
}

static void a_session_that_changes_stores_takes_along_what_it_remembers(void **state)
{
    (void)state;
    static const struct {
        enum session_store from, to;
    } changes[] = {
        {SESSION_STORE_DATABASE, SESSION_STORE_COOKIE},
        {SESSION_STORE_DATABASE, SESSION_STORE_CACHE},
        {SESSION_STORE_CACHE, SESSION_STORE_DATABASE},
        {SESSION_STORE_CACHE, SESSION_STORE_COOKIE},
        {SESSION_STORE_COOKIE, SESSION_STORE_DATABASE},
        {SESSION_STORE_COOKIE, SESSION_STORE_CACHE},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        begin_in(changes[i].from);
        enum token_kind kind = token.kind;
        put("a", "1", 1);
        put("b", "2", 1);
        renew_in(changes[i].to);
        assert_int_not_equal(token.kind, kind);
        expect("a1 b2");
        put("a", "3", 1);
        drop("b");
        put("c", "4", 1);
        renew_in(changes[i].from);
        assert_int_equal(token.kind, kind);
        expect("a3 c4");
    }
}

static void what_no_cookie_holds_stays_in_its_store(void **state)
{
    (void)state;
    static const char large[4000] = "x";
    begin_in(SESSION_STORE_DATABASE);
    put("a", large, sizeof large);
    renew_in(SESSION_STORE_COOKIE);
    assert_int_equal(token.kind, TOKEN_STORED);
    assert_int_equal(token.issued_s, NOON);
    expect("ax");
}

static void a_sealed_token_tells_by_how_much_it_is_too_small(void **state)
{
    (void)state;
    static const char large[4000] = "";
    begin_in(SESSION_STORE_COOKIE);
    put("a", "1", 1);
    struct session_data *data = read_data();
    size_t room = remember_room(TOKEN_TEXT_MAX);
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){large, room - 5 - 4 + 7}), OK);
    assert_int_equal(write_data(data), ERR_TOO_LARGE);
    assert_int_equal(excess, 7);
    expect("a1");
    assert_int_equal(session_data_put(data, TEXT("b"), (struct text){large, room - 5 - 4}), OK);
    assert_int_equal(write_data(data), OK);
    session_data_free(&data);
    expect("a1 b");
}

static void the_room_is_what_fits_into_the_text(void **state)
{
    (void)state;
    size_t fixed = TOKEN_SEALED_FRAME_BYTES + SEALED_FIXED_BYTES;
    assert_int_equal(remember_room(0), 0);
    assert_int_equal(remember_room(TOKEN_SEALED_TEXT_LEN(SEALED_FIXED_BYTES)), 0);
    for (size_t len = 300; len < 320; len++) {
        size_t room = remember_room(len);
        assert_in_range(BASE64URL_LEN(fixed + room), 0, len);
        assert_true(BASE64URL_LEN(fixed + room + 1) > len);
    }
    assert_int_equal(remember_room(SIZE_MAX), TOKEN_BODY_MAX - SEALED_FIXED_BYTES);
}

/* What is carried over without knowing the cookie must fit into the widest there can be. */
static void the_longest_token_fits_into_every_cookie(void **state)
{
    (void)state;
    char domain[254] = "";
    static const size_t lens[] = {0, 1, 40, 253};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        for (size_t at = 0; at < lens[i]; at++) {
            domain[at] = at % 50 == 49 ? '.' : 'a';
        }
        struct cookie cookie = {
            .name = lens[i] == 0 ? "__Host-latchkey" : "__Secure-latchkey",
            .domain = domain,
            .secure = true,
            .keep = true,
            .max_age_s = 400 * 86400,
        };
        assert_in_range(TOKEN_TEXT_MAX - lens[i], 1, cookie_room(&cookie));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_store_remembers_what_was_saved),
        TEST(a_renewed_sealed_token_remembers_the_same),
        TEST(a_session_that_changes_stores_takes_along_what_it_remembers),
        TEST(what_no_cookie_holds_stays_in_its_store),
        TEST(a_sealed_token_tells_by_how_much_it_is_too_small),
        cmocka_unit_test(the_room_is_what_fits_into_the_text),
        cmocka_unit_test(the_longest_token_fits_into_every_cookie),
    };
    log_open("test_remember", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
