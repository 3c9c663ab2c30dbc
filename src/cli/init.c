/* latchkey init, migrate, backup: what the state is made of.
 *
 * init is safe to repeat: it makes what is missing and leaves what is there. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/owner.h"
#include "crypto/keyring.h"

#define STATE_MODE   0700
#define SOCKETS_MODE 0750

static void tell(const char *what, const char *path, bool made)
{
    (void)printf("%-13s %s (%s)\n", what, path, made ? "made" : "was there");
}

static enum status make_folder(const char *what, const char *path, mode_t mode)
{
    bool is_new = access(path, F_OK) != 0;
    enum status status = file_make_folder(path, mode);
    if (status == OK) {
        tell(what, path, is_new);
    }
    return status;
}

static enum status make_secret(const char *path)
{
    enum status status = keyring_create(path);
    if (status == OK || status == ERR_EXISTS) {
        tell("secret", path, status == OK);
        status = OK;
    }
    return status;
}

static enum status make_database(struct invocation *invocation)
{
    const char *path = config_database_path(invocation->config);
    bool is_new = access(path, F_OK) != 0;
    int from = 0;
    int to = 0;
    enum status status = store_open(path, NULL, STORE_ROLE_ADMIN, &invocation->store);
    if (status == OK) {
        status = store_migrate(invocation->store, &from, &to);
    }
    if (status == OK) {
        tell("database", path, is_new);
        if (!is_new && from != to) {
            (void)printf("%-13s from structure %d to %d\n", "migrated", from, to);
        }
    }
    return status;
}

/* Root makes things for the user that the programs run as. */
static enum status hand_over(const struct config *config, const struct owner *owner)
{
    enum status status = owner_give(owner, config->state.directory, false);
    if (status == OK && geteuid() == 0) {
        status = owner_give(owner, config->state.run_directory, true);
    }
    if (status == OK) {
        status = owner_give(owner, config_secret_path(config), false);
    }
    if (status == OK) {
        status = owner_give(owner, config_database_path(config), false);
    }
    return status;
}

int init_run(struct invocation *invocation)
{
    const struct config *config = invocation->config;
    struct owner owner;
    enum status status = owner_find(config, &owner);
    if (status == OK) {
        status = make_folder("state", config->state.directory, STATE_MODE);
    }
    if (status == OK) {
        status = make_folder("run directory", config->state.run_directory, SOCKETS_MODE);
    }
    if (status == OK) {
        status = make_secret(config_secret_path(config));
    }
    if (status == OK) {
        status = make_database(invocation);
    }
    if (status == OK) {
        status = hand_over(config, &owner);
    }
    return command_finish(status);
}

int migrate_run(struct invocation *invocation)
{
    const char *path = config_database_path(invocation->config);
    int from = 0;
    int to = 0;
    if (access(path, F_OK) != 0) {
        return command_fail("there is no database %s; make it with: latchkey init", path);
    }
    enum status status = store_open(path, NULL, STORE_ROLE_ADMIN, &invocation->store);
    if (status == OK) {
        status = store_migrate(invocation->store, &from, &to);
    }
    if (status == OK && from == to) {
        (void)printf("The database is of structure %d, as it should be.\n", to);
    } else if (status == OK) {
        (void)printf("The database was brought from structure %d to %d.\n", from, to);
    }
    return command_finish(status);
}

int backup_run(struct invocation *invocation)
{
    const char *path = invocation->options.operands[0];
    enum status status = store_backup(invocation->store, path);
    if (status == ERR_EXISTS) {
        return command_fail("there is a file %s already; name another", path);
    }
    if (status == OK) {
        (void)printf("The database was copied to %s. The secret is not in it.\n", path);
    }
    return command_finish(status);
}
