/* The store as a whole: schema, roles, transactions, copies, and databases that fail and come
 * back under a running program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "database.h"
#include "db/db.h"
#include "scratch.h"
#include "store/statements.h"
#include "tables.h"

static void opening_touches_no_file(void **state)
{
    (void)state;
    struct store *store = NULL;
    const char *path = scratch_path("nowhere.db");
    assert_int_equal(store_open(path, NULL, STORE_ROLE_GATE, &store), OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(store_connect(store), ERR_STORE);
    assert_int_equal(access(path, F_OK), -1);
    store_close(&store);
    assert_null(store);
    store_close(&store);
}

static void migrating_again_changes_nothing(void **state)
{
    (void)state;
    int from = 0;
    int to = 0;
    (void)database_make();
    struct store *store = database_open(STORE_ROLE_ADMIN);
    (void)database_add_user(store, "alice");
    assert_int_equal(store_migrate(store, &from, &to), OK);
    assert_int_equal(from, store_schema_number());
    assert_int_equal(to, store_schema_number());
    assert_int_equal(database_ask("SELECT count(*) FROM user"), 1);
    assert_int_equal(store_connect(store), OK);
    store_close(&store);
}

static void an_older_or_newer_schema_is_told_apart(void **state)
{
    (void)state;
    int from = 0;
    int to = 0;
    (void)database_make();
    struct store *store = database_open(STORE_ROLE_ADMIN);
    database_exec("PRAGMA user_version = 1000");
    assert_int_equal(store_connect(store), ERR_SCHEMA_NEW);
    assert_int_equal(store_migrate(store, &from, &to), ERR_SCHEMA_NEW);
    assert_int_equal(database_ask("PRAGMA user_version"), 1000);
    database_exec("PRAGMA user_version = 0");
    assert_int_equal(store_connect(store), ERR_SCHEMA_OLD);
    store_close(&store);
}

static void a_failing_step_leaves_no_half_schema(void **state)
{
    (void)state;
    int from = 0;
    int to = 0;
    (void)database_make();
    struct store *store = database_open(STORE_ROLE_ADMIN);
    /* The index that the step makes last is in its way. */
    database_exec("DROP TABLE session_data; DROP TABLE session; DROP TABLE user; CREATE TABLE "
                  "session_user (a INT) STRICT;"
                  "PRAGMA user_version = 0");
    assert_int_equal(store_migrate(store, &from, &to), ERR_STORE);
    assert_int_equal(database_ask("SELECT count(*) FROM sqlite_schema WHERE name = 'user'"), 0);
    assert_int_equal(database_ask("PRAGMA user_version"), 0);
    store_close(&store);
}

/* Who may run a statement, and whom the engine would refuse it even so: one letter for each of
 * gate, login, logout (o), account (s), program (p) and admin. The engine knows tables and columns
 * only, so it is coarser. */
