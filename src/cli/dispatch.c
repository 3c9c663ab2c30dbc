/* One table of all commands: dispatch, help and usage come from it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/secret.h"
#include "cli/command.h"
#include "cli/owner.h"

#define VERSION   "0.1"
#define NAME_ROOM 64

static const struct command table[] = {
    {NULL, "init", NULL, "make what is missing: folders, secret, database", NEED_CONFIG, 0,
     init_run},
    {NULL, "check", NULL, "say what is wrong with this installation, and how to mend it",
     NEED_NOTHING, 0, check_run},
    {NULL, "serve", NULL,
     "run the web programs until SIGTERM; SIGHUP reads the configuration again", NEED_CONFIG, 0,
     serve_run},
    {NULL, "migrate", NULL, "bring the database to the structure that this version needs",
     NEED_CONFIG, 0, migrate_run},
    {NULL, "backup", "FILE", "write a copy of the database while everything runs", NEED_STORE, 0,
     backup_run},
    {"user", "add", "NAME", "add a user; the password is asked for", NEED_STORE,
     OPTION_NAME | OPTION_EMAIL | OPTION_GROUP | OPTION_PASSWORD_STDIN, user_add_run},
    {"user", "invite", "NAME", "add a user, and print a link on which the user sets a password",
     NEED_STORE, OPTION_NAME | OPTION_EMAIL | OPTION_GROUP, user_invite_run},
    {"user", "passwd", "NAME", "set a new password, which ends the user's sessions", NEED_STORE,
     OPTION_PASSWORD_STDIN, user_passwd_run},
    {"user", "reset-link", "NAME", "print a link on which the user sets a new password", NEED_STORE,
     0, user_reset_link_run},
    {"user", "list", NULL, "list the users", NEED_STORE, OPTION_JSON, user_list_run},
    {"user", "lock", "NAME", "keep the user out, and end all sessions", NEED_STORE, 0,
     user_lock_run},
    {"user", "unlock", "NAME", "let the user in again", NEED_STORE, 0, user_unlock_run},
    {"user", "remove", "NAME", "remove the user and all sessions", NEED_STORE, 0, user_remove_run},
    {"user", "import", "FILE",
     "add the users of an htpasswd file, all or none; - is standard input", NEED_STORE, 0,
     user_import_run},
    {"session", "list", "[USER]", "list the live sessions", NEED_STORE, OPTION_JSON,
     session_list_run},
    {"session", "revoke", "ID", "end one session, by the id that the list shows", NEED_STORE, 0,
     session_revoke_run},
    {"session", "revoke-user", "NAME", "end all sessions of a user", NEED_STORE, 0,
     session_revoke_user_run},
    {"session", "revoke-all", NULL, "end all sessions", NEED_STORE, 0, session_revoke_all_run},
    {"session", "purge", NULL, "remove what is left of sessions that are over", NEED_STORE, 0,
     session_purge_run},
    {NULL, "audit", NULL, "list what happened: who did what, when and from where", NEED_STORE,
     OPTION_USER | OPTION_SINCE | OPTION_JSON, audit_run},
    {"audit", "verify", NULL, "find out whether anything in that list was altered or removed",
     NEED_STORE, 0, audit_verify_run},
    {"throttle", "list", NULL, "list the failed attempts that still count", NEED_STORE, OPTION_JSON,
     throttle_list_run},
    {"throttle", "clear", "[WHAT]",
     "forget the failed attempts for a user or from a network, or all", NEED_STORE, 0,
     throttle_clear_run},
    {"secret", "rotate", NULL, "use a new secret for new tokens; old ones stay good", NEED_CONFIG,
     0, secret_rotate_run},
    {"secret", "revoke", NULL, "replace all secrets, which ends every session", NEED_CONFIG, 0,
     secret_revoke_run},
    {0},
};

int command_fail(const char *format, ...)
{
    va_list arguments;
    (void)fputs("latchkey: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return EXIT_FAILED;
}

static int fail_usage(const char *sentence)
{
    (void)command_fail("%s", sentence);
    return EXIT_USAGE;
}

int command_finish(enum status status)
{
    if (status == ERR_MEMORY) { /* many places where it may end, and one thing to say of it */
        (void)command_fail("the machine is out of memory; try again when it has more");
    }
    return status == OK ? EXIT_DONE : EXIT_FAILED;
}

