/* Fills a fresh installation with people who are signed in. Usage: seed COUNT PASSWORD [MOST], with
 * the configuration of the programs (LATCHKEY_CONFIG)
 *
 * Makes COUNT sessions in the store that session.store names: of users person0, person1, … who
 * share one hash of the password, each of one up to a thousand, of ten or more beyond. Ids, and
 * with them the places of the rows, are random, so that pages of the database are as full as
 * sign-ins leave them; addresses and agents are as long and as various as a public site sees them.
 * Prints the value of each one's cookie, a line each, or of MOST of them, evenly spread.
 *
 * Rows go through the store's own functions, many to a transaction, and without what a sign-in does
 * besides. SQLite may use more memory here than in the programs, for a million random places. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/secret.h"
#include "crypto/random.h"
#include "session/sealed.h"
#include "store/cache.h"

#define USERS_MAX      100000
#define SINGLE_MAX     1000 /* so many users have one session each */
#define PER_USER       10
#define HOUR_S         3600
#define BATCH_DATABASE 1000000                        /* rows of a transaction */
#define BATCH_CACHE    32                             /* what the log of a cache has room for */
#define CACHE_SIZE     "PRAGMA cache_size = -3145728" /* KiB */

struct person {
    int64_t id;
    uint8_t salt[USER_SALT_BYTES];
};

struct seeding {
    struct auth *auth;
    enum session_store kind;
    struct store *rows; /* where the sessions go */
    long count, most, users, batch;
    int64_t now_s;
    struct person *people;
};

/* With a version between: 50 of each. */
static const struct browser {
    const char *before, *after;
} browsers[] = {
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
     ".0.0.0 Safari/537.36"},
    {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
     ".0.0.0 Mobile Safari/537.36"},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/",
     ".0.0.0 Safari/537.36"},
    {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/17.",
     " Mobile/15E148 Safari/604.1"},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:", ".0) Gecko/20100101 Firefox/128.0"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/126.0.0.0 Safari/537.36 Edg/",
     ".0.0.0"},
};

/* A third of the addresses are of the longer kind. */
static enum status set_origin(struct session_row *row)
{
    uint8_t some[16];
    enum status status = random_fill(some, sizeof some);
    if (status != OK) {
        return status;
    }
    const struct browser *browser = &browsers[some[0] % (sizeof browsers / sizeof *browsers)];
    (void)snprintf(row->agent, sizeof row->agent, "%s%d%s", browser->before, 90 + some[1] % 50,
                   browser->after);
    if (some[2] % 3 == 0) {
        (void)snprintf(row->address, sizeof row->address,
                       "2001:db8:%x%02x:%x%02x:%x%02x:%x%02x:%x%02x:%x%02x", some[3], some[4],
                       some[5], some[6], some[7], some[8], some[9], some[10], some[11], some[12],
                       some[13], some[14]);
    } else {
        (void)snprintf(row->address, sizeof row->address, "%d.%d.%d.%d", some[3], some[4], some[5],
                       some[6]);
    }
    row->created_s -= (some[14] * 256 + some[15]) % HOUR_S;
    return OK;
}

/* Whether the session of that number is one of those whose cookies are printed. */
static bool is_shown(const struct seeding *seeding, long number)
{
    return number == 0 ||
           number * seeding->most / seeding->count != (number - 1) * seeding->most / seeding->count;
}

static enum status print_cookie(const struct seeding *seeding, const struct session_row *row,
                                struct token *token)
{
    char text[TOKEN_TEXT_MAX + 1] = "";
    enum status status = OK;
    if (seeding->kind == SESSION_STORE_COOKIE) {
        status = sealed_pack(row, (struct text){0}, token);
    }
    if (status == OK) {
        status = token_encode(seeding->auth->keyring, token, text);
    }
    return status == OK && puts(text) < 0 ? ERR_SYSTEM : status;
}

static enum status add_session(const struct seeding *seeding, long number)
{
    static const enum token_kind kinds[] = {
        [SESSION_STORE_DATABASE] = TOKEN_STORED,
        [SESSION_STORE_CACHE] = TOKEN_CACHED,
        [SESSION_STORE_COOKIE] = TOKEN_SEALED,
    };
    const struct config *config = seeding->auth->config;
    const struct person *person = &seeding->people[number % seeding->users];
    struct token token = {0};
    struct session_row row = {.user_id = person->id,
                              .created_s = seeding->now_s,
                              .seen_s = seeding->now_s,
                              .idle_s = config->session.idle_s,
                              .expires_s = seeding->now_s + config->session.lifetime_s};
    memcpy(row.salt, person->salt, sizeof row.salt);
    enum status status = token_new(kinds[seeding->kind], seeding->now_s, &token);
    if (status == OK) {
        token_digest(&token, row.key);
        status = set_origin(&row);
    }
    if (status == OK) {
        status = seeding->kind == SESSION_STORE_CACHE ? cache_add(seeding->rows, &row)
                                                      : sessions_add(seeding->rows, &row);
    }
    if (status == OK && is_shown(seeding, number)) {
        status = print_cookie(seeding, &row, &token);
    }
    token_wipe(&token);
    return status;
}