#define ALL "glospa"
static const struct {
    enum statement which;
    const char *may;
    const char *refused;
} permissions[] = {
    {USER_FIND, "lsa", "gop"},
    {USER_FIND_BY_ID, ALL, ""},
    {USER_ADD, "a", "glosp"},
    {USER_CHANGE_PASSWORD, "sa", "glop"},
    {USER_SET_PASSWORD, "sa", "glop"},
    {USER_REHASH, "lsa", "gop"},
    {USER_SET_LOCKED, "a", "glosp"},
    {USER_RENEW_SALT, "sa", "glop"},
    {USER_REMOVE, "a", "glosp"},
    {USER_LIST, "a", "gop"},
    {USER_NEXT, "a", ""},
    {SESSION_ADD, "lsa", "gop"},
    {SESSION_FIND, ALL, ""},
    {SESSION_FIND_WITH_USER, ALL, ""},
    {SESSION_TOUCH, ALL, ""},
    {SESSION_REMOVE, "losa", "gp"},
    {SESSION_FIND_BY_ID, "sa", ""},
    {SESSION_STRETCH, "a", ""},
    {SESSION_PURGE_DEAD, "a", "gp"},
    {SESSION_PURGE_USER, "sa", "gp"},
    {SESSION_PURGE_SOME, "lsa", "gp"},
    {SESSION_LIST_ALL, "a", ""},
    {SESSION_LIST_OF_USER, "sa", ""},
    {REVOCATION_COUNT, "losa", "gp"},
    {REVOCATION_ADD_SESSION, "losa", "gp"},
    {REVOCATION_ADD_USER, "losa", "gp"},
    {REVOCATION_EXTEND, "losa", "gp"},
    {REVOCATION_KEEP, "losa", "gp"},
    {REVOCATION_FIND, ALL, ""},
    {REVOCATION_READ, ALL, ""},
    {REVOCATION_DUE, "lsa", ""},
    {REVOCATION_FORGET, "lsa", "gp"},
    {REVOCATION_PURGE, "lsa", "gop"},
    {SESSION_DATA_LIST, "lspa", "g"},
    {SESSION_DATA_MEASURE, "lspa", "g"},
    {SESSION_DATA_PUT, "lspa", "go"},
    {SESSION_DATA_REMOVE, "lspa", "g"},
    {AGENT_ADD, "lsa", "gop"},
    {AGENT_KEEP, "lsa", "gop"},
    {AGENT_PURGE, "lsa", "gop"},
    {THROTTLE_FIND, "lsa", "gop"},
    {THROTTLE_COUNT, "lsa", "gop"},
    {THROTTLE_RELEASE, "lsa", "gop"},
    {THROTTLE_CLEAR, "lsa", "gop"},
    {THROTTLE_CLEAR_ACCOUNT, "a", "gop"},
    {THROTTLE_CLEAR_NETWORK, "a", "gop"},
    {THROTTLE_CLEAR_ALL, "a", "gop"},
    {THROTTLE_FORGET, "lsa", "gop"},
    {THROTTLE_MEASURE, "lsa", "gop"},
    {THROTTLE_TRIM, "lsa", "gop"},
    {THROTTLE_LIST, "a", "gop"},
    {AUDIT_ENDS_GET, "losa", "gp"},
    {AUDIT_ENDS_PUT, "losa", "gp"},
    {AUDIT_FIND_LAST, "losa", "gp"},
    {AUDIT_ADD, "losa", "gp"},
    {AUDIT_DUE, "losa", "gp"},
    {AUDIT_OLDEST, "losa", "gp"},
    {AUDIT_TRIM, "losa", "gp"},
    {AUDIT_LIST, "a", "gp"},
    {AUDIT_LIST_OF_USER, "a", "gp"},
    {AUDIT_LIST_LAST, "sa", "gp"},
    {LINK_PUT, "a", "glosp"},
    {LINK_FIND, "sa", "glop"},
    {LINK_REMOVE_OF_USER, "sa", "glop"},
    {LINK_PURGE, "a", "glop"},
};

static void each_role_may_run_its_statements_and_no_others(void **state)
{
    (void)state;
    assert_int_equal(sizeof permissions / sizeof *permissions, CACHE_ADD);
    for (size_t i = 0; i < CACHE_ADD; i++) {
        unsigned wanted = 0;
        for (size_t r = 0; r < COUNT(database_roles); r++) {
            bool may = strchr(permissions[i].may, database_roles[r].letter) != NULL;
            wanted |= may ? 1U << database_roles[r].role : 0;
        }
        assert_int_equal(statement_rules[permissions[i].which].roles, wanted);
    }
}

static void the_engine_refuses_what_the_role_may_not(void **state)
{
    (void)state;
    struct db *db = NULL;
    const char *path = database_make();
    for (size_t r = 0; r < COUNT(database_roles); r++) {
        assert_int_equal(database_connect(path, DB_EXISTING, &db), OK);
        statement_limit(db, database_roles[r].role, false);
        for (size_t i = 0; i < CACHE_ADD; i++) {
            struct db_statement *statement = NULL;
            const char *sql = statement_rules[permissions[i].which].sql;
            bool refused = strchr(permissions[i].refused, database_roles[r].letter) != NULL;
            enum status status = db_prepare(db, sql, &statement);
            db_statement_free(&statement);
            if (status != (refused ? ERR_PERMISSION : OK)) {
                fail_msg("role %c, %s: %s", database_roles[r].letter, sql, status_text(status));
            }
        }
        db_close(&db);
    }
}

