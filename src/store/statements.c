/* All SQL of the live database, in one table.
 *
 * Invariants: a session is added only with its user's present salt, while the user is not locked,
 * and while it is not revoked, in one statement, so that a revocation that was answered wins over
 * whatever was begun before; whatever notes or renews something is an UPDATE of what is there, so
 * that nothing that was removed comes back (a request that began before a sign-out and ends after
 * it). Whoever finds a session compares its salt with the user's. */
#include "store/statements.h"

#define ROLE(name) (1U << STORE_ROLE_##name)
#define EVERYBODY                                                                                  \
    (ROLE(GATE) | ROLE(LOGIN) | ROLE(LOGOUT) | ROLE(ACCOUNT) | ROLE(LOGIN) | ROLE(APP) |           \
     ROLE(ADMIN))
#define REVOKERS (ROLE(LOGIN) | ROLE(LOGOUT) | ROLE(ADMIN))

/* In the order in which sessions.c reads them. */
#define SESSION_COLUMNS                                                                            \
    "SELECT key, user_id, salt, created_s, seen_s, idle_s, expires_s, remember, address, agent"    \
    " FROM session"
#define SESSION_IS_OVER "(expires_s <= ?1 OR seen_s + idle_s <= ?1)"

const struct statement_rule statement_rules[STATEMENTS] = {
    [USER_FIND] = {"SELECT id, name, display, email, groups, hash, salt, locked, created_s,"
                   " password_s FROM user WHERE name = ?1",
                   ROLE(LOGIN) | ROLE(ADMIN), false},
    [USER_FIND_BY_ID] = {"SELECT id, name, display, email, groups, '', salt, locked, 0, 0"
                         " FROM user WHERE id = ?1",
                         EVERYBODY, false},
    [USER_ADD] = {"INSERT INTO user (name, display, email, groups, hash, salt, locked, created_s,"
                  " password_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
                  ROLE(ADMIN), true},
    [USER_SET_PASSWORD] = {"UPDATE user SET hash = ?2, password_s = ?3 WHERE id = ?1", ROLE(ADMIN),
                           true},
    /* Only over the hash that was verified: a password that was changed meanwhile wins. */
    [USER_REHASH] = {"UPDATE user SET hash = ?3 WHERE id = ?1 AND hash = ?2",
                     ROLE(LOGIN) | ROLE(ADMIN), true},
    [USER_SET_LOCKED] = {"UPDATE user SET locked = ?2 WHERE id = ?1", ROLE(ADMIN), true},
    [USER_RENEW_SALT] = {"UPDATE user SET salt = ?2 WHERE id = ?1", ROLE(ADMIN), true},
    [USER_REMOVE] = {"DELETE FROM user WHERE id = ?1", ROLE(ADMIN), true},
    [USER_LIST] = {"SELECT id, name, display, email, groups, '', x'', locked, created_s,"
                   " password_s FROM user ORDER BY name",
                   ROLE(ADMIN), false},
    [USER_NEXT] = {"SELECT id FROM user WHERE id > ?1 ORDER BY id LIMIT 1", ROLE(ADMIN), false},

    [SESSION_ADD] = {"INSERT INTO session (key, user_id, salt, created_s, seen_s, idle_s,"
                     " expires_s, remember, address, agent)"
                     " SELECT ?1, id, salt, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM user"
                     " WHERE id = ?2 AND salt = ?3 AND locked = 0"
                     " AND NOT EXISTS (SELECT 1 FROM revocation WHERE key = ?1)",
                     ROLE(LOGIN) | ROLE(ADMIN), true},
    [SESSION_FIND] = {SESSION_COLUMNS " WHERE key = ?1", EVERYBODY, false},
    [SESSION_FIND_RANGE] = {SESSION_COLUMNS " WHERE key BETWEEN ?1 AND ?2 LIMIT 1", ROLE(ADMIN),
                            false},
    [SESSION_TOUCH] = {"UPDATE session SET seen_s = max(seen_s, ?2) WHERE key = ?1", EVERYBODY,
                       true},
    [SESSION_REMOVE] = {"DELETE FROM session WHERE key = ?1",
                        ROLE(LOGIN) | ROLE(LOGOUT) | ROLE(ADMIN), true},
    [SESSION_REMOVE_OF_USER] = {"DELETE FROM session WHERE user_id = ?1", ROLE(ADMIN), true},
    [SESSION_REMOVE_ALL] = {"DELETE FROM session", ROLE(ADMIN), true},
    [SESSION_PURGE_ALL] = {"DELETE FROM session WHERE " SESSION_IS_OVER, ROLE(LOGIN) | ROLE(ADMIN),
                           true},
    /* Looks at ?3 rows from the key ?2 on, around the end. */
    [SESSION_PURGE_SOME] = {"DELETE FROM session WHERE key IN ("
                            "SELECT key FROM (SELECT key FROM session WHERE key >= ?2"
                            " ORDER BY key LIMIT ?3)"
                            " UNION ALL "
                            "SELECT key FROM (SELECT key FROM session WHERE key < ?2"
                            " ORDER BY key LIMIT ?3)"
                            " LIMIT ?3) AND " SESSION_IS_OVER,
                            ROLE(LOGIN) | ROLE(ADMIN), true},
    [SESSION_LIST_ALL] = {SESSION_COLUMNS " WHERE NOT " SESSION_IS_OVER " ORDER BY created_s DESC",
                          ROLE(ADMIN), false},
    [SESSION_LIST_OF_USER] = {SESSION_COLUMNS " WHERE user_id = ?2 AND NOT " SESSION_IS_OVER
                                              " ORDER BY created_s DESC",
                              ROLE(ADMIN), false},

    [SESSION_DATA_LIST] = {.sql = "SELECT name, value FROM session_data WHERE key = ?1"
                                  " ORDER BY name",
                           .roles = ROLE(LOGIN) | ROLE(APP) | ROLE(ADMIN)},
    [SESSION_DATA_MEASURE] = {.sql = "SELECT (SELECT coalesce(sum(length(CAST(name AS BLOB))"
                                     " + length(value)), 0) FROM session_data WHERE key = ?1)"
                                     " FROM session WHERE key = ?1",
                              .roles = ROLE(LOGIN) | ROLE(APP) | ROLE(ADMIN)},
    [SESSION_DATA_PUT] = {.sql = "INSERT INTO session_data (key, name, value) VALUES (?1, ?2, ?3)"
                                 " ON CONFLICT (key, name) DO UPDATE SET value = excluded.value",
                          .roles = ROLE(LOGIN) | ROLE(APP) | ROLE(ADMIN),
                          .writes = true},
    [SESSION_DATA_REMOVE] = {.sql = "DELETE FROM session_data WHERE key = ?1 AND name = ?2",
                             .roles = ROLE(LOGIN) | ROLE(APP) | ROLE(ADMIN),
                             .writes = true},

    [REVOCATION_COUNT] = {"UPDATE generation SET sequence = sequence + 1", REVOKERS, true},
    /* Once for each session, however often somebody signs out with copies of its token. */
    [REVOCATION_ADD_SESSION] = {"INSERT INTO revocation (sequence, key, until_s)"
                                " SELECT sequence, ?1, ?2 FROM generation WHERE true"
                                " ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING",
                                REVOKERS, true},
    [REVOCATION_ADD_USER] = {"INSERT INTO revocation (sequence, user_id, until_s)"
                             " SELECT sequence, ?1, ?2 FROM generation",
                             REVOKERS, true},
    [REVOCATION_FIND] = {"SELECT forgotten_s, EXISTS (SELECT 1 FROM revocation WHERE key = ?1)"
                         " FROM generation",
                         EVERYBODY, false},
    [REVOCATION_READ] = {"SELECT g.sequence, g.forgotten, g.forgotten_s, r.sequence, r.key,"
                         " r.user_id FROM generation AS g"
                         " LEFT JOIN revocation AS r ON r.sequence > ?1 ORDER BY r.sequence",
                         EVERYBODY, false},
    [REVOCATION_DUE] = {"SELECT 1 FROM revocation WHERE until_s <= ?1 LIMIT 1",
                        ROLE(LOGIN) | ROLE(ADMIN), false},
    [REVOCATION_FORGET] = {"UPDATE generation SET"
                           " forgotten = max(forgotten, coalesce((SELECT max(sequence)"
                           " FROM revocation WHERE key IS NULL AND until_s <= ?1), 0)),"
                           " forgotten_s = max(forgotten_s, coalesce((SELECT max(until_s)"
                           " FROM revocation WHERE key IS NOT NULL AND until_s <= ?1), 0))",
                           ROLE(LOGIN) | ROLE(ADMIN), true},
    [REVOCATION_PURGE] = {"DELETE FROM revocation WHERE until_s <= ?1", ROLE(LOGIN) | ROLE(ADMIN),
                          true},

    /* The table `user` is in the other database: whoever adds has asked there before. */
    [CACHE_ADD] = {.sql = "INSERT INTO session (key, user_id, salt, created_s, seen_s, idle_s,"
                          " expires_s, remember, address, agent)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                   .roles = ROLE(LOGIN) | ROLE(ADMIN),
                   .writes = true},
    /* Whoever writes makes room, so these are for everybody. */
    [CACHE_EXPIRE] = {.sql = "DELETE FROM session WHERE rowid IN (SELECT rowid FROM session"
                             " WHERE min(expires_s, seen_s + idle_s) <= ?1"
                             " ORDER BY min(expires_s, seen_s + idle_s) LIMIT ?2)",
                      .roles = EVERYBODY,
                      .writes = true},
    [CACHE_EVICT] = {.sql = "DELETE FROM session WHERE rowid IN (SELECT rowid FROM session"
                            " ORDER BY seen_s, rowid LIMIT ?1)",
                     .roles = EVERYBODY,
                     .writes = true},
    [CACHE_NOTE_EVICTED] = {.sql = "UPDATE cache SET evicted = evicted + ?1",
                            .roles = EVERYBODY,
                            .writes = true},
    [CACHE_NOTE_TOLD] = {.sql = "UPDATE cache SET told_s = ?1 WHERE abs(?1 - told_s) >= ?2",
                         .roles = EVERYBODY,
                         .writes = true},
    [CACHE_GET_USE] = {.sql = "SELECT (SELECT count(*) FROM session), evicted FROM cache",
                       .roles = ROLE(ADMIN)},
};

