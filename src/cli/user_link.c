/* latchkey user invite and reset-link: the user chooses the password, on a page that a link leads
 * to. So no administrator knows it, and none has to be told over a wire.
 *
 * The link is a secret until it is used, and is all that standard output has on its first line, so
 * that a program can take it from there: latchkey user invite NAME | head -n 1. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "cli/audited.h"
#include "cli/user.h"
#include "store/links.h"

#define LINK_PAGE "/account/link?code="

static void print_link(const struct config *config, const char *code, int64_t now_s)
{
    char until[CLOCK_TEXT_MAX];
    clock_print(now_s + LINK_LIFE_S, until);
    (void)printf("%s%s" LINK_PAGE "%s\n", config->site.url, config->site.path, code);
    (void)printf("The link works once, until %s.\n", until);
    if (config->site.url[0] == '\0') {
        (void)fputs("latchkey: the link begins with its path: put the site's address, as "
                    "https://example.org, before it, or set site.url\n",
                    stderr);
    }
}

/* A user who cannot sign in until the link was used: both are made, or neither. */
static enum status add_with_link(struct store *store, struct user *user,
                                 char code[LINK_CODE_LEN + 1])
{
    enum status status = store_begin(store);
    if (status != OK) {
        return status;
    }
    status = users_add(store, user);
    if (status == OK) {
        status = links_make(store, user->id, user->created_s, code);
    }
    return store_end(store, status);
}

int user_invite_run(struct invocation *invocation)
{
    struct user user = {.hash = PASSWORD_HASH_NONE};
    char code[LINK_CODE_LEN + 1] = "";
    int result = user_read_options(&invocation->options, &user);
    if (result != EXIT_DONE) {
        return result;
    }
    enum status status = clock_get(&user.created_s);
    if (status == OK) {
        status = add_with_link(invocation->store, &user, code);
    }
    if (status == OK) {
        print_link(invocation->config, code, user.created_s);
        audited_note_user(invocation, AUDIT_USER, &user, "added");
        audited_note_user(invocation, AUDIT_LINK, &user, "to set the first password");
    } else if (status == ERR_EXISTS) {
        (void)command_fail("there is a user %s already; for a link to set a new password: "
                           "latchkey user reset-link %s",
                           user.name, user.name);
    }
    secret_wipe(code, sizeof code);
    secret_wipe(&user, sizeof user);
    return command_finish(status);
}

/* Makes a link for a user who is there. EXIT_FAILED: told. */
static int make_link(struct invocation *invocation, const struct user *user)
{
    int64_t now_s = 0;
    char code[LINK_CODE_LEN + 1] = "";
    if (user->locked) {
        return command_fail("user %s is locked, and no link would work; first: latchkey user "
                            "unlock %s",
                            user->name, user->name);
    }
    enum status status = clock_get(&now_s);
    if (status == OK) {
        status = links_make(invocation->store, user->id, now_s, code);
    }
    if (status == OK) {
        print_link(invocation->config, code, now_s);
        audited_note_user(invocation, AUDIT_LINK, user, "to set a new password");
    } else if (status == ERR_NOT_FOUND) {
        (void)command_fail("user %s was removed just now; see `latchkey user list`", user->name);
    }
    secret_wipe(code, sizeof code);
    return command_finish(status);
}

int user_reset_link_run(struct invocation *invocation)
{
    struct user user = {0};
    int result = command_find_user(invocation, &user);
    if (result == EXIT_DONE) {
        result = make_link(invocation, &user);
    }
    secret_wipe(&user, sizeof user);
    return result;
}
