/* The users: rows of the table `user`. Names are compared without case. */
#ifndef LATCHKEY_STORE_USERS_H
#define LATCHKEY_STORE_USERS_H

#include <stdint.h>

#include "base/text.h"
#include "crypto/password.h"
#include "store/store.h"

#define USER_NAME_MAX    64
#define USER_DISPLAY_MAX 128 /* bytes of the name for people */
#define USER_EMAIL_MAX   254
#define USER_GROUPS_MAX  1024 /* bytes of all groups with the commas between them */
#define USER_SALT_BYTES  32

struct user {
    int64_t id; /* never used twice */
    char name[USER_NAME_MAX + 1];
    char display[USER_DISPLAY_MAX + 1]; /* may be empty */
    char email[USER_EMAIL_MAX + 1];     /* may be empty */
    char groups[USER_GROUPS_MAX + 1];   /* "admins,staff", or empty */
    char hash[PASSWORD_HASH_MAX];       /* a secret; wipe */
    uint8_t salt[USER_SALT_BYTES];      /* the session salt; a secret; wipe */
    bool locked;
    int64_t created_s;
    int64_t password_s; /* when the password was last set */
};

/* Whether the text is a user or group name: 1 to 64 of ASCII letters, digits, . _ - @ + */
bool user_name_is_valid(struct text name);

/* Whether the text may be a name for people: UTF-8 without control characters or such as turn the
 * direction of text, at most USER_DISPLAY_MAX bytes; and an e-mail address as far as headers need
 * it: printable ASCII, one '@', at most USER_EMAIL_MAX bytes. Empty is valid for both. */
bool user_display_is_valid(struct text display);
bool user_email_is_valid(struct text email);

/* Puts a group into the user's list unless it is there. ERR_INPUT (no valid name), ERR_TOO_LARGE.
 */
enum status user_add_group(struct user *user, struct text group) MUST_USE;

/* The user of that name. ERR_NOT_FOUND (also for names that no user can have), ERR_STORE. */
enum status users_find(struct store *store, struct text name, struct user *out) MUST_USE;

/* The user of that id, with the salt, without the hash and the times. ERR_NOT_FOUND, ERR_STORE. */
enum status users_find_by_id(struct store *store, int64_t id, struct user *out) MUST_USE;

/* Adds the user; id, salt and password_s are chosen here and written into *user. ERR_EXISTS,
 * ERR_INPUT (a field breaks the rules above), ERR_STORE, ERR_CRYPTO. */
enum status users_add(struct store *store, struct user *user) MUST_USE;

/* Sets the password's hash and a new salt, and removes the user's sessions and the link on which
 * another could be set (store/links.h), in one transaction. This and the following revoke
 * (store/revocations.h): after OK it holds for every request that begins later, and they cannot be
 * part of another transaction. ERR_NOT_FOUND, ERR_STORE, ERR_SYSTEM, ERR_CRYPTO. */
enum status users_set_password(struct store *store, int64_t id, const char *hash, int64_t now_s)
    MUST_USE;

/* What a user who is signed in wants, and what was found to be so before the new hash was made. */
struct credential_change {
    int64_t user_id;
    const char *former;         /* the hash that the present password was compared with */
    const char *hash;           /* of the new one */
    const uint8_t *salt;        /* USER_SALT_BYTES: that the session is bound to */
    const uint8_t *session_key; /* 32 bytes: of the session */
    int64_t now_s;
};

/* A change that is under way. A secret; wipe. */
struct user_change {
    struct user user; /* with the new salt, without the hash */
    int64_t ended;    /* rows of sessions that went */
};

/* As users_set_password, if all of that is still so: ERR_NOT_FOUND when the password, the lock, the
 * salt or the session is another one by now, for that was answered to somebody and wins. After OK,
 * and only then, end it with users_end_change; what is written in between is part of it. */
enum status users_begin_change(struct store *store, const struct credential_change *wish,
                               struct user_change *out) MUST_USE;

/* Commits if `status` is OK, else nothing has changed. Returns what the whole came to. */
enum status users_end_change(struct store *store, struct user_change *change, enum status status)
    MUST_USE;

/* Replaces the hash by another of the same password, provided that it still is `old`: nothing when
 * the password was changed meanwhile (OK then too). The salt stays. */
enum status users_rehash(struct store *store, int64_t id, const char *old, const char *hash)
    MUST_USE;

/* Locks or unlocks. Locking gives a new salt and removes the user's sessions. ERR_NOT_FOUND. */
enum status users_set_locked(struct store *store, int64_t id, bool locked) MUST_USE;

/* A new salt: every session of the user is dead, and their rows are removed. *ended: how many.
 * ERR_NOT_FOUND, ERR_STORE, ERR_CRYPTO. */
enum status users_renew_salt(struct store *store, int64_t id, int64_t *ended) MUST_USE;

/* Removes the user with all sessions. ERR_NOT_FOUND. After a failure the sessions may be over and
 * the user still there. */
enum status users_remove(struct store *store, int64_t id) MUST_USE;

/* Calls `each` for every user in order of name (without hash and salt: both are empty); stops early
 * when it returns false. The store must not be used from inside. */
enum status users_list(struct store *store, bool (*each)(void *context, const struct user *user),
                       void *context) MUST_USE;

#endif
