#include "database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static const char *const suffixes[] = {"", "-wal", "-shm"};

static const char *path_of(const char *name, const char *suffix)
{
    char whole[64];
    (void)snprintf(whole, sizeof whole, "%s%s", name, suffix);
    return scratch_path(whole);
}

const struct database_role database_roles[] = {
    {STORE_ROLE_GATE, 'g'},    {STORE_ROLE_LOGIN, 'l'}, {STORE_ROLE_LOGOUT, 'o'},
    {STORE_ROLE_ACCOUNT, 's'}, {STORE_ROLE_APP, 'p'},   {STORE_ROLE_ADMIN, 'a'},
};

const char *database_make(void)
{
    struct store *store = NULL;
    int from = -1;
    int to = -1;
    for (size_t i = 0; i < 3; i++) {
        (void)unlink(path_of("latchkey.db", suffixes[i]));
    }
    store = database_open(STORE_ROLE_ADMIN);
    assert_int_equal(store_migrate(store, &from, &to), OK);
    assert_int_equal(from, 0);
    assert_int_equal(to, store_schema_number());
    store_close(&store);
    return scratch_path("latchkey.db");
}

struct store *database_open(enum store_role role)
{
    struct store *store = NULL;
    assert_int_equal(
        store_open(scratch_path("latchkey.db"), scratch_path("generation"), role, &store), OK);
    return store;
}

struct user database_add_user(struct store *store, const char *name)
{
    struct user user = {.created_s = NOON, .hash = "$none$"};
    (void)snprintf(user.name, sizeof user.name, "%s", name);
    assert_int_equal(users_add(store, &user), OK);
    return user;
}

struct session_row database_add_session(struct store *store, const struct user *user, char byte)
{
    struct session_row row = {
        .user_id = user->id,
        .created_s = NOON,
        .seen_s = NOON,
        .idle_s = 100,
        .expires_s = NOON + 1000,
        .address = "192.0.2.7",
        .agent = "Mozilla/5.0",
    };
    memset(row.key, byte, sizeof row.key);
    memcpy(row.salt, user->salt, sizeof row.salt);
    assert_int_equal(sessions_add(store, &row), OK);
    return row;
}

void database_revoke_another(struct store *store)
{
    static unsigned count;
    uint8_t key[SESSION_KEY_BYTES] = {0};
    count++;
    memcpy(key, &count, sizeof count);
    assert_int_equal(sessions_end(store, key, INT64_MAX), OK);
}

enum status database_touch(struct store *store, const struct session_row *row, int64_t seen_s)
{
    struct session_use use = {.seen_s = seen_s};
    memcpy(use.key, row->key, sizeof use.key);
    return sessions_touch(store, &use, 1);
}

enum status database_connect(const char *path, enum db_mode mode, struct db **out)
{
    struct db_settings settings = {.path = path, .mode = mode, .durable = true};
    return db_open(&settings, out);
}

void database_exec(const char *script)
{
    struct db *db = NULL;
    assert_int_equal(database_connect(scratch_path("latchkey.db"), DB_EXISTING, &db), OK);
    assert_int_equal(db_exec(db, script), OK);
    db_close(&db);
}

int64_t database_ask(const char *sql)
{
    struct db *db = NULL;
    struct db_statement *statement = NULL;
    bool row = false;
    assert_int_equal(database_connect(scratch_path("latchkey.db"), DB_EXISTING, &db), OK);
    assert_int_equal(db_prepare(db, sql, &statement), OK);
    assert_int_equal(db_step(statement, &row), OK);
    assert_true(row);
    int64_t value = db_column_int64(statement, 0);
    db_statement_free(&statement);
    db_close(&db);
    return value;
}

static void move(const char *from, const char *to)
{
    for (size_t i = 0; i < 3; i++) {
        const char *source = path_of(from, suffixes[i]);
        assert_true(rename(source, path_of(to, suffixes[i])) == 0 || i > 0);
    }
}

void database_hide(void)
{
    move("latchkey.db", "hidden.db");
}

void database_show(void)
{
    move("hidden.db", "latchkey.db");
}

void database_damage(long pages)
{
    struct stat found;
    FILE *file = fopen(scratch_path("latchkey.db"), "r+");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &found), 0);
    assert_int_equal(fseek(file, pages * 4096, SEEK_SET), 0);
    for (long i = pages * 4096; i < found.st_size; i++) {
        assert_int_equal(fputc(0xa5, file), 0xa5);
    }
    assert_int_equal(fclose(file), 0);
}

enum status database_use_link(struct store *store, struct text code, const char *hash,
                              int64_t now_s, struct user *out)
{
    struct user_change change = {0};
    enum status status = links_begin_use(store, code, hash, now_s, &change);
    if (status == OK) {
        status = users_end_change(store, &change, OK);
    }
    if (status == OK) {
        *out = change.user;
    }
    return status;
}
