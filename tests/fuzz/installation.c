#include "installation.h"

#include <stdio.h>

#include "../unit/scratch.h"
#include "fuzz.h"

struct config *installation_make(void)
{
    struct config *config = NULL;
    char error[CONFIG_ERROR_MAX];
    char text[512];
    int from = 0;
    int to = 0;
    (void)snprintf(text, sizeof text,
                   "[state]\ndirectory = %s\nrun_directory = %s\n"
                   "[session]\nidle = 365d\nlifetime = 365d\n[log]\naudit = no\nlevel = error\n",
                   scratch_folder(), scratch_folder());
    fuzz_require(config_load(scratch_write("latchkey.conf", text), &config, error) == OK,
                 "an installation has a configuration");
    (void)fuzz_write_secret("secret");
    log_open("fuzz", LOG_LEVEL_ERROR);
    struct store *store = installation_open(config, STORE_ROLE_ADMIN);
    fuzz_require(store_migrate(store, &from, &to) == OK, "an installation has a database");
    store_close(&store);
    return config;
}

struct store *installation_open(const struct config *config, enum store_role role)
{
    struct store *store = NULL;
    fuzz_require(store_open(config_database_path(config), config_generation_path(config), role,
                            &store) == OK,
                 "a database can be opened");
    return store;
}
