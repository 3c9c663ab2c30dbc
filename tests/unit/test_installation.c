/* latchkey init, migrate, backup, session, secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buffer.h"
#include "base/file.h"
#include "command_line.h"
#include "scratch.h"
#include "store/sessions.h"

static struct outcome outcome;
static struct store *store;

static int install(void **state)
{
    (void)state;
    command_line_install();
    assert_int_equal(store_open(scratch_path("state/latchkey.db"), NULL, STORE_ROLE_ADMIN, &store),
                     OK);
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    store_close(&store);
    return 0;
}

static struct user add_user(const char *name)
{
    struct user user = {.created_s = time(NULL), .hash = "$none$"};
    (void)snprintf(user.name, sizeof user.name, "%s", name);
    assert_int_equal(users_add(store, &user), OK);
    store_disconnect(store);
    return user;
}

/* A session whose id is 16 times the hex digit; it ends `rest_s` from now. */
static void add_session(const struct user *user, unsigned digit, int64_t rest_s)
{
    struct session_row row = {.user_id = user->id,
                              .created_s = time(NULL) - 1000,
                              .seen_s = time(NULL) - 5,
                              .idle_s = 3600,
                              .expires_s = time(NULL) + rest_s,
                              .address = "192.0.2.7",
                              .agent = "Mozilla/5.0 (\"X11\"; \\)"};
    memset(row.key, (int)(digit << 4 | digit), sizeof row.key);
    memcpy(row.salt, user->salt, sizeof row.salt);
    assert_int_equal(sessions_add(store, &row), OK);
    store_disconnect(store);
}

static size_t count_sessions(void)
{
    command_line_run(&outcome, NULL, COMMAND("session", "list", "--json"));
    command_line_expect(&outcome, 0, "]\n", "");
    json_t *sessions = json_loads(outcome.out, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_array(sessions));
    size_t count = json_array_size(sessions);
    json_decref(sessions);
    return count;
}

static mode_t mode_of(const char *name)
{
    struct stat found;
    assert_int_equal(lstat(scratch_path(name), &found), 0);
    return found.st_mode & 07777;
}

static void read_secret(char out[512])
{
    struct buffer buffer;
    buffer_init(&buffer, 500);
    assert_int_equal(file_read(scratch_path("state/secret"), &buffer), OK);
    (void)snprintf(out, 512, "%s", buffer.data);
    buffer_clear(&buffer);
}

static void init_makes_private_things_and_is_safe_to_repeat(void **state)
{
    char before[512], after[512];
    (void)state;
    assert_int_equal(mode_of("state"), 0700);
    assert_int_equal(mode_of("run") & ~0050U, 0700);
    assert_int_equal(mode_of("state/secret"), 0600);
    assert_int_equal(mode_of("state/latchkey.db"), 0600);
    (void)add_user("alice");
    read_secret(before);
    command_line_run(&outcome, NULL, COMMAND("init"));
    command_line_expect(&outcome, 0, "was there", "");
    assert_null(strstr(outcome.out, "(made)"));
    read_secret(after);
    assert_string_equal(before, after);
    command_line_run(&outcome, NULL, COMMAND("user", "list"));
    command_line_expect(&outcome, 0, "alice", "");
}

static void init_makes_what_is_missing_and_leaves_the_rest(void **state)
{
    (void)state;
    (void)add_user("alice");
    assert_int_equal(unlink(scratch_path("state/secret")), 0);
    command_line_run(&outcome, NULL, COMMAND("init"));
    command_line_expect(&outcome, 0, "/state/secret (made)\n", "");
    assert_non_null(strstr(outcome.out, "/latchkey.db (was there)\n"));
    command_line_run(&outcome, NULL, COMMAND("user", "list"));
    command_line_expect(&outcome, 0, "alice", "");
}

static void init_stops_where_a_file_takes_the_place_of_a_folder(void **state)
{
    char more[512];
    (void)state;
    (void)snprintf(more, sizeof more, "[state]\ndirectory = %s\nrun_directory = %s/run\n",
                   scratch_write("file", "x"), scratch_folder());
    const char *path = scratch_write("other.conf", more);
    command_line_run(&outcome, NULL, COMMAND("init", "-c", path));
    command_line_expect(&outcome, 1, "", "cannot make the folder");
}

