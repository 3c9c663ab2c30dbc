/* A worker's memory of sessions and users.
 *
 * Invariants: it counts only while the mark of the generation equals the one at its last reading of
 * the revocations, and that reading said the same number as the mark; whatever is put was read from
 * a store after that. So an entry can be older than a revocation only if the revocation is numbered
 * higher, and then the next refresh finds it and drops what it names.
 *
 * Sessions and users live in tables of fixed size, in sets of WAYS: who comes into a full set takes
 * a place in it by turns, used or not, which needs no clock and no list. Keys are digests, which
 * nobody can choose to meet in one set. The ended keys must all be there, so their table grows with
 * them; beyond MEMORY_ENDED_MAX nothing is in the memory's power any more, and it says that it is
 * in doubt. Keys whose rows were removed since, for their sessions are over, go when they have
 * become the greater part.
 *
 * Neither the generation nor the database is looked at while a watch says that they are what they
 * were at the last look that ended well.
 *
 * What is not noticed by the generation: a database file that is exchanged for another one, so its
 * identity is looked at as well. A database that is gone is not another one: what is remembered
 * counts while no one can have revoked anything. */
#include "session/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "session/ended.h"
#include "session/user_texts.h"

#define WAYS          4
#define ENDED_SLACK   1024
#define MEND_PAUSE_MS 1000  /* between tries to mend, or to learn after a failure */
#define LOOK_PAUSE_MS 60000 /* between looks at the database though the mark stands */
#define FULL_PAUSE_MS 60000 /* to learn when there was too much: reading that takes seconds */

struct known_session {
    uint8_t key[SESSION_KEY_BYTES];
    uint8_t salt[USER_SALT_BYTES];
    enum token_kind kind; /* TOKEN_NONE: nobody here */
    bool remember;
    int64_t user_id, created_s, seen_s, idle_s, expires_s;
};

struct known_user {
    int64_t id; /* 0: nobody here */
    uint8_t salt[USER_SALT_BYTES];
    bool locked;
    char *texts; /* user_texts_pack; NULL, also when memory ran out: nobody here */
};

struct memory {
    bool is_asked; /* before: whoever asks once only is served better by the store */
    bool is_valid;
    uint64_t changes; /* of the files, when they were last looked at and found to be as known */
    struct generation_mark mark;
    struct stat database;
    struct revocation_state state;
    struct revocation last; /* that was read */
    int64_t mend_ms;        /* mending is not tried again before */
    int64_t learn_ms;       /* nor learning, after a failure */
    int64_t look_ms;        /* until then the mark alone is trusted */
    struct ended ended;
    size_t ended_most;              /* with more keys, those that count are read anew */
    struct known_session *sessions; /* MEMORY_SESSIONS_MAX */
    struct known_user *users;       /* MEMORY_USERS_MAX */
    unsigned turn;                  /* which place of a full set is taken next */
};

enum status memory_open(struct memory **out)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (memory != NULL) {
        memory->sessions = calloc(MEMORY_SESSIONS_MAX, sizeof *memory->sessions);
        memory->users = calloc(MEMORY_USERS_MAX, sizeof *memory->users);
    }
    if (memory == NULL || memory->sessions == NULL || memory->users == NULL) {
        log_error("not enough memory to remember sessions");
        memory_close(&memory);
        return ERR_MEMORY;
    }
    memory->ended_most = ENDED_SLACK;
    *out = memory;
    return OK;
}

static void drop_user(struct known_user *user)
{
    free(user->texts);
    secret_wipe(user, sizeof *user);
}

static void forget(struct memory *memory)
{
    secret_wipe(memory->sessions, MEMORY_SESSIONS_MAX * sizeof *memory->sessions);
    for (size_t i = 0; i < MEMORY_USERS_MAX; i++) {
        drop_user(&memory->users[i]);
    }
    ended_clear(&memory->ended);
    memory->is_valid = false;
    memory->state = (struct revocation_state){0};
    memory->last = (struct revocation){0};
}

void memory_close(struct memory **memory)
{
    struct memory *closing = *memory;
    if (closing == NULL) {
        return;
    }
    if (closing->sessions != NULL && closing->users != NULL) {
        forget(closing);
    }
    free(closing->sessions);
    free(closing->users);
    free(closing);
    *memory = NULL;
}

/* The first of the WAYS places that the key may have. */
static struct known_session *session_set(const struct memory *memory,
                                         const uint8_t key[SESSION_KEY_BYTES])
{
    uint32_t hash;
    memcpy(&hash, key, sizeof hash);
    return &memory->sessions[(size_t)(hash % (MEMORY_SESSIONS_MAX / WAYS)) * WAYS];
}

static struct known_user *user_set(const struct memory *memory, int64_t id)
{
    return &memory->users[(uint64_t)id % (MEMORY_USERS_MAX / WAYS) * WAYS];
}