static void a_watched_file_is_looked_at_again_when_it_changed_or_is_written_to(void **state)
{
    (void)state;
    struct user found;
    (void)database_make();
    struct store *watched = database_open(STORE_ROLE_ADMIN);
    struct user user = database_add_user(watched, "alice");
    struct session_row row = database_add_session(watched, &user, 'k');
    store_watch(watched, 7);
    assert_int_equal(users_find_by_id(watched, user.id, &found), OK);
    database_hide();
    assert_int_equal(users_find_by_id(watched, user.id, &found), OK); /* by what the watch says */
    assert_int_equal(database_touch(watched, &row, NOON + 1), ERR_STORE);
    assert_int_equal(users_find_by_id(watched, user.id, &found), ERR_STORE);
    database_show();
    assert_int_equal(users_find_by_id(watched, user.id, &found), OK);
    assert_int_equal(users_find_by_id(watched, user.id, &found), OK);
    database_hide();
    store_watch(watched, 8);
    assert_int_equal(users_find_by_id(watched, user.id, &found), ERR_STORE);
    database_show();
    assert_int_equal(users_find_by_id(watched, user.id, &found), OK);
    database_hide();
    store_watch(watched, 0);
    assert_int_equal(users_find_by_id(watched, user.id, &found), ERR_STORE);
    database_show();
    store_close(&watched);
}

static void the_gate_reads_no_hash_and_writes_no_user(void **state)
{
    (void)state;
    struct user user;
    struct session_row row = {0};
    int64_t count = 0;
    int from = 0;
    (void)database_make();
    struct store *admin = database_open(STORE_ROLE_ADMIN);
    user = database_add_user(admin, "alice");
    row = database_add_session(admin, &user, 'k');
    struct store *gate = database_open(STORE_ROLE_GATE);
    assert_int_equal(sessions_find(gate, row.key, &row), OK);
    assert_int_equal(database_touch(gate, &row, NOON + 1), OK);
    assert_int_equal(users_find(gate, TEXT("alice"), &user), ERR_PERMISSION);
    assert_int_equal(users_rehash(gate, user.id, "$none$", "$x$"), ERR_PERMISSION);
    assert_int_equal(users_set_locked(gate, user.id, true), ERR_PERMISSION);
    assert_int_equal(sessions_remove(gate, row.key), ERR_PERMISSION);
    assert_int_equal(sessions_remove_all(gate, &count), ERR_PERMISSION);
    assert_int_equal(store_migrate(gate, &from, &from), ERR_PERMISSION);
    assert_int_equal(store_backup(gate, scratch_path("copy.db")), ERR_PERMISSION);
    assert_int_equal(store_verify(gate), ERR_PERMISSION);
    assert_int_equal(sessions_find(gate, row.key, &row), OK);
    store_close(&gate);
    store_close(&admin);
}

static void a_transaction_spans_calls_and_is_given_up_whole(void **state)
{
    (void)state;
    (void)database_make();
    struct store *store = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_begin(store), OK);
    struct user user = database_add_user(store, "alice");
    assert_int_equal(users_rehash(store, user.id, "$none$", "$new$"), OK);
    store_rollback(store);
    assert_int_equal(database_ask("SELECT count(*) FROM user"), 0);
    assert_int_equal(store_commit(store), ERR_STORE);

    assert_int_equal(store_begin(store), OK);
    user = database_add_user(store, "alice");
    struct user again = {.name = "ALICE", .hash = "$none$", .created_s = NOON};
    assert_int_equal(users_add(store, &again), ERR_EXISTS); /* ends nothing */
    assert_int_equal(store_commit(store), OK);
    assert_int_equal(database_ask("SELECT count(*) FROM user"), 1);

    assert_int_equal(store_begin(store), OK);
    (void)database_add_user(store, "bob");
    assert_int_equal(store_begin(store), ERR_STORE); /* and gives up the first */
    assert_int_equal(database_ask("SELECT count(*) FROM user"), 1);

    /* What ends sessions could not be told to other programs in time from within one. */
    assert_int_equal(store_begin(store), OK);
    (void)database_add_user(store, "bob");
    assert_int_equal(users_set_locked(store, user.id, true), ERR_STORE);
    assert_int_equal(database_ask("SELECT count(*) FROM user"), 1);
    store_close(&store);
}

