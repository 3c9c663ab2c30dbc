/* Databases of earlier programs, and what the steps make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "database.h"
#include "scratch.h"
#include "store/schema.h"
#include "store/session_data.h"

#define SESSIONS 200

/* A key that begins with every possible byte, and is none of a pattern. */
static void make_key(int number, uint8_t out[SESSION_KEY_BYTES])
{
    for (int i = 0; i < SESSION_KEY_BYTES; i++) {
        out[i] = (uint8_t)(number * (i == 0 ? 177 : 7 * i + 1) + i);
    }
}

static void print_key(int number, char out[2 * SESSION_KEY_BYTES + 1])
{
    uint8_t key[SESSION_KEY_BYTES];
    make_key(number, key);
    for (int i = 0; i < SESSION_KEY_BYTES; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", key[i]);
    }
}

/* The database as the second step leaves it, with a user, sessions and what they remember. */
static void make_database_of_two_steps(void)
{
    struct embedded_file steps[3] = {embedded_schema[0], embedded_schema[1], {0}};
    struct db *db = NULL;
    char key[2 * SESSION_KEY_BYTES + 1];
    char script[1024];
    (void)database_make();
    database_hide();
    assert_int_equal(database_connect(scratch_path("latchkey.db"), DB_CREATE, &db), OK);
    assert_int_equal(schema_apply(db, steps), OK);
    assert_int_equal(db_exec(db, "INSERT INTO user VALUES (7, 'alice', 'Alice', '', 'staff', '$h$',"
                                 " zeroblob(32), 0, 1, 1); BEGIN"),
                     OK);
    for (int i = 0; i < SESSIONS; i++) {
        print_key(i, key);
        (void)snprintf(script, sizeof script,
                       "INSERT INTO session VALUES (x'%s', 7, zeroblob(32), %d, %d, 60, %d, %d,"
                       " '192.0.2.%d', 'browser %d');"
                       "INSERT INTO session_data VALUES (x'%s', 'cart', CAST('item %d' AS BLOB))",
                       key, 1000 + i, 2000 + i, 3000 + i, i % 2, i, i % 5, key, i);
        assert_int_equal(db_exec(db, script), OK);
    }
    assert_int_equal(db_exec(db, "COMMIT"), OK);
    db_close(&db);
}

static bool expect_item(void *context, struct text name, struct text value)
{
    char wanted[16];
    (void)snprintf(wanted, sizeof wanted, "item %d", *(int *)context);
    assert_true(text_is(name, "cart"));
    assert_true(text_is(value, wanted));
    *(int *)context = -1;
    return true;
}

static void expect_session(struct store *store, int number)
{
    struct session_row row;
    char address[32];
    char agent[32];
    uint8_t key[SESSION_KEY_BYTES];
    make_key(number, key);
    (void)snprintf(address, sizeof address, "192.0.2.%d", number);
    (void)snprintf(agent, sizeof agent, "browser %d", number % 5);
    assert_int_equal(sessions_find(store, key, &row), OK);
    assert_memory_equal(row.key, key, sizeof key);
    assert_int_equal(row.user_id, 7);
    assert_int_equal(row.created_s, 1000 + number);
    assert_int_equal(row.seen_s, 2000 + number);
    assert_int_equal(row.idle_s, 60);
    assert_int_equal(row.expires_s, 3000 + number);
    assert_int_equal(row.remember, number % 2);
    assert_string_equal(row.address, address);
    assert_string_equal(row.agent, agent);
    assert_int_equal(session_data_list(store, key, expect_item, &number), OK);
    assert_int_equal(number, -1);
}

static void sessions_of_an_earlier_program_go_on(void **state)
{
    (void)state;
    int from = 0;
    int to = 0;
    struct session_row row;
    char id[SESSION_ID_LEN + 1];
    make_database_of_two_steps();
    struct store *store = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_connect(store), ERR_SCHEMA_OLD);
    assert_int_equal(store_migrate(store, &from, &to), OK);
    assert_int_equal(from, 2);
    assert_int_equal(to, store_schema_number());
    assert_int_equal(store_verify(store), OK);
    for (int i = 0; i < SESSIONS; i++) {
        expect_session(store, i);
    }
    make_key(131, row.key);
    session_print_id(row.key, id);
    assert_int_equal(sessions_find_by_id(store, text_of(id), &row), OK);
    assert_int_equal(row.created_s, 1131);
    assert_int_equal(sessions_remove(store, row.key), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM session_data"), SESSIONS - 1);
    assert_int_equal(users_remove(store, 7), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM session"), 0);
    assert_int_equal(database_ask("SELECT count(*) FROM session_data"), 0);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_of_an_earlier_program_go_on),
    };
    log_open("test_schema", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
