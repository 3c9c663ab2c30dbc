/* The configuration: an INI file, read once into a struct, every value checked.
 *
 * man/latchkey.conf.5 explains the keys; the table in config_key.c is their one home. */
#ifndef LATCHKEY_BASE_CONFIG_H
#define LATCHKEY_BASE_CONFIG_H

#include "base/log.h"
#include "base/text.h"

#define CONFIG_DEFAULT_PATH "/etc/latchkey/latchkey.conf"
#define CONFIG_LIST_MAX     32
#define CONFIG_ERROR_MAX    512

enum session_store { SESSION_STORE_DATABASE, SESSION_STORE_CACHE, SESSION_STORE_COOKIE };

/* What a program does about means of the kernel to confine it (confine/confine.h). */
enum confinement_wish { CONFINEMENT_AVAILABLE, CONFINEMENT_REQUIRED, CONFINEMENT_OFF };

/* A list of words, written in the file with spaces or commas between them. Host names are kept in
 * lower case. */
struct config_list {
    char *items[CONFIG_LIST_MAX]; /* owned */
    size_t count;
};

struct config {
    char *path;            /* the file read, or NULL: all defaults */
    char *database_path;   /* owned; see config_database_path */
    char *secret_path;     /* owned; see config_secret_path */
    char *generation_path; /* owned; see config_generation_path */
    char *cache_path;      /* owned; see config_cache_path */
    char *hash_line_path;  /* owned; see config_hash_line_path */
    struct {
        char *name;
        char *path; /* begins with '/', no '/' at the end; "" is not allowed */
        char *url;  /* "https://example.org", before which links put the path; "" when not known */
        struct config_list return_hosts;
        char *templates; /* "" when built-in ones are used */
        struct config_list trusted_proxies;
    } site;
    struct {
        char *directory;
        char *run_directory;
        char *user;
        char *group; /* whose members may connect to the sockets of `latchkey serve` */
        bool user_is_set, group_is_set; /* whether the file says so, or it is the default */
    } state;
    struct {
        char *url;
    } database;
    struct {
        enum session_store store;
        int64_t idle_s, lifetime_s, remember_s;
        char *cookie_domain;
        bool secure_cookie;
        uint64_t data_limit_bytes;
    } session;
    struct {
        uint64_t size_bytes;
    } cache;
    struct {
        uint64_t memory_bytes;
        uint64_t passes;
        uint64_t min_length;
    } password;
    struct {
        uint64_t attempts;
        int64_t window_s;
        uint64_t ipv4_bits, ipv6_bits; /* of an address that name its network */
    } throttle;
    struct {
        uint64_t login, logout, account, gate;
        enum confinement_wish confinement;
    } workers;
    struct {
        enum log_level level;
        bool audit;
        int64_t keep_s;
    } log;
};

/* Reads `path`, or, when NULL, $LATCHKEY_CONFIG, or the default place (which alone may be missing).
 * ERR_INPUT, ERR_NOT_FOUND, ERR_SYSTEM, ERR_MEMORY: `error` then holds one sentence,
 * "file:line: what is wrong; what to do". *out is owned by the caller: config_free. */
enum status config_load(const char *path, struct config **out, char error[CONFIG_ERROR_MAX])
    MUST_USE;

/* Frees what config_load made, and makes the pointer NULL. */
void config_free(struct config **config);

/* The file of the SQLite database that `database.url` names, relative paths joined to the state
 * directory; borrowed until config_free. */
const char *config_database_path(const struct config *config);

/* The file that holds the secrets: <state.directory>/secret; borrowed likewise. */
const char *config_secret_path(const struct config *config);

/* The file of the revocation generation: <state.run_directory>/generation; borrowed likewise. */
const char *config_generation_path(const struct config *config);
/* The file of the cache of sessions: <state.run_directory>/cache.db; borrowed likewise. */
const char *config_cache_path(const struct config *config);
/* The file of crypto/hash_line.h: <state.run_directory>/hashing; borrowed likewise. */
const char *config_hash_line_path(const struct config *config);

/* The cookie's name, with the strictest prefix that the configuration can keep (RFC 6265bis
 * §4.1.3): __Host-latchkey, __Secure-latchkey with a cookie_domain, latchkey without TLS. */
const char *config_cookie_name(const struct config *config);

/* The name of the cookie that tells known browsers: __Host-latchkey-device, without TLS
 * latchkey-device. It is never sent to other hosts. */
const char *config_device_cookie_name(const struct config *config);

/* "90s", "30m", "12h", "30d" to seconds; "64K", "19M", "1G" or plain bytes to bytes. ERR_INPUT when
 * malformed or not to be counted in 63 bits; *out is untouched then. */
enum status config_parse_duration(struct text text, int64_t *out_s) MUST_USE;
enum status config_parse_size(struct text text, uint64_t *out_bytes) MUST_USE;

#endif