static void a_database_that_goes_and_comes_back_needs_no_restart(void **state)
{
    (void)state;
    struct session_row row;
    (void)database_make();
    struct store *admin = database_open(STORE_ROLE_ADMIN);
    struct store *gate = database_open(STORE_ROLE_GATE);
    struct user user = database_add_user(admin, "alice");
    struct session_row added = database_add_session(admin, &user, 'k');
    assert_int_equal(sessions_find(gate, added.key, &row), OK);
    database_hide();
    assert_int_equal(sessions_find(gate, added.key, &row), ERR_STORE);
    assert_int_equal(sessions_remove(admin, added.key), ERR_STORE);
    assert_int_equal(sessions_find(gate, added.key, &row), ERR_STORE);
    database_show();
    assert_int_equal(sessions_find(gate, added.key, &row), OK);
    assert_int_equal(sessions_remove(admin, added.key), OK);
    assert_int_equal(sessions_find(gate, added.key, &row), ERR_NOT_FOUND);
    store_close(&gate);
    store_close(&admin);
}

static void a_database_that_is_replaced_is_used_from_the_next_call_on(void **state)
{
    (void)state;
    struct session_row row;
    const char *path = database_make();
    const char *copy = scratch_path("copy.db");
    (void)unlink(copy);
    struct store *admin = database_open(STORE_ROLE_ADMIN);
    struct store *gate = database_open(STORE_ROLE_GATE);
    struct user user = database_add_user(admin, "alice");
    struct session_row kept = database_add_session(admin, &user, 'k');
    assert_int_equal(store_backup(admin, copy), OK);
    struct session_row late = database_add_session(admin, &user, 'l');
    assert_int_equal(sessions_find(gate, late.key, &row), OK);
    assert_int_equal(rename(copy, path), 0);
    assert_int_equal(sessions_find(gate, late.key, &row), ERR_NOT_FOUND);
    assert_int_equal(sessions_find(gate, kept.key, &row), OK);
    assert_int_equal(sessions_remove(admin, kept.key), OK);
    assert_int_equal(sessions_find(gate, kept.key, &row), ERR_NOT_FOUND);
    assert_int_equal(store_verify(admin), OK);
    store_close(&gate);
    store_close(&admin);
}

static void a_corrupt_database_denies_until_it_is_mended(void **state)
{
    (void)state;
    struct session_row row;
    const char *path = database_make();
    const char *copy = scratch_path("copy.db");
    (void)unlink(copy);
    struct store *admin = database_open(STORE_ROLE_ADMIN);
    struct user user = database_add_user(admin, "alice");
    struct session_row added = database_add_session(admin, &user, 'k');
    assert_int_equal(store_backup(admin, copy), OK);
    store_close(&admin);
    database_damage(1);
    struct store *gate = database_open(STORE_ROLE_GATE);
    assert_int_equal(sessions_find(gate, added.key, &row), ERR_STORE);
    assert_int_equal(sessions_find(gate, added.key, &row), ERR_STORE);
    admin = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_verify(admin), ERR_STORE);
    assert_int_equal(rename(copy, path), 0);
    assert_int_equal(sessions_find(gate, added.key, &row), OK);
    assert_int_equal(store_verify(admin), OK);
    store_close(&gate);
    store_close(&admin);
}

