#include "policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

const struct password_cost policy_cost = {8192, 1};

struct config *policy_make(void)
{
    struct config *config = NULL;
    char error[CONFIG_ERROR_MAX] = "";
    char text[512];
    (void)snprintf(text, sizeof text, "[state]\ndirectory = %s\nrun_directory = %s\n",
                   scratch_folder(), scratch_folder());
    if (config_load(scratch_write("test.conf", text), &config, error) != OK) {
        fail_msg("%s", error);
    }
    config->password.memory_bytes = policy_cost.memory_bytes;
    config->password.passes = policy_cost.passes;
    (void)unlink(config_secret_path(config));
    (void)unlink(config_cache_path(config));
    assert_int_equal(keyring_create(config_secret_path(config)), OK);
    (void)database_make();
    return config;
}

struct user policy_add_user(struct store *store, const char *name)
{
    struct user user = {.created_s = NOON};
    (void)snprintf(user.name, sizeof user.name, "%s", name);
    assert_int_equal(password_hash(POLICY_PASSWORD, &policy_cost, user.hash), OK);
    assert_int_equal(users_add(store, &user), OK);
    return user;
}