static void migrate_leaves_a_database_of_now_alone(void **state)
{
    (void)state;
    command_line_run(&outcome, NULL, COMMAND("migrate"));
    command_line_expect(&outcome, 0, ", as it should be.\n", "");
    assert_int_equal(unlink(scratch_path("state/latchkey.db")), 0);
    command_line_run(&outcome, NULL, COMMAND("migrate"));
    command_line_expect(&outcome, 1, "", "latchkey.db; make it with: latchkey init\n");
    assert_int_not_equal(access(scratch_path("state/latchkey.db"), F_OK), 0);
}

static void a_backup_is_a_private_database_of_its_own(void **state)
{
    struct store *copy = NULL;
    struct user user;
    (void)state;
    (void)add_user("alice");
    (void)unlink(scratch_path("copy"));
    command_line_run(&outcome, NULL, COMMAND("backup", scratch_path("copy")));
    command_line_expect(&outcome, 0, "The secret is not in it.\n", "");
    assert_int_equal(mode_of("copy"), 0600);
    assert_int_equal(store_open(scratch_path("copy"), NULL, STORE_ROLE_ADMIN, &copy), OK);
    assert_int_equal(users_find(copy, TEXT("alice"), &user), OK);
    store_close(&copy);
    command_line_run(&outcome, NULL, COMMAND("backup", scratch_path("copy")));
    command_line_expect(&outcome, 1, "", "copy already; name another\n");
    command_line_run(&outcome, NULL, COMMAND("backup", scratch_path("missing/copy")));
    assert_int_equal(outcome.status, 1);
    assert_true(outcome.err[0] != '\0');
}

static void live_sessions_are_listed_for_people_and_programs(void **state)
{
    (void)state;
    struct user alice = add_user("alice");
    struct user bob = add_user("bob");
    command_line_run(&outcome, NULL, COMMAND("session", "list"));
    command_line_expect(&outcome, 0, "Nobody is signed in.\n", "");
    assert_int_equal(count_sessions(), 0);
    add_session(&alice, 0xa, 100);
    add_session(&bob, 0xb, 100);
    add_session(&bob, 0xc, -1);
    assert_int_equal(count_sessions(), 2);
    command_line_run(&outcome, NULL, COMMAND("session", "list", "ALICE", "--json"));
    json_t *sessions = json_loads(outcome.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_array_size(sessions), 1);
    json_t *session = json_array_get(sessions, 0);
    assert_string_equal(json_string_value(json_object_get(session, "id")), "aaaaaaaaaaaaaaaa");
    assert_string_equal(json_string_value(json_object_get(session, "user")), "alice");
    assert_string_equal(json_string_value(json_object_get(session, "address")), "192.0.2.7");
    assert_string_equal(json_string_value(json_object_get(session, "agent")),
                        "Mozilla/5.0 (\"X11\"; \\)");
    assert_true(json_is_false(json_object_get(session, "remember")));
    assert_true(json_integer_value(json_object_get(session, "expires")) > time(NULL));
    assert_int_equal(json_object_size(session), 8);
    json_decref(sessions);
    command_line_run(&outcome, NULL, COMMAND("session", "list"));
    command_line_expect(&outcome, 0, "aaaaaaaaaaaaaaaa  alice ", "");
    assert_non_null(strstr(outcome.out, "bbbbbbbbbbbbbbbb  bob "));
    assert_null(strstr(outcome.out, "cccc"));
}

static void a_session_is_ended_by_its_id(void **state)
{
    static const struct {
        const char *id, *said;
    } bad[] = {
        {"aaaaaaaaaaaaaaa", "that is no session id: 16 hex digits"},
        {"aaaaaaaaaaaaaaaaa", "that is no session id"},
        {"aaaaaaaaaaaaaaag", "that is no session id"},
        {"%", "that is no session id"},
        {"", "that is no session id"},
        {"dddddddddddddddd", "there is no session of that id; see `latchkey session list`"},
    };
    (void)state;
    struct user alice = add_user("alice");
    add_session(&alice, 0xa, 100);
    add_session(&alice, 0xb, 100);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        command_line_run(&outcome, NULL, COMMAND("session", "revoke", bad[i].id));
        command_line_expect(&outcome, 1, "", bad[i].said);
    }
    assert_int_equal(count_sessions(), 2);
    command_line_run(&outcome, NULL, COMMAND("session", "revoke", "AAAAAAAAAAAAAAAA"));
    command_line_expect(&outcome, 0, "The session has ended.\n", "");
    assert_int_equal(count_sessions(), 1);
}

