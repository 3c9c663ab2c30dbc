/* The keys that a configuration file may hold: one table for reading, defaults, messages and the
 * test that holds the manual page to it. */
#ifndef LATCHKEY_BASE_CONFIG_KEY_H
#define LATCHKEY_BASE_CONFIG_KEY_H

#include "base/config.h"

#define CONFIG_KEYS_MAX 48

/* What a value is, and with it the type of the member of struct config that it goes to. */
enum config_type {
    CONFIG_TEXT,        /* char *: any text, limits in bytes */
    CONFIG_FOLDER,      /* char *: an absolute path, limits in bytes; nothing where min is 0 */
    CONFIG_MOUNT,       /* char *: the path part of a URL */
    CONFIG_DOMAIN,      /* char *: a host name, or nothing */
    CONFIG_DATABASE,    /* char *: sqlite:PATH */
    CONFIG_ORIGIN,      /* char *: scheme, host and port of a URL, or nothing */
    CONFIG_ACCOUNT,     /* char *: a user or group of the system */
    CONFIG_HOSTS,       /* struct config_list */
    CONFIG_PROXIES,     /* struct config_list */
    CONFIG_STORE,       /* enum session_store */
    CONFIG_LEVEL,       /* enum log_level */
    CONFIG_CONFINEMENT, /* enum confinement_wish */
    CONFIG_SWITCH,      /* bool */
    CONFIG_NUMBER,      /* uint64_t */
    CONFIG_SIZE,        /* uint64_t, bytes */
    CONFIG_DURATION,    /* int64_t, seconds */
};

struct config_key {
    const char *section;
    const char *name;
    enum config_type type;
    size_t offset;        /* of the member in struct config */
    const char *fallback; /* the default, as the file would have it */
    uint64_t min, max;    /* both allowed; bytes of text, or the value of the last three types */
    unsigned per_core;    /* the default is this many for each processor; `fallback` is words */
    size_t set_offset;    /* of a bool that tells whether the file has the key; 0: none */
};

/* Sections stand together; the entry after the last has the section NULL. */
extern const struct config_key config_keys[];

/* NULL when there is no such key. */
const struct config_key *config_key_find(const char *section, const char *name);

/* Whether any key stands in a section of that name. */
bool config_key_has_section(const char *section);

/* For a message about a section or a key that does not exist: the nearest one, the section where
 * the key belongs, or all of them. `out` gets a clause without a full stop, cut at `size`. */
void config_key_suggest_section(const char *section, char *out, size_t size);
void config_key_suggest(const char *section, const char *name, char *out, size_t size);

#endif