/* "user add", or with what it is about: "user add NAME". */
static void print_name(const struct command *command, bool with_operand, char out[NAME_ROOM])
{
    bool has_operand = with_operand && command->operand != NULL;
    (void)snprintf(out, NAME_ROOM, "%s%s%s%s%s", command->group != NULL ? command->group : "",
                   command->group != NULL ? " " : "", command->name, has_operand ? " " : "",
                   has_operand ? command->operand : "");
}

static bool is_of_group(const struct command *command, const char *group)
{
    return command->group != NULL && strcmp(command->group, group) == 0;
}

/* All commands, or those of one group. */
static int show_overview(const char *group)
{
    (void)fputs("Usage: latchkey [-c FILE] COMMAND\n\n", stdout);
    for (const struct command *command = table; command->name != NULL; command++) {
        if (group == NULL || is_of_group(command, group)) {
            char name[NAME_ROOM];
            print_name(command, true, name);
            (void)printf("  %-24s %s\n", name, command->help);
        }
    }
    (void)printf("\n  -c FILE   the configuration; else $LATCHKEY_CONFIG, else %s\n"
                 "  --help    after a command: how it is used\n",
                 CONFIG_DEFAULT_PATH);
    return EXIT_DONE;
}

static int show_help(const struct command *command)
{
    char options[256];
    char name[NAME_ROOM];
    options_print_synopsis(command->options, options, sizeof options);
    print_name(command, true, name);
    (void)printf("Usage: latchkey [-c FILE] %s%s\n\n%c%s.\n", name, options,
                 command->help[0] - 'a' + 'A', command->help + 1);
    for (const struct command *other = table; command->group == NULL && other->name != NULL;
         other++) {
        if (is_of_group(other, command->name)) {
            (void)printf("See also: latchkey %s %s --help\n", other->group, other->name);
        }
    }
    return EXIT_DONE;
}

/* Names at one level, for suggestions: groups and commands without one, or a group's commands. */
static void list_names(const char *group, const char **out, size_t room)
{
    size_t count = 0;
    for (const struct command *command = table; command->name != NULL && count + 1 < room;
         command++) {
        const char *name = group == NULL && command->group != NULL ? command->group : command->name;
        if ((group == NULL || is_of_group(command, group)) &&
            (count == 0 || strcmp(out[count - 1], name) != 0)) {
            out[count++] = name;
        }
    }
    out[count] = NULL;
}

static bool is_group(const char *word)
{
    for (const struct command *command = table; command->name != NULL; command++) {
        if (is_of_group(command, word)) {
            return true;
        }
    }
    return false;
}