static void all_sessions_of_a_user_are_ended_and_then_those_of_all(void **state)
{
    (void)state;
    struct user alice = add_user("alice");
    struct user bob = add_user("bob");
    add_session(&alice, 0x1, 100);
    add_session(&alice, 0x2, 100);
    add_session(&bob, 0x3, 100);
    command_line_run(&outcome, NULL, COMMAND("session", "revoke-user", "alice"));
    command_line_expect(&outcome, 0, "2 sessions ended.\n", "");
    assert_int_equal(count_sessions(), 1);
    command_line_run(&outcome, NULL, COMMAND("session", "revoke-all"));
    command_line_expect(&outcome, 0, "1 session ended.\n", "");
    assert_int_equal(count_sessions(), 0);
    command_line_run(&outcome, NULL, COMMAND("session", "revoke-all"));
    command_line_expect(&outcome, 0, "0 sessions ended.\n", "");
}

static void purging_leaves_what_is_alive(void **state)
{
    (void)state;
    struct user alice = add_user("alice");
    add_session(&alice, 0x1, 100);
    add_session(&alice, 0x2, -100);
    add_session(&alice, 0x3, -100);
    command_line_run(&outcome, NULL, COMMAND("session", "purge"));
    command_line_expect(&outcome, 0, "2 sessions that had ended were removed.\n", "");
    assert_int_equal(count_sessions(), 1);
}

static void rotating_keeps_the_secrets_before_and_revoking_none(void **state)
{
    char first[512], second[512], third[512];
    (void)state;
    read_secret(first);
    command_line_run(&outcome, NULL, COMMAND("secret", "rotate"));
    command_line_expect(&outcome, 0, "stay good.\n", "");
    read_secret(second);
    assert_int_equal(strlen(second), 2 * strlen(first));
    assert_string_equal(second + strlen(first), first);
    command_line_run(&outcome, NULL, COMMAND("secret", "revoke"));
    command_line_expect(&outcome, 0, "every session has ended.\n", "");
    read_secret(third);
    assert_int_equal(strlen(third), strlen(first));
    assert_null(strstr(second, third));
    assert_int_equal(mode_of("state/secret"), 0600);
    assert_int_equal(unlink(scratch_path("state/secret")), 0);
    command_line_run(&outcome, NULL, COMMAND("secret", "rotate"));
    command_line_expect(&outcome, 1, "", "latchkey init");
    command_line_run(&outcome, NULL, COMMAND("secret", "revoke"));
    assert_int_equal(outcome.status, 1);
    assert_true(outcome.err[0] != '\0');
}

static void root_rotates_and_revokes_the_secret_of_the_programs_user(void **state)
{
    static const char *const words[] = {"rotate", "revoke"};
    struct stat found;
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(scratch_folder(), 0755), 0);
    command_line_configure("[state]\nuser = www-data\ngroup = www-data\n");
    command_line_run(&outcome, NULL, COMMAND("init"));
    assert_int_equal(outcome.status, 0);
    for (size_t i = 0; i < 2; i++) {
        command_line_run(&outcome, NULL, COMMAND("secret", words[i]));
        command_line_expect(&outcome, 0, ".\n", "");
        assert_int_equal(stat(scratch_path("state/secret"), &found), 0);
        assert_int_not_equal(found.st_uid, 0);
        assert_int_equal(found.st_mode & 07777, 0600);
    }
    assert_int_equal(chmod(scratch_folder(), 0700), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(init_makes_private_things_and_is_safe_to_repeat, install,
                                        close_store),
        cmocka_unit_test_setup_teardown(init_makes_what_is_missing_and_leaves_the_rest, install,
                                        close_store),
        cmocka_unit_test_setup_teardown(init_stops_where_a_file_takes_the_place_of_a_folder,
                                        install, close_store),
        cmocka_unit_test_setup_teardown(migrate_leaves_a_database_of_now_alone, install,
                                        close_store),
        cmocka_unit_test_setup_teardown(a_backup_is_a_private_database_of_its_own, install,
                                        close_store),
        cmocka_unit_test_setup_teardown(live_sessions_are_listed_for_people_and_programs, install,
                                        close_store),
        cmocka_unit_test_setup_teardown(a_session_is_ended_by_its_id, install, close_store),
        cmocka_unit_test_setup_teardown(all_sessions_of_a_user_are_ended_and_then_those_of_all,
                                        install, close_store),
        cmocka_unit_test_setup_teardown(purging_leaves_what_is_alive, install, close_store),
        cmocka_unit_test_setup_teardown(rotating_keeps_the_secrets_before_and_revoking_none,
                                        install, close_store),
        cmocka_unit_test_setup_teardown(root_rotates_and_revokes_the_secret_of_the_programs_user,
                                        install, close_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