static void a_row_that_holds_what_it_must_not_denies(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "UPDATE session SET agent = printf('%.*c', 201, 'x')",
        "UPDATE session SET seen_s = -9223372036854775807",
        "UPDATE session SET address = CAST(x'610062' AS TEXT)",
        "UPDATE session SET salt = x'00'",
    };
    static const char *const user_scripts[] = {
        "UPDATE user SET name = printf('%.*c', 65, 'x')",
        "UPDATE user SET groups = CAST(x'610062' AS TEXT)",
        "UPDATE user SET salt = x'00'",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct session_row row = {0};
        char script[256];
        (void)database_make();
        struct store *store = database_open(STORE_ROLE_ADMIN);
        struct user user = database_add_user(store, "alice");
        struct session_row added = database_add_session(store, &user, 'k');
        (void)snprintf(script, sizeof script, "PRAGMA ignore_check_constraints = ON; %s",
                       scripts[i]);
        database_exec(script);
        if (sessions_find(store, added.key, &row) != ERR_STORE) {
            fail_msg("%s", scripts[i]);
        }
        assert_int_equal(row.user_id, 0);
        store_close(&store);
    }
    for (size_t i = 0; i < sizeof user_scripts / sizeof *user_scripts; i++) {
        char script[256];
        (void)database_make();
        struct store *store = database_open(STORE_ROLE_ADMIN);
        struct user user = database_add_user(store, "alice");
        (void)snprintf(script, sizeof script, "PRAGMA ignore_check_constraints = ON; %s",
                       user_scripts[i]);
        database_exec(script);
        if (users_find_by_id(store, user.id, &user) != ERR_STORE) {
            fail_msg("%s", user_scripts[i]);
        }
        assert_string_equal(user.name, "alice");
        store_close(&store);
    }
}

static void checks_go_on_while_another_program_writes(void **state)
{
    (void)state;
    struct session_row row;
    (void)database_make();
    struct store *admin = database_open(STORE_ROLE_ADMIN);
    struct store *gate = database_open(STORE_ROLE_GATE);
    struct user user = database_add_user(admin, "alice");
    struct session_row added = database_add_session(admin, &user, 'k');
    assert_int_equal(store_begin(admin), OK);
    assert_int_equal(sessions_remove(admin, added.key), OK);
    assert_int_equal(sessions_find(gate, added.key, &row), OK);
    assert_int_equal(database_touch(gate, &added, NOON + 5), ERR_BUSY);
    assert_int_equal(sessions_find(gate, added.key, &row), OK);
    assert_int_equal(store_commit(admin), OK);
    assert_int_equal(sessions_find(gate, added.key, &row), ERR_NOT_FOUND);
    assert_int_equal(database_touch(gate, &added, NOON + 5), OK);
    store_close(&gate);
    store_close(&admin);
}

static void a_backup_is_a_database_of_its_own(void **state)
{
    (void)state;
    struct user user;
    struct store *copy_store = NULL;
    (void)database_make();
    const char *copy = scratch_path("copy.db");
    (void)unlink(copy);
    struct store *store = database_open(STORE_ROLE_ADMIN);
    (void)database_add_user(store, "alice");
    assert_int_equal(store_backup(store, copy), OK);
    assert_int_equal(store_backup(store, copy), ERR_EXISTS);
    assert_int_equal(store_open(copy, NULL, STORE_ROLE_ADMIN, &copy_store), OK);
    assert_int_equal(users_find(copy_store, TEXT("alice"), &user), OK);
    assert_int_equal(store_verify(copy_store), OK);
    store_close(&copy_store);
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_touches_no_file),
        cmocka_unit_test(migrating_again_changes_nothing),
        cmocka_unit_test(an_older_or_newer_schema_is_told_apart),
        cmocka_unit_test(a_failing_step_leaves_no_half_schema),
        cmocka_unit_test(each_role_may_run_its_statements_and_no_others),
        cmocka_unit_test(the_engine_refuses_what_the_role_may_not),
        cmocka_unit_test(a_watched_file_is_looked_at_again_when_it_changed_or_is_written_to),
        cmocka_unit_test(a_watched_file_is_looked_at_again_when_it_changed_or_is_written_to),
        cmocka_unit_test(the_gate_reads_no_hash_and_writes_no_user),
        cmocka_unit_test(a_transaction_spans_calls_and_is_given_up_whole),
        cmocka_unit_test(a_database_that_goes_and_comes_back_needs_no_restart),
        cmocka_unit_test(a_database_that_is_replaced_is_used_from_the_next_call_on),
        cmocka_unit_test(a_corrupt_database_denies_until_it_is_mended),
        cmocka_unit_test(a_row_that_holds_what_it_must_not_denies),
        cmocka_unit_test(checks_go_on_while_another_program_writes),
        cmocka_unit_test(a_backup_is_a_database_of_its_own),
    };
    log_open("test_store", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
