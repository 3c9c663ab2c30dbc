/* The table of keys.
 *
 * Invariants: every default passes the check that a written value must pass (it is read by the same
 * code), a section's keys stand together, and man/latchkey.conf.5 names each key with its default
 * and limits; the unit tests hold all three to this table.
 *
 * Limits refuse what cannot work or is surely a slip of the pen. They do not make every combination
 * wise: a test set-up may ask for cheap hashes, and session.idle may be longer than
 * session.lifetime, which then alone counts. */
#include "base/config_key.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define KIB   UINT64_C(1024)
#define MIB   (1024 * KIB)
#define GIB   (1024 * MIB)
#define DAY   UINT64_C(86400)
#define YEARS (3650 * DAY)

#define MEMBER(member)        offsetof(struct config, member)
#define TEXT_KEY(min, max)    (min), (max), 0, 0
#define NUMBER_KEY(min, max)  (min), (max), 0, 0
#define LIST_KEY              0, 0, 0, 0
#define CHOICE_KEY            0, 0, 0, 0
#define WORKERS_KEY(per_core) 1, 512, (per_core), 0
#define ACCOUNT_KEY(flag)     1, 32, 0, MEMBER(flag)

const struct config_key config_keys[] = {
    {"site", "name", CONFIG_TEXT, MEMBER(site.name), "Latchkey", TEXT_KEY(1, 100)},
    {"site", "path", CONFIG_MOUNT, MEMBER(site.path), "/auth", TEXT_KEY(2, 200)},
    {"site", "url", CONFIG_ORIGIN, MEMBER(site.url), "", TEXT_KEY(0, 300)},
    {"site", "return_hosts", CONFIG_HOSTS, MEMBER(site.return_hosts), "", LIST_KEY},
    {"site", "templates", CONFIG_FOLDER, MEMBER(site.templates), "", TEXT_KEY(0, 1000)},
    {"site", "trusted_proxies", CONFIG_PROXIES, MEMBER(site.trusted_proxies), "", LIST_KEY},

    {"state", "directory", CONFIG_FOLDER, MEMBER(state.directory), "/var/lib/latchkey",
     TEXT_KEY(1, 1000)},
    {"state", "run_directory", CONFIG_FOLDER, MEMBER(state.run_directory), "/run/latchkey",
     TEXT_KEY(1, 1000)},
    {"state", "user", CONFIG_ACCOUNT, MEMBER(state.user), "latchkey",
     ACCOUNT_KEY(state.user_is_set)},
    {"state", "group", CONFIG_ACCOUNT, MEMBER(state.group), "www-data",
     ACCOUNT_KEY(state.group_is_set)},

    {"database", "url", CONFIG_DATABASE, MEMBER(database.url), "sqlite:latchkey.db",
     TEXT_KEY(8, 1000)},

    {"session", "store", CONFIG_STORE, MEMBER(session.store), "database", CHOICE_KEY},
    {"session", "idle", CONFIG_DURATION, MEMBER(session.idle_s), "2h", NUMBER_KEY(1, YEARS)},
    {"session", "lifetime", CONFIG_DURATION, MEMBER(session.lifetime_s), "24h",
     NUMBER_KEY(1, YEARS)},
    /* As long as browsers keep a cookie at most (RFC 6265bis §5.5). */
    {"session", "remember", CONFIG_DURATION, MEMBER(session.remember_s), "30d",
     NUMBER_KEY(1, 400 * DAY)},
    {"session", "cookie_domain", CONFIG_DOMAIN, MEMBER(session.cookie_domain), "",
     TEXT_KEY(0, 253)},
    {"session", "secure_cookie", CONFIG_SWITCH, MEMBER(session.secure_cookie), "yes", CHOICE_KEY},
    {"session", "data_limit", CONFIG_SIZE, MEMBER(session.data_limit_bytes), "64K",
     NUMBER_KEY(0, 16 * MIB)},

    {"cache", "size", CONFIG_SIZE, MEMBER(cache.size_bytes), "64M", NUMBER_KEY(2 * MIB, 64 * GIB)},

    /* RFC 9106 leaves the least cost open. 1M is far below what protects passwords, but lets test
     * set-ups be quick; the most is what password_check accepts in a stored hash. */
    {"password", "memory", CONFIG_SIZE, MEMBER(password.memory_bytes), "19M",
     NUMBER_KEY(1 * MIB, 256 * MIB)},
    {"password", "passes", CONFIG_NUMBER, MEMBER(password.passes), "2", NUMBER_KEY(1, 16)},
    {"password", "min_length", CONFIG_NUMBER, MEMBER(password.min_length), "12",
     NUMBER_KEY(8, 128)},

    {"throttle", "attempts", CONFIG_NUMBER, MEMBER(throttle.attempts), "5", NUMBER_KEY(1, 1000000)},
    {"throttle", "window", CONFIG_DURATION, MEMBER(throttle.window_s), "15m",
     NUMBER_KEY(1, 30 * DAY)},
    {"throttle", "ipv4_bits", CONFIG_NUMBER, MEMBER(throttle.ipv4_bits), "32", NUMBER_KEY(8, 32)},
    {"throttle", "ipv6_bits", CONFIG_NUMBER, MEMBER(throttle.ipv6_bits), "64", NUMBER_KEY(16, 128)},

    {"workers", "login", CONFIG_NUMBER, MEMBER(workers.login), "one for each core", WORKERS_KEY(1)},
    {"workers", "logout", CONFIG_NUMBER, MEMBER(workers.logout), "1", WORKERS_KEY(0)},
    {"workers", "account", CONFIG_NUMBER, MEMBER(workers.account), "1", WORKERS_KEY(0)},
    {"workers", "gate", CONFIG_NUMBER, MEMBER(workers.gate), "two for each core", WORKERS_KEY(2)},
    {"workers", "confinement", CONFIG_CONFINEMENT, MEMBER(workers.confinement), "available",
     CHOICE_KEY},

    {"log", "level", CONFIG_LEVEL, MEMBER(log.level), "info", CHOICE_KEY},
    {"log", "audit", CONFIG_SWITCH, MEMBER(log.audit), "yes", CHOICE_KEY},
    {"log", "keep", CONFIG_DURATION, MEMBER(log.keep_s), "90d", NUMBER_KEY(1, YEARS)},

    {NULL, NULL, CONFIG_TEXT, 0, NULL, 0, 0, 0, 0},
};

