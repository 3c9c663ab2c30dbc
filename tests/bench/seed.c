/* Adds sessions of one user to the database of $LATCHKEY_CONFIG and prints their tokens, a line
 * each. Usage: seed USER COUNT */
#include <stdio.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/log.h"

static enum status add_one(const struct auth *auth, const struct user *user, int64_t now_s)
{
    struct token token;
    char text[TOKEN_TEXT_LEN + 1];
    struct session_start start = {.now_s = now_s, .address = TEXT("127.0.0.1")};
    enum status status = session_begin(&auth->sessions, user, &start, &token);
    if (status == OK) {
        status = token_encode(auth->keyring, &token, text);
    }
    if (status == OK) {
        (void)puts(text);
    }
    return status;
}

static enum status add_all(const struct auth *auth, const char *name, long count)
{
    struct user user;
    int64_t now_s = 0;
    enum status status = clock_get(&now_s);
    if (status == OK) {
        status = users_find(auth->store, text_of(name), &user);
    }
    if (status == OK) {
        status = store_begin(auth->store);
    }
    for (long i = 0; i < count && status == OK; i++) {
        status = add_one(auth, &user, now_s);
    }
    return status == OK ? store_commit(auth->store) : status;
}

int main(int argc, char **argv)
{
    char error[CONFIG_ERROR_MAX];
    struct config *config = NULL;
    struct auth auth = {0};
    int result = EXIT_FAILURE;
    log_open("seed", LOG_LEVEL_INFO);
    if (argc != 3 || config_load(NULL, &config, error) != OK) {
        log_error("usage: LATCHKEY_CONFIG=FILE seed USER COUNT");
    } else if (auth_open(config, STORE_ROLE_ADMIN, &auth) == OK &&
               add_all(&auth, argv[1], strtol(argv[2], NULL, 10)) == OK) {
        result = EXIT_SUCCESS;
    }
    auth_close(&auth);
    config_free(&config);
    return result;
}
