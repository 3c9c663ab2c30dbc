/* Values.
 *
 * One entry for each type: how to read it and what to tell a person who got it wrong. A number is
 * never rounded, cut or completed: "90" is no duration, because nobody can know of what. */
#include "base/config_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config_syntax.h"

struct unit {
    char letter;
    uint64_t factor;
};

/* Largest first; a letter of '\0' stands for no unit. */
static const struct unit duration_units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
static const struct unit size_units[] = {
    {'G', UINT64_C(1) << 30}, {'M', UINT64_C(1) << 20}, {'K', UINT64_C(1) << 10}, {'\0', 1}};
static const struct unit number_units[] = {{'\0', 1}};

struct units {
    const struct unit *list;
    size_t count;
};

#define UNITS(array) ((struct units){(array), sizeof(array) / sizeof((array)[0])})

static struct units units_of(enum config_type type)
{
    if (type == CONFIG_DURATION) {
        return UNITS(duration_units);
    }
    return type == CONFIG_SIZE ? UNITS(size_units) : UNITS(number_units);
}

static enum status parse_units(struct text text, struct units units, uint64_t *out)
{
    char letter = text.len > 0 ? text.data[text.len - 1] : '\0';
    for (size_t i = 0; i < units.count; i++) {
        const struct unit *unit = &units.list[i];
        bool bare = unit->letter == '\0';
        if (!bare && unit->letter != letter) {
            continue;
        }
        struct text digits = {text.data, text.len - (bare ? 0 : 1)};
        uint64_t number = 0;
        if (text_parse_number(digits, INT64_MAX / unit->factor, &number) != OK) {
            return ERR_INPUT;
        }
        *out = number * unit->factor;
        return OK;
    }
    return ERR_INPUT;
}

enum status config_parse_duration(struct text text, int64_t *out_s)
{
    uint64_t seconds = 0;
    enum status status = parse_units(text, UNITS(duration_units), &seconds);
    if (status == OK) {
        *out_s = (int64_t)seconds;
    }
    return status;
}

enum status config_parse_size(struct text text, uint64_t *out_bytes)
{
    return parse_units(text, UNITS(size_units), out_bytes);
}

void config_value_print_number(enum config_type type, uint64_t number,
                               char out[CONFIG_NUMBER_TEXT_MAX])
{
    struct units units = units_of(type);
    size_t i = 0;
    while (i + 1 < units.count && (number == 0 || number % units.list[i].factor != 0)) {
        i++;
    }
    char letter[2] = {units.list[i].letter, '\0'};
    (void)snprintf(out, CONFIG_NUMBER_TEXT_MAX, "%" PRIu64 "%s", number / units.list[i].factor,
                   letter);
}

/* Readers: `member` is the key's member of struct config; failures as config_value_set. */

static enum status read_number(const struct config_key *key, struct text value, void *member,
                               struct text *culprit)
{
    uint64_t number = 0;
    *culprit = value;
    if (parse_units(value, units_of(key->type), &number) != OK || number < key->min ||
        number > key->max) {
        return ERR_INPUT;
    }
    if (key->type == CONFIG_DURATION) {
        *(int64_t *)member = (int64_t)number;
    } else {
        *(uint64_t *)member = number;
    }
    return OK;
}

static const struct {
    enum config_type type;
    const char *name;
    int value;
} choices[] = {
    {CONFIG_STORE, "database", SESSION_STORE_DATABASE},
    {CONFIG_STORE, "cache", SESSION_STORE_CACHE},
    {CONFIG_STORE, "cookie", SESSION_STORE_COOKIE},
    {CONFIG_LEVEL, "error", LOG_LEVEL_ERROR},
    {CONFIG_LEVEL, "warning", LOG_LEVEL_WARNING},
    {CONFIG_LEVEL, "info", LOG_LEVEL_INFO},
    {CONFIG_LEVEL, "debug", LOG_LEVEL_DEBUG},
    {CONFIG_CONFINEMENT, "available", CONFINEMENT_AVAILABLE},
    {CONFIG_CONFINEMENT, "required", CONFINEMENT_REQUIRED},
    {CONFIG_CONFINEMENT, "off", CONFINEMENT_OFF},
    {CONFIG_SWITCH, "yes", true},
    {CONFIG_SWITCH, "no", false},
};