static bool is_same_key(const uint8_t *a, const uint8_t *b)
{
    return secret_is_equal(a, b, SESSION_KEY_BYTES);
}

static struct known_session *find_session(const struct memory *memory, enum token_kind kind,
                                          const uint8_t key[SESSION_KEY_BYTES])
{
    struct known_session *set = session_set(memory, key);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].kind == kind && is_same_key(set[i].key, key)) {
            return &set[i];
        }
    }
    return NULL;
}

static struct known_user *find_user(const struct memory *memory, int64_t id)
{
    struct known_user *set = user_set(memory, id);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].texts != NULL && set[i].id == id) {
            return &set[i];
        }
    }
    return NULL;
}

void memory_drop_session(struct memory *memory, const uint8_t key[SESSION_KEY_BYTES])
{
    struct known_session *set = session_set(memory, key);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].kind != TOKEN_NONE && is_same_key(set[i].key, key)) {
            secret_wipe(&set[i], sizeof set[i]);
        }
    }
}

/* Takes in one revocation that is new. */
static bool apply(struct memory *memory, const struct revocation *revocation)
{
    memory->last = *revocation;
    if (revocation->of_session) {
        memory_drop_session(memory, revocation->key);
        return ended_add(&memory->ended, revocation->key) == OK;
    }
    if (revocation->user_id != 0) {
        struct known_user *user = find_user(memory, revocation->user_id);
        if (user != NULL) {
            drop_user(user);
        }
        return true;
    }
    for (size_t i = 0; i < MEMORY_USERS_MAX; i++) {
        drop_user(&memory->users[i]);
    }
    return true;
}

/* The key of a session says enough, and its row may have been kept for good since; of two histories
 * in which the same user was revoked with the same number, the time tells. */
static bool is_same_revocation(const struct revocation *a, const struct revocation *b)
{
    return a->sequence == b->sequence && a->of_session == b->of_session &&
           a->user_id == b->user_id && is_same_key(a->key, b->key) &&
           (a->of_session || a->until_s == b->until_s);
}

/* One reading of revocations. */
struct lesson {
    struct memory *memory;
    bool is_joined; /* to what is known */
};

/* The first one read is the last one known. If it is not, the numbers are those of another history:
 * of a database that was set back to an earlier state. */
static bool take(void *context, const struct revocation *revocation)
{
    struct lesson *lesson = context;
    if (!lesson->is_joined) {
        lesson->is_joined = is_same_revocation(revocation, &lesson->memory->last);
        return lesson->is_joined;
    }
    return apply(lesson->memory, revocation);
}

static void measure(struct memory *memory)
{
    memory->ended_most = 2 * memory->ended.count + ENDED_SLACK;
}

/* Forgets all and reads all revocations that there are. */
static enum status read_anew(struct memory *memory, struct store *store,
                             struct revocation_state *state)
{
    struct lesson lesson = {memory, true};
    forget(memory);
    enum status status = revocations_read(store, 0, state, take, &lesson);
    measure(memory);
    return status;
}

/* Reads what is new. Whoever knows something else than there is, or missed what was removed, begins
 * anew; so does whoever still knows mostly of sessions that are over by themselves, but not while
 * the database cannot be read: what is remembered counts then. */
static enum status learn(struct memory *memory, struct store *store)
{
    struct revocation_state state = {0};
    uint64_t known = memory->state.sequence;
    struct lesson lesson = {memory, known == 0};
    if (known == 0) {
        ended_clear(&memory->ended); /* of a reading that failed: it may have filled the table */
    }
    enum status status = revocations_read(store, known > 0 ? known - 1 : 0, &state, take, &lesson);
    if (status == OK && known == 0) {
        measure(memory); /* that was all there are */
    }
    bool is_other = !lesson.is_joined || state.sequence < known || state.forgotten > known;
    bool is_stale = memory->ended.count > memory->ended_most;
    bool may_shrink = status == ERR_MEMORY && known > 0; /* by keys that are over */
    if (may_shrink || (status == OK && (is_other || is_stale))) {
        status = read_anew(memory, store, &state);
    }
    if (status == OK) {
        memory->state = state;
    }
    return status;
}

static void mend(struct memory *memory, struct store *store)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= memory->mend_ms) {
        memory->mend_ms = now_ms + MEND_PAUSE_MS;
        revocations_mend(store);
    }
}

/* Whether there is nothing to look at: the files are as they were when they were found good. The
 * clock need not be asked, for a watch gives another number every second. */
static bool is_settled(const struct memory *memory, uint64_t changes)
{
    return memory->is_valid && changes != 0 && changes == memory->changes;
}

/* Whether the database's path leads to another file than the one that was read. */
static bool is_exchanged(const struct memory *memory, const struct stat *database)
{
    return database->st_ino != 0 && memory->database.st_ino != 0 &&
           !file_is_same(database, &memory->database);
}

