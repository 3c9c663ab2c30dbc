/* latchkey user: adding, changing and removing users, one at a time. */
#include "cli/user.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/hashing.h"
#include "base/clock.h"
#include "base/secret.h"
#include "cli/audited.h"
#include "cli/listing.h"
#include "cli/new_password.h"

#define OBJECT_MAX 8192 /* six times all that a user has, for escapes */

/* Hashes in line with the programs, if any could be running: where the run directory is missing, as
 * after a boot, there is no line. */
static enum status hash_in_line(const struct config *config, struct text password,
                                char hash[PASSWORD_HASH_MAX])
{
    struct hash_line *line = NULL;
    enum status status = OK;
    if (access(config->state.run_directory, F_OK) == 0) {
        status = hash_line_open(config_hash_line_path(config), config->workers.login, &line);
    }
    if (status == OK) {
        status = hashing_make(config, line, password, hash);
    }
    if (status == ERR_BUSY) {
        (void)command_fail("too many passwords are being hashed at this moment; try again");
    }
    hash_line_close(&line);
    return status;
}

/* Gets a new password and hashes it. EXIT_FAILED: told. */
static int make_hash(struct invocation *invocation, char hash[PASSWORD_HASH_MAX])
{
    const struct config *config = invocation->config;
    char password[PASSWORD_BYTES_MAX + 1];
    bool from_stdin = (invocation->options.given & OPTION_PASSWORD_STDIN) != 0;
    enum status status = new_password_get(from_stdin, config->password.min_length, password);
    if (status == OK) {
        status = hash_in_line(config, text_of(password), hash);
    }
    secret_wipe(password, sizeof password);
    return command_finish(status);
}

static int copy_option(char *out, size_t room, const char *value, bool is_valid, const char *rule)
{
    if (value == NULL) {
        return EXIT_DONE;
    }
    if (!is_valid || strlen(value) >= room) {
        return command_fail("%s", rule);
    }
    memcpy(out, value, strlen(value) + 1);
    return EXIT_DONE;
}

int user_read_options(const struct options *options, struct user *out)
{
    struct text name = text_of(options->operands[0]);
    if (!user_name_is_valid(name)) {
        return command_fail("that is no user name: 1 to %d ASCII letters, digits and . _ - @ +",
                            USER_NAME_MAX);
    }
    memcpy(out->name, name.data, name.len);
    int result = copy_option(out->display, sizeof out->display, options->name,
                             user_display_is_valid(text_of(options->name)),
                             "--name: at most 128 bytes of UTF-8 without control characters");
    if (result == EXIT_DONE) {
        result = copy_option(out->email, sizeof out->email, options->email,
                             user_email_is_valid(text_of(options->email)),
                             "--email: that is no e-mail address in printable ASCII");
    }
    for (size_t i = 0; i < options->group_count && result == EXIT_DONE; i++) {
        enum status status = user_add_group(out, text_of(options->groups[i]));
        if (status == ERR_INPUT) {
            result = command_fail("--group: that is no group name: 1 to %d ASCII letters, digits "
                                  "and . _ - @ +",
                                  USER_NAME_MAX);
        } else if (status != OK) {
            result = command_fail("--group: more than %d bytes of groups", USER_GROUPS_MAX);
        }
    }
    return result;
}

/* The user and the note of it, both or none. */
static enum status add_user(const struct invocation *invocation, struct user *user)
{
    enum status status = store_begin(invocation->store);
    if (status != OK) {
        return status;
    }
    status = users_add(invocation->store, user);
    if (status == OK) {
        audited_note_user(invocation, AUDIT_USER, user, "added");
    }
    return store_end(invocation->store, status);
}