static enum status read_choice(const struct config_key *key, struct text value, void *member,
                               struct text *culprit)
{
    *culprit = value;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (choices[i].type != key->type || !text_is(value, choices[i].name)) {
            continue;
        }
        if (key->type == CONFIG_STORE) {
            *(enum session_store *)member = (enum session_store)choices[i].value;
        } else if (key->type == CONFIG_LEVEL) {
            *(enum log_level *)member = (enum log_level)choices[i].value;
        } else if (key->type == CONFIG_CONFINEMENT) {
            *(enum confinement_wish *)member = (enum confinement_wish)choices[i].value;
        } else {
            *(bool *)member = choices[i].value != 0;
        }
        return OK;
    }
    return ERR_INPUT;
}

/* Cookies, Location headers and the Host of a request are compared with these. */
static void lower_case(char *string)
{
    for (; *string != '\0'; string++) {
        *string = text_lower(*string);
    }
}

static bool is_wellformed(const struct config_key *key, struct text value)
{
    if (value.len == 0 && key->min == 0) {
        return true;
    }
    switch (key->type) {
    case CONFIG_FOLDER:
        return value.data[0] == '/';
    case CONFIG_MOUNT:
        return config_is_mount(value);
    case CONFIG_DOMAIN:
        return config_is_domain(value);
    case CONFIG_DATABASE:
        return config_is_database(value);
    case CONFIG_ORIGIN:
        return config_is_origin(value);
    case CONFIG_ACCOUNT:
        return config_is_account(value);
    case CONFIG_TEXT:
    case CONFIG_HOSTS:
    case CONFIG_PROXIES:
    case CONFIG_STORE:
    case CONFIG_LEVEL:
    case CONFIG_CONFINEMENT:
    case CONFIG_SWITCH:
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        break;
    }
    return true;
}

static enum status read_string(const struct config_key *key, struct text value, void *member,
                               struct text *culprit)
{
    char **string = member;
    *culprit = value;
    if (value.len < key->min || value.len > key->max || !is_wellformed(key, value)) {
        return ERR_INPUT;
    }
    char *copy = strndup(value.len > 0 ? value.data : "", value.len);
    if (copy == NULL) {
        return ERR_MEMORY;
    }
    if (key->type == CONFIG_DOMAIN) {
        lower_case(copy);
    }
    free(*string);
    *string = copy;
    return OK;
}

static void clear_list(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    *list = (struct config_list){0};
}

static struct text next_word(struct text *rest)
{
    size_t start = 0;
    while (start < rest->len && strchr(" \t,", rest->data[start]) != NULL) {
        start++;
    }
    size_t end = start;
    while (end < rest->len && strchr(" \t,", rest->data[end]) == NULL) {
        end++;
    }
    struct text word = {rest->data + start, end - start};
    *rest = (struct text){rest->data + end, rest->len - end};
    return word;
}

static enum status read_list(const struct config_key *key, struct text value, void *member,
                             struct text *culprit)
{
    struct config_list *list = member;
    struct config_list found = {0};
    struct text rest = value;
    bool (*is_item)(struct text) =
        key->type == CONFIG_PROXIES ? config_is_proxy : config_is_return_host;
    for (struct text word = next_word(&rest); word.len > 0; word = next_word(&rest)) {
        *culprit = word;
        if (!is_item(word) || found.count == CONFIG_LIST_MAX) {
            clear_list(&found);
            return ERR_INPUT;
        }
        found.items[found.count] = strndup(word.data, word.len);
        if (found.items[found.count] == NULL) {
            clear_list(&found);
            return ERR_MEMORY;
        }
        lower_case(found.items[found.count++]);
    }
    clear_list(list);
    *list = found;
    return OK;
}