static const struct command *find_command(const char *group, const char *name)
{
    for (const struct command *command = table; command->name != NULL; command++) {
        bool same_group = group == NULL ? command->group == NULL : is_of_group(command, group);
        if (same_group && strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

/* "latchkey: there is no command usr; did you mean user?" */
static int refuse_word(const char *group, const char *word)
{
    const char *names[sizeof table / sizeof table[0] + 1];
    char listing[256] = "";
    size_t len = 0;
    list_names(group, names, sizeof names / sizeof names[0]);
    const char *nearest = word != NULL ? text_nearest(word, names) : NULL;
    if (nearest != NULL) {
        (void)command_fail("there is no command \"%s%s%.40s\"; did you mean \"%s%s%s\"?",
                           group != NULL ? group : "", group != NULL ? " " : "", word,
                           group != NULL ? group : "", group != NULL ? " " : "", nearest);
        return EXIT_USAGE;
    }
    for (size_t i = 0; names[i] != NULL && len < sizeof listing; i++) {
        int added =
            snprintf(listing + len, sizeof listing - len, "%s%s", i > 0 ? ", " : "", names[i]);
        len += added > 0 ? (size_t)added : 0;
    }
    (void)command_fail("%s%s: use one of %s; see latchkey --help",
                       group != NULL ? group : "which command",
                       group != NULL && word != NULL ? ": no such command" : "", listing);
    return EXIT_USAGE;
}

/* Finds the command among the operands and takes its words away, leaving what it is about. A group
 * whose name is a command as well is that one when nothing else is said. NULL: told what is wrong.
 */
static const struct command *choose_command(struct options *options)
{
    const char *first = options->operands[0];
    bool alone = options->operand_count == 1 && find_command(NULL, first) != NULL;
    const char *group = !alone && is_group(first) ? first : NULL;
    size_t words = group != NULL ? 2 : 1;
    const char *name = options->operand_count >= words ? options->operands[words - 1] : NULL;
    const struct command *command = name != NULL ? find_command(group, name) : NULL;
    if (command == NULL) {
        (void)refuse_word(group, name);
        return NULL;
    }
    options->operand_count -= words;
    memmove(options->operands, options->operands + words,
            options->operand_count * sizeof options->operands[0]);
    return command;
}

static int check_usage(const struct command *command, const struct options *options)
{
    char name[NAME_ROOM];
    const char *foreign = options_find_foreign(options->given, command->options);
    bool optional = command->operand != NULL && command->operand[0] == '[';
    print_name(command, false, name);
    if (foreign != NULL) {
        (void)command_fail("%s does not take %s; see latchkey %s --help", name, foreign, name);
        return EXIT_USAGE;
    }
    if (options->operand_count > (command->operand != NULL ? 1U : 0U)) {
        return fail_usage("too many arguments (a password is never one: it is asked for, or read "
                          "with --password-stdin)");
    }
    if (command->operand != NULL && !optional && options->operand_count == 0) {
        (void)command_fail("%s needs %s; see latchkey %s --help", name, command->operand, name);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

/* Opens the store of the configuration and makes sure of its version. */
static enum status open_store(struct invocation *invocation)
{
    enum status status = store_open(config_database_path(invocation->config),
                                    config_generation_path(invocation->config), STORE_ROLE_ADMIN,
                                    &invocation->store);
    if (status == OK) {
        status = store_connect(invocation->store);
    }
    return status;
}

static int run_command(struct invocation *invocation)
{
    char error[CONFIG_ERROR_MAX];
    enum need need = invocation->command->need;
    if (need != NEED_NOTHING &&
        config_load(invocation->options.config_path, &invocation->config, error) != OK) {
        return command_fail("%s", error);
    }
    int result = need == NEED_STORE ? command_finish(open_store(invocation)) : EXIT_DONE;
    if (result != EXIT_DONE) {
        return result;
    }
    return invocation->command->run(invocation);
}

/* Finds out what is asked for, and does it. */
static int dispatch(int argc, char **argv, struct invocation *invocation)
{
    struct options *options = &invocation->options;
    char error[OPTIONS_ERROR_MAX];
    if (options_parse(argc, argv, options, error) != OK) {
        return fail_usage(error);
    }
    if (options->version) {
        (void)puts("latchkey " VERSION);
        return EXIT_DONE;
    }
    if (options->operand_count == 0) {
        return options->help ? show_overview(NULL) : refuse_word(NULL, NULL);
    }
    if (options->help && options->operand_count == 1 && is_group(options->operands[0]) &&
        find_command(NULL, options->operands[0]) == NULL) {
        return show_overview(options->operands[0]);
    }
    invocation->command = choose_command(options);
    if (invocation->command == NULL) {
        return EXIT_USAGE;
    }
    if (options->help) {
        return show_help(invocation->command);
    }
    int result = check_usage(invocation->command, options);
    return result == EXIT_DONE ? run_command(invocation) : result;
}

int command_dispatch(int argc, char **argv)
{
    struct invocation invocation = {0};
    (void)umask(S_IRWXG | S_IRWXO);
    secret_forbid_dumps();
    log_open("latchkey", LOG_LEVEL_WARNING);
    int result = dispatch(argc, argv, &invocation);
    store_close(&invocation.store);
    config_free(&invocation.config);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && result == EXIT_DONE) {
        result = command_fail("standard output cannot be written");
    }
    return result;
}

enum status command_become_owner(const struct config *config)
{
    struct owner owner;
    enum status status = owner_find(config, &owner);
    return status == OK ? owner_become(&owner) : status;
}

int command_find_user(struct invocation *invocation, struct user *out)
{
    const char *name = invocation->options.operands[0];
    enum status status = users_find(invocation->store, text_of(name), out);
    if (status == ERR_NOT_FOUND) {
        return command_fail("there is no user of that name; see `latchkey user list`");
    }
    return command_finish(status);
}
