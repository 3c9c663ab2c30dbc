/* Acts of the command line are signed with the same secrets as those of the programs. Their file
 * belongs to whom the programs run as, and nobody trusts secrets of somebody else's; so root reads
 * it as that user, and is root again for all else. */
#include "cli/audited.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/owner.h"

enum status audited_open_keyring(const struct config *config, struct keyring **out)
{
    struct owner owner;
    struct keyring *keyring = NULL;
    enum status status = owner_find(config, &owner);
    if (status == OK) {
        status = owner_enter(&owner);
    }
    if (status != OK) {
        return status;
    }
    status = keyring_open(config_secret_path(config), KEY_OF(KEY_AUDIT), &keyring);
    if (owner_leave(&owner) != OK) {
        keyring_free(&keyring);
        return ERR_SYSTEM;
    }
    *out = keyring;
    return status;
}

static enum status write_row(const struct invocation *invocation, const struct keyring *former,
                             const struct audit_event *event)
{
    char program[AUDIT_PROGRAM_MAX + 1];
    struct keyring *keyring = NULL;
    int64_t now_s = 0;
    (void)snprintf(program, sizeof program, "latchkey (uid %lu)", (unsigned long)getuid());
    enum status status = clock_get(&now_s);
    if (status == OK) {
        status = audited_open_keyring(invocation->config, &keyring);
    }
    if (status == OK) {
        const struct audit audit = {
            .store = invocation->store,
            .keyring = keyring,
            .former = former,
            .program = text_of(program),
            .keep_s = invocation->config->log.keep_s,
            .is_on = true,
        };
        status = audit_note(&audit, now_s, event);
    }
    keyring_free(&keyring);
    return status;
}

static void note(const struct invocation *invocation, const struct keyring *former,
                 const struct audit_event *event)
{
    if (write_row(invocation, former, event) != OK) {
        log_warning("the audit log does not tell of this, for it cannot be written now");
    }
}

void audited_note(const struct invocation *invocation, const struct audit_event *event)
{
    if (invocation->config->log.audit) {
        note(invocation, NULL, event);
    }
}

void audited_note_user(const struct invocation *invocation, enum audit_act act,
                       const struct user *user, const char *detail)
{
    const struct audit_event event = {
        .act = act,
        .outcome = AUDIT_DONE,
        .user_id = user->id,
        .user = text_of(user->name),
        .detail = text_of(detail),
    };
    audited_note(invocation, &event);
}

void audited_note_secret(const struct invocation *invocation, const struct keyring *former,
                         const char *detail)
{
    const struct audit_event event = {
        .act = AUDIT_SECRET,
        .outcome = AUDIT_DONE,
        .detail = text_of(detail),
    };
    note(invocation, former, &event);
}