int user_add_run(struct invocation *invocation)
{
    struct user user = {0};
    struct user present = {0};
    int result = user_read_options(&invocation->options, &user);
    if (result != EXIT_DONE) {
        return result;
    }
    /* Known before the password is asked for; decided by the database at the end. */
    enum status status = users_find(invocation->store, text_of(user.name), &present);
    secret_wipe(&present, sizeof present);
    if (status == ERR_NOT_FOUND) {
        result = make_hash(invocation, user.hash);
        status = OK;
        if (result == EXIT_DONE) {
            status = clock_get(&user.created_s);
        }
        if (result == EXIT_DONE && status == OK) {
            status = add_user(invocation, &user);
        }
    } else if (status == OK) {
        status = ERR_EXISTS;
    }
    if (status == ERR_EXISTS) {
        result = command_fail("there is a user %s already; to set another password: latchkey user "
                              "passwd %s",
                              user.name, user.name);
    } else if (status != OK) {
        result = command_finish(status);
    } else if (result == EXIT_DONE) {
        (void)printf("User %s added.\n", user.name);
    }
    secret_wipe(&user, sizeof user);
    return result;
}

int user_passwd_run(struct invocation *invocation)
{
    struct user user = {0};
    char hash[PASSWORD_HASH_MAX] = "";
    int64_t now_s = 0;
    int result = command_find_user(invocation, &user);
    if (result == EXIT_DONE) {
        result = make_hash(invocation, hash);
    }
    if (result == EXIT_DONE) {
        enum status status = clock_get(&now_s);
        if (status == OK) {
            status = users_set_password(invocation->store, user.id, hash, now_s);
        }
        result = command_finish(status);
    }
    if (result == EXIT_DONE) {
        audited_note_user(invocation, AUDIT_PASSWORD, &user, "set");
        (void)printf("User %s has a new password; all sessions have ended.\n", user.name);
    }
    secret_wipe(&user, sizeof user);
    secret_wipe(hash, sizeof hash);
    return result;
}

static const struct listing_column columns[] = {
    {"USER", -20}, {"LOCKED", -7}, {"NAME", -24}, {"EMAIL", -28}, {"GROUPS", 0}, {NULL, 0},
};

static bool print_json(struct listing *listing, const struct user *user)
{
    struct buffer object;
    buffer_init(&object, OBJECT_MAX);
    struct json json = json_open(&object);
    json_add_text(&json, "user", text_of(user->name));
    json_add_text(&json, "name", text_of(user->display));
    json_add_text(&json, "email", text_of(user->email));
    json_add_words(&json, "groups", text_of(user->groups));
    json_add_bool(&json, "locked", user->locked);
    json_add_number(&json, "created", user->created_s);
    json_add_number(&json, "password_changed", user->password_s);
    json_close(&json);
    return listing_add_json(listing, &object);
}

static bool print_user(void *context, const struct user *user)
{
    struct listing *listing = context;
    if (listing->json) {
        return print_json(listing, user);
    }
    const char *const cells[] = {user->name, user->locked ? "locked" : "-", user->display,
                                 user->email, user->groups};
    listing_add_row(listing, columns, cells);
    return true;
}

int user_list_run(struct invocation *invocation)
{
    struct listing listing = listing_init(&invocation->options);
    enum status status = users_list(invocation->store, print_user, &listing);
    return command_finish(
        listing_close(&listing, status, "There are no users yet: latchkey user add NAME"));
}

static int set_locked(struct invocation *invocation, bool locked, const char *outcome)
{
    struct user user = {0};
    int result = command_find_user(invocation, &user);
    if (result == EXIT_DONE) {
        result = command_finish(users_set_locked(invocation->store, user.id, locked));
    }
    if (result == EXIT_DONE) {
        audited_note_user(invocation, AUDIT_LOCK, &user, locked ? "locked" : "unlocked");
        (void)printf("User %s %s.\n", user.name, outcome);
    }
    secret_wipe(&user, sizeof user);
    return result;
}

int user_lock_run(struct invocation *invocation)
{
    return set_locked(invocation, true, "is locked; all sessions have ended");
}

int user_unlock_run(struct invocation *invocation)
{
    return set_locked(invocation, false, "may sign in again");
}

int user_remove_run(struct invocation *invocation)
{
    struct user user = {0};
    int result = command_find_user(invocation, &user);
    if (result == EXIT_DONE) {
        result = command_finish(users_remove(invocation->store, user.id));
    }
    if (result == EXIT_DONE) {
        audited_note_user(invocation, AUDIT_USER, &user, "removed");
        (void)printf("User %s is removed; all sessions have ended.\n", user.name);
    }
    secret_wipe(&user, sizeof user);
    return result;
}