_Static_assert(sizeof config_keys / sizeof config_keys[0] <= CONFIG_KEYS_MAX,
               "CONFIG_KEYS_MAX counts the end of the table too");

const struct config_key *config_key_find(const char *section, const char *name)
{
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0) {
            return key;
        }
    }
    return NULL;
}

bool config_key_has_section(const char *section)
{
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        if (strcmp(key->section, section) == 0) {
            return true;
        }
    }
    return false;
}

/* The names of a section's keys, or, with NULL, those of the sections; NULL after the last. */
static void list_names(const char *section, const char *names[static CONFIG_KEYS_MAX])
{
    size_t count = 0;
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        if (section != NULL && strcmp(key->section, section) == 0) {
            names[count++] = key->name;
        } else if (section == NULL && (count == 0 || names[count - 1] != key->section)) {
            names[count++] = key->section;
        }
    }
    names[count] = NULL;
}

/* "there are a, b, c" */
static void print_names(const char *const *names, char *out, size_t size)
{
    int len = snprintf(out, size, "there are");
    for (size_t i = 0; names[i] != NULL && len >= 0 && (size_t)len < size; i++) {
        len += snprintf(out + len, size - (size_t)len, "%s %s", i == 0 ? "" : ",", names[i]);
    }
}

void config_key_suggest_section(const char *section, char *out, size_t size)
{
    const char *names[CONFIG_KEYS_MAX];
    list_names(NULL, names);
    const char *nearest = text_nearest(section, names);
    if (nearest != NULL) {
        (void)snprintf(out, size, "did you mean [%s]?", nearest);
    } else {
        print_names(names, out, size);
    }
}

void config_key_suggest(const char *section, const char *name, char *out, size_t size)
{
    const char *names[CONFIG_KEYS_MAX];
    list_names(section, names);
    const char *nearest = text_nearest(name, names);
    if (nearest != NULL) {
        (void)snprintf(out, size, "did you mean %s?", nearest);
        return;
    }
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        if (strcmp(key->name, name) == 0) {
            (void)snprintf(out, size, "it belongs to [%s]", key->section);
            return;
        }
    }
    print_names(names, out, size);
}