static enum status add_user(const struct seeding *seeding, const char *hash, long number)
{
    struct user user = {.created_s = seeding->now_s, .password_s = seeding->now_s};
    (void)snprintf(user.name, sizeof user.name, "person%ld", number);
    (void)snprintf(user.display, sizeof user.display, "Person %ld", number);
    (void)snprintf(user.email, sizeof user.email, "person%ld@example.org", number);
    (void)snprintf(user.groups, sizeof user.groups, "staff,people");
    (void)snprintf(user.hash, sizeof user.hash, "%s", hash);
    enum status status = users_add(seeding->auth->store, &user);
    seeding->people[number].id = user.id;
    memcpy(seeding->people[number].salt, user.salt, sizeof user.salt);
    secret_wipe(&user, sizeof user);
    return status;
}

static enum status add_users(const struct seeding *seeding, const char *password)
{
    const struct config *config = seeding->auth->config;
    const struct password_cost cost = {config->password.memory_bytes, config->password.passes};
    char hash[PASSWORD_HASH_MAX];
    enum status status = password_hash(text_of(password), &cost, hash);
    if (status == OK) {
        status = store_begin(seeding->auth->store);
    }
    for (long i = 0; i < seeding->users && status == OK; i++) {
        status = add_user(seeding, hash, i);
    }
    return status == OK ? store_commit(seeding->auth->store) : status;
}

static enum status add_sessions(const struct seeding *seeding)
{
    enum status status = OK;
    for (long i = 0; i < seeding->count && status == OK; i++) {
        if (i % seeding->batch == 0) {
            status = store_begin(seeding->rows);
        }
        if (status == OK) {
            status = add_session(seeding, i);
        }
        bool is_last = (i + 1) % seeding->batch == 0 || i + 1 == seeding->count;
        if (status == OK && is_last) {
            status = store_commit(seeding->rows);
        }
    }
    return status;
}

static enum status seed(struct auth *auth, const char *password, long count, long most)
{
    struct seeding seeding = {.auth = auth, .kind = auth->config->session.store};
    bool is_cache = seeding.kind == SESSION_STORE_CACHE;
    seeding.rows = is_cache ? auth->sessions.cache : auth->store;
    seeding.batch = is_cache ? BATCH_CACHE : BATCH_DATABASE;
    seeding.count = count;
    seeding.most = most < count ? most : count;
    seeding.users = count / PER_USER < SINGLE_MAX ? SINGLE_MAX : count / PER_USER;
    seeding.users = seeding.users < count ? seeding.users : count;
    seeding.users = seeding.users < USERS_MAX ? seeding.users : USERS_MAX;
    seeding.people = calloc((size_t)seeding.users, sizeof *seeding.people);
    enum status status = seeding.people != NULL ? clock_get(&seeding.now_s) : ERR_MEMORY;
    if (status == OK) {
        status = add_users(&seeding, password);
    }
    if (status == OK) {
        status = add_sessions(&seeding);
    }
    free(seeding.people);
    return status;
}

/* Called by SQLite for each connection that is opened. */
static int enlarge_cache(sqlite3 *handle, char **error, const struct sqlite3_api_routines *api)
{
    (void)error;
    (void)api;
    return sqlite3_exec(handle, CACHE_SIZE, NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    struct auth auth = {0};
    long count = argc == 3 || argc == 4 ? strtol(argv[1], NULL, 10) : 0;
    long most = argc == 4 ? strtol(argv[3], NULL, 10) : count;
    if (count < 1 || most < 1) {
        (void)fprintf(stderr, "usage: seed COUNT PASSWORD [MOST]\n");
        return 2;
    }
    (void)sqlite3_auto_extension((void (*)(void))enlarge_cache);
    if (config_load(NULL, &config, error) != OK) {
        (void)fprintf(stderr, "seed: %s\n", error);
        return 1;
    }
    enum status status = auth_open(config, "seed", STORE_ROLE_ADMIN, false, &auth);
    if (status == OK) {
        status = seed(&auth, argv[2], count, most);
    }
    auth_close(&auth);
    config_free(&config);
    if (status != OK) {
        (void)fprintf(stderr, "seed: %s\n", status_text(status));
    }
    return status == OK ? 0 : 1;
}