/* Everything of a user but the hash. */
#define GRANT_FIND_AND_TOUCH                                                                       \
    {DB_READ, "session", NULL}, {DB_UPDATE, "session", "seen_s"}, {DB_READ, "user", "id"},         \
        {DB_READ, "user", "name"}, {DB_READ, "user", "display"}, {DB_READ, "user", "email"},       \
        {DB_READ, "user", "groups"}, {DB_READ, "user", "salt"}, {DB_READ, "user", "locked"},       \
        {DB_READ, "revocation", NULL},                                                             \
    {                                                                                              \
        DB_READ, "generation", NULL                                                                \
    }
/* What a session remembers goes with it. */
#define GRANT_REVOKE                                                                               \
    {DB_DELETE, "session", NULL}, {DB_READ, "session_data", NULL},                                 \
        {DB_DELETE, "session_data", NULL}, {DB_INSERT, "revocation", NULL},                        \
    {                                                                                              \
        DB_UPDATE, "generation", NULL                                                              \
    }

static const struct db_grant gate_grants[] = {GRANT_FIND_AND_TOUCH, {0}};

static const struct db_grant logout_grants[] = {GRANT_FIND_AND_TOUCH, GRANT_REVOKE, {0}};

static const struct db_grant login_grants[] = {GRANT_FIND_AND_TOUCH,
                                               GRANT_REVOKE,
                                               {DB_READ, "user", NULL},
                                               {DB_UPDATE, "user", "hash"},
                                               {DB_INSERT, "session", NULL},
                                               {DB_INSERT, "session_data", NULL},
                                               {DB_UPDATE, "session_data", "value"},
                                               {DB_DELETE, "revocation", NULL},
                                               {0}};

