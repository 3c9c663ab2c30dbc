/* All SQL of the live database and of the cache, in one table, and who may run it.
 *
 * Invariants: a session is added only with its user's present salt, while the user is not locked,
 * and while it is not revoked, in one statement, so that a revocation that was answered wins over
 * whatever was begun before; whatever notes or renews something is an UPDATE of what is there, so
 * that nothing that was removed comes back (a request that began before a sign-out and ends after
 * it). Whoever finds a session compares its salt with the user's. The cache has no users and no
 * revocations: whoever adds there asks the database itself, after adding (session/backend_cache.c).
 *
 * The grants say the same once more by table and column. They are coarser: a role that may remove
 * one session may, as far as they go, remove all. */
#include "store/statements.h"

/* Who may run a statement, by what they are about. */
#define ROLE(name)    (1U << STORE_ROLE_##name)
#define ADMINISTERING ROLE(ADMIN)
#define OWN_ACCOUNT   (ROLE(ACCOUNT) | ROLE(ADMIN)) /* a user over the own account */
#define SIGNING_IN    (ROLE(LOGIN) | OWN_ACCOUNT)
#define REVOKING      (ROLE(LOGOUT) | SIGNING_IN)
#define AUDITING      REVOKING /* whoever acts writes it down */
#define REMEMBERING   (ROLE(APP) | SIGNING_IN)
#define EVERYBODY     (ROLE(GATE) | ROLE(LOGOUT) | REMEMBERING)

#define READS  false
#define WRITES true

/* In the order in which read_row of sessions.c reads them; address and agent as SQL. */
#define SESSION_FIELDS_WITH(address, agent)                                                        \
    "session.id, session.user_id, session.salt, session.created_s, session.seen_s,"                \
    " session.idle_s, session.expires_s, session.remember, " address ", " agent ", session.rest"
#define SESSION_FIELDS                                                                             \
    SESSION_FIELDS_WITH("session.address",                                                         \
                        "CASE typeof(session.agent) WHEN 'integer'"                                \
                        " THEN (SELECT agent.name FROM agent WHERE agent.id = session.agent)"      \
                        " ELSE session.agent END")
#define SESSION_FIELDS_BARE SESSION_FIELDS_WITH("''", "''")
#define SESSION_COLUMNS     "SELECT " SESSION_FIELDS " FROM session"
/* A key is bound as two parameters: see session_key_bind. */
#define SESSION_OF_KEY "id = ?1 AND rest = ?2"
#define AUDIT_FIELDS                                                                               \
    "id, at_s, act, outcome, user_id, user, address, program, detail, broken, secret_id, digest, " \
    "tag"
#define REVOCATION_IS_DUE                                                                          \
    "until_s <= ?1 AND +sequence < (SELECT sequence FROM generation)" /* +: by revocation_until */
#define SESSION_IS_OVER "(expires_s <= ?1 OR seen_s + idle_s <= ?1)"