/* Once a minute the database is asked even while the mark stands: whoever revokes with another run
 * directory (a configuration that was changed under running programs, a container that shares the
 * state only) cannot be seen in this one's file.
 *
 * The mark is read before the revocations: if one is committed in between, the mark is the older
 * one, and differs from the next. The other way round it would be missed. */
bool memory_refresh(struct memory *memory, struct store *store, uint64_t changes)
{
    struct generation_mark mark = {0};
    struct stat database = {0};
    if (!memory->is_asked) {
        memory->is_asked = true;
        return false;
    }
    if (is_settled(memory, changes)) {
        return true;
    }
    memory->changes = 0;
    store_stat(store, &database);
    if (is_exchanged(memory, &database)) {
        forget(memory);
    }
    if (revocations_mark(store, &mark) != OK) {
        memory->is_valid = false;
        mend(memory, store);
        return false;
    }
    int64_t now_ms = clock_monotonic_ms();
    bool is_clean = memory->is_valid && generation_is_same(&mark, &memory->mark);
    if (is_clean && now_ms < memory->look_ms) {
        memory->changes = changes;
        return true;
    }
    memory->is_valid = is_clean;
    memory->look_ms = now_ms + LOOK_PAUSE_MS;
    if (!is_clean && now_ms < memory->learn_ms) {
        return false;
    }
    enum status status = learn(memory, store);
    if (status != OK) {
        int64_t pause_ms = status == ERR_MEMORY ? FULL_PAUSE_MS : MEND_PAUSE_MS;
        memory->learn_ms = now_ms + pause_ms;
        return memory->is_valid; /* a database that cannot be read takes nothing back */
    }
    /* The file and the database say different things: a revocation came in between (the next
     * request will see it), or a database was restored, or the file is an old one. */
    if (memory->state.sequence != mark.sequence) {
        memory->is_valid = false;
        mend(memory, store);
        return false;
    }
    memory->mark = mark;
    memory->database = database;
    memory->changes = changes;
    memory->is_valid = true;
    return true;
}

bool memory_is_ended(const struct memory *memory, const uint8_t key[SESSION_KEY_BYTES],
                     int64_t expires_s)
{
    return expires_s <= memory->state.forgotten_s || ended_has(&memory->ended, key);
}

bool memory_get_session(const struct memory *memory, enum token_kind kind,
                        const uint8_t key[SESSION_KEY_BYTES], struct session_row *out)
{
    const struct known_session *known = find_session(memory, kind, key);
    if (known == NULL) {
        return false;
    }
    memcpy(out->key, known->key, sizeof out->key);
    memcpy(out->salt, known->salt, sizeof out->salt);
    out->user_id = known->user_id;
    out->created_s = known->created_s;
    out->seen_s = known->seen_s;
    out->idle_s = known->idle_s;
    out->expires_s = known->expires_s;
    out->remember = known->remember;
    char *const unknown[] = {out->address, out->agent, out->user,
                             out->display, out->email, out->groups};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        unknown[i][0] = '\0';
    }
    return true;
}

void memory_put_session(struct memory *memory, enum token_kind kind, const struct session_row *row)
{
    struct known_session *place = find_session(memory, kind, row->key);
    struct known_session *set = session_set(memory, row->key);
    for (size_t i = 0; i < WAYS && place == NULL; i++) {
        place = set[i].kind == TOKEN_NONE ? &set[i] : NULL;
    }
    if (place == NULL) {
        place = &set[memory->turn++ % WAYS];
    }
    *place = (struct known_session){
        .kind = kind,
        .remember = row->remember,
        .user_id = row->user_id,
        .created_s = row->created_s,
        .seen_s = row->seen_s,
        .idle_s = row->idle_s,
        .expires_s = row->expires_s,
    };
    memcpy(place->key, row->key, sizeof place->key);
    memcpy(place->salt, row->salt, sizeof place->salt);
}

bool memory_get_user(const struct memory *memory, int64_t id, struct user *out)
{
    const struct known_user *known = find_user(memory, id);
    if (known == NULL) {
        return false;
    }
    out->id = known->id;
    out->locked = known->locked;
    out->hash[0] = '\0';
    memcpy(out->salt, known->salt, sizeof out->salt);
    user_texts_unpack(known->texts, out);
    return true;
}

void memory_put_user(struct memory *memory, const struct user *user)
{
    struct known_user *place = find_user(memory, user->id);
    struct known_user *set = user_set(memory, user->id);
    for (size_t i = 0; i < WAYS && place == NULL; i++) {
        place = set[i].texts == NULL ? &set[i] : NULL;
    }
    if (place == NULL) {
        place = &set[memory->turn++ % WAYS];
    }
    drop_user(place);
    place->id = user->id;
    place->locked = user->locked;
    memcpy(place->salt, user->salt, sizeof place->salt);
    place->texts = user_texts_pack(user);
}
