/* The closed set of SQL statements, and who may run each. No other SQL is ever run on a live
 * database but the schema's steps. */
#ifndef LATCHKEY_STORE_STATEMENTS_H
#define LATCHKEY_STORE_STATEMENTS_H

#include "db/db.h"
#include "store/store.h"

enum statement {
    USER_FIND,
    USER_FIND_BY_ID,
    USER_ADD,
    USER_SET_PASSWORD,
    USER_CHANGE_PASSWORD,
    USER_REHASH,
    USER_SET_LOCKED,
    USER_RENEW_SALT,
    USER_REMOVE,
    USER_LIST,
    USER_NEXT,
    SESSION_ADD,
    SESSION_FIND,
    SESSION_FIND_WITH_USER,
    SESSION_FIND_BY_ID,
    SESSION_TOUCH,
    SESSION_REMOVE,
    SESSION_STRETCH,
    SESSION_PURGE_DEAD,
    SESSION_PURGE_USER,
    SESSION_PURGE_SOME,
    SESSION_LIST_ALL,
    SESSION_LIST_OF_USER,
    SESSION_DATA_LIST,
    SESSION_DATA_MEASURE,
    SESSION_DATA_PUT,
    SESSION_DATA_REMOVE,
    AGENT_ADD,
    AGENT_KEEP,
    AGENT_PURGE,
    REVOCATION_COUNT,
    REVOCATION_ADD_SESSION,
    REVOCATION_ADD_USER,
    REVOCATION_EXTEND,
    REVOCATION_KEEP,
    REVOCATION_FIND,
    REVOCATION_READ,
    REVOCATION_DUE,
    REVOCATION_FORGET,
    REVOCATION_PURGE,
    THROTTLE_FIND,
    THROTTLE_COUNT,
    THROTTLE_RELEASE,
    THROTTLE_CLEAR,
    THROTTLE_CLEAR_ACCOUNT,
    THROTTLE_CLEAR_NETWORK,
    THROTTLE_CLEAR_ALL,
    THROTTLE_FORGET,
    THROTTLE_MEASURE,
    THROTTLE_TRIM,
    THROTTLE_LIST,
    AUDIT_ENDS_GET,
    AUDIT_ENDS_PUT,
    AUDIT_FIND_LAST,
    AUDIT_ADD,
    AUDIT_DUE,
    AUDIT_OLDEST,
    AUDIT_TRIM,
    AUDIT_LIST,
    AUDIT_LIST_OF_USER,
    AUDIT_LIST_LAST,
    LINK_PUT,
    LINK_FIND,
    LINK_REMOVE_OF_USER,
    LINK_PURGE,
    /* For the cache only: */
    CACHE_ADD,
    CACHE_EXPIRE,
    CACHE_EVICT,
    CACHE_GET_NEWEST,
    CACHE_REMOVE_ALL,
    CACHE_REMOVE_OF_USER,
    CACHE_NOTE_EVICTED,
    CACHE_NOTE_TOLD,
    CACHE_GET_USE,
    STATEMENTS
};

struct statement_rule {
    unsigned roles; /* bit 1 << role for each that may run it */
    bool writes;
    const char *sql;
};

extern const struct statement_rule statement_rules[STATEMENTS];

/* Limits a connection to what the role's statements need, by table and column, with SQLite's
 * authorizer. */
void statement_limit(struct db *db, enum store_role role, bool is_cache);

#endif