const struct statement_rule statement_rules[STATEMENTS] = {
    [USER_FIND] = {SIGNING_IN, READS,
                   "SELECT id, name, display, email, groups, hash, salt, locked, created_s,"
                   " password_s FROM user WHERE name = ?1"},
    [USER_FIND_BY_ID] = {EVERYBODY, READS,
                         "SELECT id, name, display, email, groups, '', salt, locked, 0, 0"
                         " FROM user WHERE id = ?1"},
    [USER_ADD] = {ADMINISTERING, WRITES,
                  "INSERT INTO user (name, display, email, groups, hash, salt, locked, created_s,"
                  " password_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id"},
    [USER_SET_PASSWORD] = {OWN_ACCOUNT, WRITES,
                           "UPDATE user SET hash = ?2, password_s = ?3 WHERE id = ?1"},
    /* Only while all holds that was found before the new hash was made, which takes long: whatever
     * was answered meanwhile (another password, a lock, the end of this session or of all) wins. */
    [USER_CHANGE_PASSWORD] = {OWN_ACCOUNT, WRITES,
                              "UPDATE user SET hash = ?2, password_s = ?3 WHERE id = ?1"
                              " AND hash = ?4 AND salt = ?5 AND locked = 0"
                              " AND NOT EXISTS (SELECT 1 FROM revocation WHERE key = ?6)"},
    /* Only over the hash that was verified: a password that was changed meanwhile wins. */
    [USER_REHASH] = {SIGNING_IN, WRITES, "UPDATE user SET hash = ?3 WHERE id = ?1 AND hash = ?2"},
    [USER_SET_LOCKED] = {ADMINISTERING, WRITES, "UPDATE user SET locked = ?2 WHERE id = ?1"},
    [USER_RENEW_SALT] = {OWN_ACCOUNT, WRITES, "UPDATE user SET salt = ?2 WHERE id = ?1"},
    [USER_REMOVE] = {ADMINISTERING, WRITES, "DELETE FROM user WHERE id = ?1"},
    [USER_LIST] = {ADMINISTERING, READS,
                   "SELECT id, name, display, email, groups, '', x'', locked, created_s,"
                   " password_s FROM user ORDER BY name"},
    [USER_NEXT] = {ADMINISTERING, READS, "SELECT id FROM user WHERE id > ?1 ORDER BY id LIMIT 1"},

    [SESSION_ADD] = {SIGNING_IN, WRITES,
                     "INSERT INTO session (id, rest, user_id, salt, created_s, seen_s, idle_s,"
                     " expires_s, remember, address, agent)"
                     " SELECT ?1, ?2, id, salt, ?5, ?6, ?7, ?8, ?9, ?10,"
                     " coalesce((SELECT id FROM agent WHERE name = ?11), ?11) FROM user"
                     " WHERE id = ?3 AND salt = ?4 AND locked = 0"
                     " AND NOT EXISTS (SELECT 1 FROM revocation WHERE key = ?12)"},
    [SESSION_FIND] = {EVERYBODY, READS, SESSION_COLUMNS " WHERE " SESSION_OF_KEY},
    /* The columns of USER_FIND_BY_ID, then those of SESSION_FIND, address and agent empty. */
    [SESSION_FIND_WITH_USER] = {EVERYBODY, READS,
                                "SELECT user.id, user.name, display, email, groups, '', user.salt,"
                                " locked, 0, 0, " SESSION_FIELDS_BARE " FROM session"
                                " JOIN user ON user.id = session.user_id"
                                " WHERE session.id = ?1 AND session.rest = ?2"},
    [SESSION_FIND_BY_ID] = {OWN_ACCOUNT, READS, SESSION_COLUMNS " WHERE id = ?1"},
    [SESSION_TOUCH] = {EVERYBODY, WRITES,
                       "UPDATE session SET seen_s = max(seen_s, ?3) WHERE " SESSION_OF_KEY},
    [SESSION_REMOVE] = {REVOKING, WRITES, "DELETE FROM session WHERE " SESSION_OF_KEY},
    [SESSION_STRETCH] = {ADMINISTERING, READS,
                         "SELECT id FROM session WHERE id >= ?1 ORDER BY id LIMIT 1 OFFSET ?2"},
    [SESSION_PURGE_DEAD] = {ADMINISTERING, WRITES,
                            "DELETE FROM session WHERE id IN ("
                            "SELECT id FROM session AS s WHERE id BETWEEN ?2 AND ?3"
                            " AND (" SESSION_IS_OVER " OR NOT EXISTS (SELECT 1 FROM user"
                            " WHERE id = s.user_id AND salt = s.salt)) LIMIT ?4)"},
    [SESSION_PURGE_USER] = {OWN_ACCOUNT, WRITES,
                            "DELETE FROM session WHERE id IN ("
                            "SELECT id FROM session WHERE user_id = ?1 AND salt <>"
                            " coalesce((SELECT salt FROM user WHERE id = ?1), x'') LIMIT ?2)"},
    /* Looks at ?3 rows from the number ?2 on, around the end. */
    [SESSION_PURGE_SOME] = {SIGNING_IN, WRITES,
                            "DELETE FROM session WHERE id IN ("
                            "SELECT id FROM (SELECT id FROM session WHERE id >= ?2"
                            " ORDER BY id LIMIT ?3)"
                            " UNION ALL "
                            "SELECT id FROM (SELECT id FROM session WHERE id < ?2"
                            " ORDER BY id LIMIT ?3)"
                            " LIMIT ?3) AND " SESSION_IS_OVER},
    [SESSION_LIST_ALL] = {ADMINISTERING, READS,
                          SESSION_COLUMNS " WHERE NOT " SESSION_IS_OVER " ORDER BY created_s DESC"},
    [SESSION_LIST_OF_USER] = {OWN_ACCOUNT, READS,
                              SESSION_COLUMNS " WHERE user_id = ?2 AND NOT " SESSION_IS_OVER
                                              " ORDER BY created_s DESC"},

    [SESSION_DATA_LIST] = {REMEMBERING, READS,
                           "SELECT name, value FROM session_data WHERE session = ?1"
                           " AND EXISTS (SELECT 1 FROM session WHERE " SESSION_OF_KEY ")"
                           " ORDER BY name"},
    [SESSION_DATA_MEASURE] = {REMEMBERING, READS,
                              "SELECT (SELECT coalesce(sum(length(CAST(name AS BLOB))"
                              " + length(value)), 0) FROM session_data WHERE session = ?1)"
                              " FROM session WHERE " SESSION_OF_KEY},
    [SESSION_DATA_PUT] = {REMEMBERING, WRITES,
                          "INSERT INTO session_data (session, name, value)"
                          " SELECT id, ?3, ?4 FROM session WHERE " SESSION_OF_KEY
                          " ON CONFLICT (session, name) DO UPDATE SET value = excluded.value"},
    [SESSION_DATA_REMOVE] = {REMEMBERING, WRITES,
                             "DELETE FROM session_data WHERE name = ?3 AND session ="
                             " (SELECT id FROM session WHERE " SESSION_OF_KEY ")"},

    /* As long as there are fewer than ?3. */
    [AGENT_ADD] = {SIGNING_IN, WRITES,
                   "INSERT INTO agent (name, until_s) SELECT ?1, ?2"
                   " WHERE NOT EXISTS (SELECT 1 FROM agent WHERE name = ?1)"
                   " AND (SELECT count(*) FROM agent) < ?3"},
    [AGENT_KEEP] = {SIGNING_IN, WRITES,
                    "UPDATE agent SET until_s = ?2 WHERE name = ?1 AND until_s < ?2"},
    [AGENT_PURGE] = {SIGNING_IN, WRITES, "DELETE FROM agent WHERE until_s <= ?1"},

    [REVOCATION_COUNT] = {REVOKING, WRITES, "UPDATE generation SET sequence = sequence + 1"},
    [REVOCATION_ADD_SESSION] = {REVOKING, WRITES,
                                "INSERT INTO revocation (sequence, key, until_s)"
                                " SELECT sequence, ?1, ?2 FROM generation"},
    [REVOCATION_ADD_USER] = {REVOKING, WRITES,
                             "INSERT INTO revocation (sequence, user_id, until_s)"
                             " SELECT sequence, ?1, ?2 FROM generation"},
    [REVOCATION_EXTEND] = {REVOKING, WRITES,
                           "UPDATE revocation SET until_s = ?2 WHERE key = ?1 AND until_s < ?2"},
    [REVOCATION_KEEP] = {REVOKING, WRITES, "UPDATE revocation SET until_s = ?2 WHERE key = ?1"},
    [REVOCATION_FIND] = {EVERYBODY, READS,
                         "SELECT forgotten_s, EXISTS (SELECT 1 FROM revocation WHERE key = ?1)"
                         " FROM generation"},
    [REVOCATION_READ] = {EVERYBODY, READS,
                         "SELECT g.sequence, g.forgotten, g.forgotten_s, r.sequence, r.key,"
                         " r.user_id, r.until_s FROM generation AS g"
                         " LEFT JOIN revocation AS r ON r.sequence > ?1 ORDER BY r.sequence"},
    /* The newest row never goes: by it readers see that the history is the one they know. */
    [REVOCATION_DUE] = {SIGNING_IN, READS,
                        "SELECT 1 FROM revocation WHERE " REVOCATION_IS_DUE " LIMIT 1"},
    [REVOCATION_FORGET] = {SIGNING_IN, WRITES,
                           "UPDATE generation SET"
                           " forgotten = max(forgotten, coalesce((SELECT max(sequence)"
                           " FROM revocation WHERE key IS NULL AND " REVOCATION_IS_DUE "), 0)),"
                           " forgotten_s = max(forgotten_s, coalesce((SELECT max(until_s)"
                           " FROM revocation WHERE key IS NOT NULL AND " REVOCATION_IS_DUE
                           "), 0))"},
    [REVOCATION_PURGE] = {SIGNING_IN, WRITES, "DELETE FROM revocation WHERE " REVOCATION_IS_DUE},

    [THROTTLE_FIND] = {SIGNING_IN, READS,
                       "SELECT failures, failed_s, until_s FROM throttle"
                       " WHERE key = ?1 AND forget_s > ?2"},
    [THROTTLE_COUNT] = {SIGNING_IN, WRITES,
                        "INSERT INTO throttle (key, kind, account, network, failures, failed_s,"
                        " until_s, forget_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                        " ON CONFLICT (key) DO UPDATE SET failures = excluded.failures,"
                        " failed_s = excluded.failed_s, until_s = excluded.until_s,"
                        " forget_s = excluded.forget_s"},
    [THROTTLE_RELEASE] = {SIGNING_IN, WRITES,
                          "UPDATE throttle SET failures = max(failures - 1, 0), until_s = 0"
                          " WHERE key = ?1"},
    [THROTTLE_CLEAR] = {SIGNING_IN, WRITES, "DELETE FROM throttle WHERE key = ?1"},
    [THROTTLE_CLEAR_ACCOUNT] = {ADMINISTERING, WRITES, "DELETE FROM throttle WHERE account = ?1"},
    [THROTTLE_CLEAR_NETWORK] = {ADMINISTERING, WRITES, "DELETE FROM throttle WHERE network = ?1"},
    [THROTTLE_CLEAR_ALL] = {ADMINISTERING, WRITES, "DELETE FROM throttle"},
    [THROTTLE_FORGET] = {SIGNING_IN, WRITES,
                         "DELETE FROM throttle WHERE key IN (SELECT key FROM throttle"
                         " WHERE forget_s <= ?1 ORDER BY forget_s LIMIT ?2)"},
    [THROTTLE_MEASURE] = {SIGNING_IN, READS, "SELECT count(*) FROM throttle WHERE kind <> 3"},
    [THROTTLE_TRIM] = {SIGNING_IN, WRITES,
                       "DELETE FROM throttle WHERE key IN (SELECT key FROM throttle"
                       " WHERE kind <> 3 ORDER BY failures, failed_s LIMIT ?1)"},
    [THROTTLE_LIST] = {ADMINISTERING, READS,
                       "SELECT kind, account, network, failures, failed_s, until_s FROM throttle"
                       " WHERE forget_s > ?1 AND failures > 0 ORDER BY failed_s DESC"},

    /* Always a row: while it is the present one, whatever else is read is of the same state. */
    [AUDIT_ENDS_GET] = {AUDITING, READS,
                        "SELECT first, before, last, digest, secret_id, tag"
                        " FROM (SELECT 1) LEFT JOIN audit_ends"},
    [AUDIT_ENDS_PUT] = {AUDITING, WRITES,
                        "INSERT INTO audit_ends (one, first, before, last, digest, secret_id, tag)"
                        " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (one) DO UPDATE SET"
                        " first = excluded.first, before = excluded.before, last = excluded.last,"
                        " digest = excluded.digest, secret_id = excluded.secret_id,"
                        " tag = excluded.tag"},
    [AUDIT_FIND_LAST] = {AUDITING, READS,
                         "SELECT " AUDIT_FIELDS
                         " FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT 1"},
    [AUDIT_ADD] = {AUDITING, WRITES,
                   "INSERT INTO audit (" AUDIT_FIELDS ")"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"},
    /* The last of the oldest rows, ?3 at most, that are older than ?1 or not after the row ?2. */
    [AUDIT_DUE] = {AUDITING, READS,
                   "SELECT id FROM (SELECT id, at_s FROM audit ORDER BY id LIMIT ?3)"
                   " WHERE at_s < ?1 OR id <= ?2 ORDER BY id DESC LIMIT 1"},
    [AUDIT_OLDEST] = {AUDITING, READS,
                      "SELECT " AUDIT_FIELDS " FROM audit WHERE id <= ?1 ORDER BY id"},
    [AUDIT_TRIM] = {AUDITING, WRITES, "DELETE FROM audit WHERE id <= ?1"},
    [AUDIT_LIST] = {ADMINISTERING, READS,
                    "SELECT " AUDIT_FIELDS " FROM audit WHERE at_s >= ?1 ORDER BY id"},
    [AUDIT_LIST_OF_USER] = {ADMINISTERING, READS,
                            "SELECT " AUDIT_FIELDS " FROM audit WHERE at_s >= ?1 AND user = ?2"
                            " ORDER BY id"},
    [AUDIT_LIST_LAST] = {OWN_ACCOUNT, READS,
                         "SELECT " AUDIT_FIELDS " FROM audit WHERE user_id = ?1 AND user_id <> 0"
                         " ORDER BY id DESC LIMIT ?2"},

    [LINK_PUT] = {ADMINISTERING, WRITES,
                  "INSERT OR REPLACE INTO link (digest, user_id, until_s) VALUES (?1, ?2, ?3)"},
    [LINK_FIND] = {OWN_ACCOUNT, READS,
                   "SELECT user_id FROM link WHERE digest = ?1 AND until_s > ?2"},
    [LINK_REMOVE_OF_USER] = {OWN_ACCOUNT, WRITES, "DELETE FROM link WHERE user_id = ?1"},
    [LINK_PURGE] = {ADMINISTERING, WRITES, "DELETE FROM link WHERE until_s <= ?1"},

    /* The table `user` is in the other database: whoever adds asks there afterwards. */
    [CACHE_ADD] = {SIGNING_IN, WRITES,
                   "INSERT INTO session (id, rest, user_id, salt, created_s, seen_s, idle_s,"
                   " expires_s, remember, address, agent)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"},
    /* Whoever writes makes room, so these are for everybody. */
    [CACHE_EXPIRE] = {EVERYBODY, WRITES,
                      "DELETE FROM session WHERE rowid IN (SELECT rowid FROM session"
                      " WHERE min(expires_s, seen_s + idle_s) <= ?1"
                      " ORDER BY min(expires_s, seen_s + idle_s) LIMIT ?2)"},
    [CACHE_EVICT] = {EVERYBODY, WRITES,
                     "DELETE FROM session WHERE rowid IN (SELECT rowid FROM session"
                     " ORDER BY seen_s, rowid LIMIT ?1)"},
    [CACHE_GET_NEWEST] = {OWN_ACCOUNT, READS, "SELECT coalesce(max(rowid), 0) FROM session"},
    [CACHE_REMOVE_ALL] = {OWN_ACCOUNT, WRITES,
                          "DELETE FROM session WHERE rowid IN (SELECT rowid FROM session"
                          " WHERE rowid <= ?1 ORDER BY rowid LIMIT ?2)"},
    [CACHE_REMOVE_OF_USER] = {OWN_ACCOUNT, WRITES,
                              "DELETE FROM session WHERE rowid IN (SELECT rowid FROM session"
                              " WHERE user_id = ?3 AND rowid <= ?1 ORDER BY rowid LIMIT ?2)"},
    [CACHE_NOTE_EVICTED] = {EVERYBODY, WRITES, "UPDATE cache SET evicted = evicted + ?1"},
    [CACHE_NOTE_TOLD] = {EVERYBODY, WRITES,
                         "UPDATE cache SET told_s = ?1 WHERE abs(?1 - told_s) >= ?2"},
    [CACHE_GET_USE] = {ADMINISTERING, READS,
                       "SELECT (SELECT count(*) FROM session), evicted FROM cache"},
};

/* The command line has no limits, so its bit is of no account here. */
static const struct db_grant grants[] = {
    {EVERYBODY, DB_READ, "session", NULL},
    {EVERYBODY, DB_UPDATE, "session", "seen_s"},
    {EVERYBODY, DB_READ, "agent", NULL},
    {EVERYBODY, DB_READ, "revocation", NULL},
    {EVERYBODY, DB_READ, "generation", NULL},
    /* Everything of a user but the hash. */
    {EVERYBODY, DB_READ, "user", "id"},
    {EVERYBODY, DB_READ, "user", "name"},
    {EVERYBODY, DB_READ, "user", "display"},
    {EVERYBODY, DB_READ, "user", "email"},
    {EVERYBODY, DB_READ, "user", "groups"},
    {EVERYBODY, DB_READ, "user", "salt"},
    {EVERYBODY, DB_READ, "user", "locked"},

    {SIGNING_IN, DB_READ, "user", NULL},
    {SIGNING_IN, DB_UPDATE, "user", "hash"},
    {SIGNING_IN, DB_INSERT, "session", NULL},
    {SIGNING_IN, DB_DELETE, "revocation", NULL},
    {SIGNING_IN, DB_INSERT, "agent", NULL},
    {SIGNING_IN, DB_UPDATE, "agent", "until_s"},
    {SIGNING_IN, DB_DELETE, "agent", NULL},

    {SIGNING_IN, DB_READ, "throttle", NULL},
    {SIGNING_IN, DB_INSERT, "throttle", NULL},
    {SIGNING_IN, DB_UPDATE, "throttle", NULL},
    {SIGNING_IN, DB_DELETE, "throttle", NULL},

    {OWN_ACCOUNT, DB_UPDATE, "user", "password_s"},
    {OWN_ACCOUNT, DB_UPDATE, "user", "salt"},
    {OWN_ACCOUNT, DB_READ, "link", NULL},
    {OWN_ACCOUNT, DB_DELETE, "link", NULL},

    {AUDITING, DB_READ, "audit", NULL},
    {AUDITING, DB_INSERT, "audit", NULL},
    {AUDITING, DB_DELETE, "audit", NULL}, /* what was kept for long enough */
    {AUDITING, DB_READ, "audit_ends", NULL},
    {AUDITING, DB_INSERT, "audit_ends", NULL},
    {AUDITING, DB_UPDATE, "audit_ends", NULL},
    {REVOKING, DB_DELETE, "session", NULL},
    {REVOKING, DB_INSERT, "revocation", NULL},
    {REVOKING, DB_UPDATE, "revocation", "until_s"},
    {REVOKING, DB_UPDATE, "generation", NULL},
    /* What a session remembers goes with it, by ON DELETE CASCADE. */
    {REVOKING, DB_READ, "session_data", NULL},
    {REVOKING, DB_DELETE, "session_data", NULL},

    {REMEMBERING, DB_READ, "session_data", NULL},
    {REMEMBERING, DB_INSERT, "session_data", NULL},
    {REMEMBERING, DB_UPDATE, "session_data", "value"},
    {REMEMBERING, DB_DELETE, "session_data", NULL},
    {0},
};

/* Whoever writes to the cache makes room in it, and so removes what others had there. */
static const struct db_grant cache_grants[] = {
    {EVERYBODY, DB_READ, "session", NULL},
    {EVERYBODY, DB_UPDATE, "session", "seen_s"},
    {EVERYBODY, DB_DELETE, "session", NULL},
    {EVERYBODY, DB_READ, "agent", NULL},
    {EVERYBODY, DB_READ, "session_data", NULL},
    {EVERYBODY, DB_DELETE, "session_data", NULL},
    {EVERYBODY, DB_READ, "cache", NULL},
    {EVERYBODY, DB_UPDATE, "cache", NULL},

    {SIGNING_IN, DB_INSERT, "session", NULL},

    {REMEMBERING, DB_INSERT, "session_data", NULL},
    {REMEMBERING, DB_UPDATE, "session_data", "value"},
    {0},
};

void statement_limit(struct db *db, enum store_role role, bool is_cache)
{
    const struct db_grant *list = is_cache ? cache_grants : grants;
    db_limit(db, role == STORE_ROLE_ADMIN ? NULL : list, 1U << role);
}