static const struct {
    enum status (*read)(const struct config_key *key, struct text value, void *member,
                        struct text *culprit);
    const char *form; /* what may be written, without limits */
} types[] = {
    [CONFIG_TEXT] = {read_string, "text without quotation marks"},
    [CONFIG_FOLDER] = {read_string, "an absolute path, as /srv/latchkey"},
    [CONFIG_MOUNT] = {read_string, "a path as /auth: letters, digits and -._~ between single "
                                   "slashes, no slash at the end"},
    [CONFIG_DOMAIN] = {read_string, "a host name as example.org, no dot in front"},
    [CONFIG_DATABASE] = {read_string, "sqlite: and the path of a file, as sqlite:latchkey.db"},
    [CONFIG_ORIGIN] = {read_string, "a site's address as https://example.org, without a path"},
    [CONFIG_ACCOUNT] = {read_string, "a name of the system's users or groups, as www-data"},
    [CONFIG_HOSTS] = {read_list, "up to 32 words as example.org, example.org:8443 or "
                                 "*.example.org, with spaces or commas between"},
    [CONFIG_PROXIES] = {read_list, "up to 32 words as 192.0.2.1, 10.0.0.0/8, 2001:db8::/32 or "
                                   "unix:, with spaces or commas between"},
    [CONFIG_STORE] = {read_choice, "database, cache or cookie"},
    [CONFIG_LEVEL] = {read_choice, "error, warning, info or debug"},
    [CONFIG_CONFINEMENT] = {read_choice, "available, required or off"},
    [CONFIG_SWITCH] = {read_choice, "yes or no"},
    [CONFIG_NUMBER] = {read_number, "a number"},
    [CONFIG_SIZE] = {read_number, "a size as 500, 64K, 19M or 1G"},
    [CONFIG_DURATION] = {read_number, "a duration as 90s, 30m, 12h or 30d"},
};

_Static_assert(CONFIG_LIST_MAX == 32, "the forms of lists say 32");

static void *member_of(const struct config_key *key, struct config *config)
{
    return (char *)config + key->offset;
}

enum status config_value_set(const struct config_key *key, struct text value, struct config *config,
                             struct text *culprit)
{
    return types[key->type].read(key, value, member_of(key, config), culprit);
}

enum status config_value_set_default(const struct config_key *key, struct config *config)
{
    struct text culprit = {0};
    if (key->per_core == 0) {
        return config_value_set(key, text_of(key->fallback), config, &culprit);
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t number = (cores < 1 ? 1 : (uint64_t)cores) * key->per_core;
    *(uint64_t *)member_of(key, config) = number > key->max ? key->max : number;
    return OK;
}

void config_value_clear(const struct config_key *key, struct config *config)
{
    void *member = member_of(key, config);
    if (types[key->type].read == read_list) {
        clear_list(member);
    } else if (types[key->type].read == read_string) {
        free(*(char **)member);
        *(char **)member = NULL;
    }
}

void config_value_print_form(const struct config_key *key, char *out, size_t size)
{
    const char *form = types[key->type].form;
    if (types[key->type].read == read_number) {
        char min[CONFIG_NUMBER_TEXT_MAX];
        char max[CONFIG_NUMBER_TEXT_MAX];
        config_value_print_number(key->type, key->min, min);
        config_value_print_number(key->type, key->max, max);
        (void)snprintf(out, size, "%s, from %s to %s", form, min, max);
    } else if (types[key->type].read == read_string) {
        (void)snprintf(out, size, "%s (up to %" PRIu64 " bytes)%s", form, key->max,
                       key->min == 0 ? ", or nothing" : "");
    } else {
        (void)snprintf(out, size, "%s", form);
    }
}