static const struct db_grant app_grants[] = {GRANT_FIND_AND_TOUCH,
                                             {DB_READ, "session_data", NULL},
                                             {DB_INSERT, "session_data", NULL},
                                             {DB_UPDATE, "session_data", "value"},
                                             {DB_DELETE, "session_data", NULL},
                                             {0}};

const struct db_grant *const statement_grants[STORE_ROLE_ADMIN + 1] = {
    [STORE_ROLE_GATE] = gate_grants,     [STORE_ROLE_LOGIN] = login_grants,
    [STORE_ROLE_LOGOUT] = logout_grants, [STORE_ROLE_ACCOUNT] = gate_grants,
    [STORE_ROLE_APP] = app_grants,       [STORE_ROLE_ADMIN] = NULL,
};

#define GRANT_CACHE                                                                                \
    {DB_READ, "session", NULL}, {DB_UPDATE, "session", "seen_s"}, {DB_DELETE, "session", NULL},    \
        {DB_READ, "session_data", NULL}, {DB_DELETE, "session_data", NULL},                        \
        {DB_READ, "cache", NULL},                                                                  \
    {                                                                                              \
        DB_UPDATE, "cache", NULL                                                                   \
    }

static const struct db_grant cache_grants[] = {GRANT_CACHE, {0}};
static const struct db_grant cache_app_grants[] = {
    GRANT_CACHE, {DB_INSERT, "session_data", NULL}, {DB_UPDATE, "session_data", "value"}, {0}};
static const struct db_grant cache_login_grants[] = {GRANT_CACHE,
                                                     {DB_INSERT, "session", NULL},
                                                     {DB_INSERT, "session_data", NULL},
                                                     {DB_UPDATE, "session_data", "value"},
                                                     {0}};

const struct db_grant *const statement_cache_grants[STORE_ROLE_ADMIN + 1] = {
    [STORE_ROLE_GATE] = cache_grants,    [STORE_ROLE_LOGIN] = cache_login_grants,
    [STORE_ROLE_LOGOUT] = cache_grants,  [STORE_ROLE_ACCOUNT] = cache_grants,
    [STORE_ROLE_APP] = cache_app_grants, [STORE_ROLE_ADMIN] = NULL,
};
