/* Fills a fresh installation with people who are signed in. Usage: seed COUNT PASSWORD, with the
 * configuration of the programs (LATCHKEY_CONFIG)
 *
 * Makes COUNT users person0, person1, … who share one hash of the password, and a session of each,
 * all in one transaction through the store's own functions; prints the value of each one's cookie,
 * a line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/secret.h"

static enum status add_person(struct auth *auth, struct user *user, int64_t now_s)
{
    const struct session_start start = {
        .now_s = now_s, .address = TEXT("192.0.2.1"), .agent = TEXT("Mozilla/5.0 (bench)")};
    struct token token = {0};
    char text[TOKEN_TEXT_MAX + 1] = "";
    enum status status = users_add(auth->store, user);
    if (status == OK) {
        status = session_begin(&auth->sessions, user, &start, &token);
    }
    if (status == OK) {
        status = token_encode(auth->keyring, &token, text);
    }
    if (status == OK && puts(text) < 0) {
        status = ERR_SYSTEM;
    }
    return status;
}

static enum status add_people(struct auth *auth, const char *hash, long count)
{
    int64_t now_s = 0;
    enum status status = clock_get(&now_s);
    for (long i = 0; i < count && status == OK; i++) {
        struct user user = {.created_s = now_s, .password_s = now_s};
        (void)snprintf(user.name, sizeof user.name, "person%ld", i);
        (void)snprintf(user.display, sizeof user.display, "Person %ld", i);
        (void)snprintf(user.email, sizeof user.email, "person%ld@example.org", i);
        (void)snprintf(user.groups, sizeof user.groups, "staff,people");
        (void)snprintf(user.hash, sizeof user.hash, "%s", hash);
        status = add_person(auth, &user, now_s);
    }
    return status;
}

static enum status seed(struct auth *auth, const char *password, long count)
{
    const struct config *config = auth->config;
    const struct password_cost cost = {config->password.memory_bytes, config->password.passes};
    char hash[PASSWORD_HASH_MAX];
    enum status status = password_hash(text_of(password), &cost, hash);
    if (status == OK) {
        status = store_begin(auth->store);
    }
    if (status != OK) {
        return status;
    }
    status = add_people(auth, hash, count);
    if (status == OK) {
        return store_commit(auth->store);
    }
    store_rollback(auth->store);
    return status;
}

int main(int argc, char **argv)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    struct auth auth = {0};
    long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    if (count < 1) {
        (void)fprintf(stderr, "usage: seed COUNT PASSWORD\n");
        return 2;
    }
    if (config_load(NULL, &config, error) != OK) {
        (void)fprintf(stderr, "seed: %s\n", error);
        return 1;
    }
    enum status status = auth_open(config, STORE_ROLE_ADMIN, false, &auth);
    if (status == OK) {
        status = seed(&auth, argv[2], count);
    }
    auth_close(&auth);
    config_free(&config);
    if (status != OK) {
        (void)fprintf(stderr, "seed: %s\n", status_text(status));
    }
    return status == OK ? 0 : 1;
}
