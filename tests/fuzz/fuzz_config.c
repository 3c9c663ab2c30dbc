/* The configuration file.
 *
 * Promised: a file is taken whole or refused with one sentence that names the file and the line;
 * what was taken is within the limits that the table of keys states; written out again, key by key,
 * it is taken as the same. Nothing is lost in silence: each key that the file gives in plain words
 * is known, and no key counts twice. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config_value.h"

#define FILE_MAX ((size_t)1024 * 1024)

static char path[64]; /* of a file in memory that takes the place of each configuration */
static int descriptor = -1;

static void write_file(struct text content)
{
    if (descriptor < 0) {
        descriptor = memfd_create("latchkey.conf", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    fuzz_require(ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text_bytes(content),
                                                         content.len, 0) == (ssize_t)content.len,
                 "a file can be written");
}

/* The value of a key as a file would have it; nothing for a key that stands for its own default. */
static void print_list(struct buffer *out, const struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_print(out, "%s%s", i > 0 ? ", " : "", list->items[i]);
    }
}

static void print_value(struct buffer *out, const struct config_key *key, const void *member)
{
    static const char *const stores[] = {"database", "cache", "cookie"};
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    static const char *const wishes[] = {"available", "required", "off"};
    char number[CONFIG_NUMBER_TEXT_MAX];
    switch (key->type) {
    case CONFIG_HOSTS:
    case CONFIG_PROXIES:
        print_list(out, member);
        break;
    case CONFIG_STORE:
        buffer_add_string(out, stores[*(const enum session_store *)member]);
        break;
    case CONFIG_LEVEL:
        buffer_add_string(out, levels[*(const enum log_level *)member]);
        break;
    case CONFIG_CONFINEMENT:
        buffer_add_string(out, wishes[*(const enum confinement_wish *)member]);
        break;
    case CONFIG_SWITCH:
        buffer_add_string(out, *(const bool *)member ? "yes" : "no");
        break;
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        config_value_print_number(key->type, *(const uint64_t *)member, number);
        buffer_add_string(out, number);
        break;
    case CONFIG_TEXT:
    case CONFIG_FOLDER:
    case CONFIG_MOUNT:
    case CONFIG_DOMAIN:
    case CONFIG_DATABASE:
    case CONFIG_ORIGIN:
    case CONFIG_ACCOUNT:
    default:
        buffer_add_string(out, *(char *const *)member);
        break;
    }
}

static const void *member_of(const struct config *config, const struct config_key *key)
{
    return (const char *)config + key->offset;
}

static void print_config(struct buffer *out, const struct config *config)
{
    const char *section = "";
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        if (strcmp(key->section, section) != 0) {
            section = key->section;
            buffer_print(out, "[%s]\n", section);
        }
        /* No blank: it would make a comment of a value that begins with a semicolon. */
        buffer_print(out, "%s=", key->name);
        print_value(out, key, member_of(config, key));
        buffer_add_string(out, "\n");
    }
    fuzz_require(!out->failed, "there is memory");
}

/* Limits of the table, on what was read. */
static void check_limits(const struct config *config)
{
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        const void *member = member_of(config, key);
        uint64_t value = 0;
        if (key->max == 0 || key->per_core != 0) {
            continue;
        }
        if (key->type == CONFIG_NUMBER || key->type == CONFIG_SIZE ||
            key->type == CONFIG_DURATION) {
            value = *(const uint64_t *)member;
        } else {
            value = strlen(*(char *const *)member);
        }
        fuzz_require(value >= key->min && value <= key->max, "a value is within its limits");
    }
    fuzz_require(config->site.path[0] == '/' && config->state.directory[0] == '/' &&
                     config->state.run_directory[0] == '/',
                 "paths are whole");
}

static void check_again(const struct config *config)
{
    struct buffer first;
    struct buffer second;
    struct config *again = NULL;
    char error[CONFIG_ERROR_MAX];
    buffer_init(&first, FILE_MAX);
    buffer_init(&second, FILE_MAX);
    print_config(&first, config);
    write_file(buffer_text(&first));
    fuzz_require(config_load(path, &again, error) == OK, "a configuration can be written out");
    print_config(&second, again);
    fuzz_require(text_equal(buffer_text(&first), buffer_text(&second)),
                 "a configuration that is written out is the same");
    config_free(&again);
    buffer_clear(&first);
    buffer_clear(&second);
}

/* The index in the table of the key that a line gives; CONFIG_KEYS_MAX: there is none such. */
static size_t find_key(struct text section, struct text name)
{
    for (size_t i = 0; config_keys[i].section != NULL; i++) {
        if (text_is(section, config_keys[i].section) && text_is(name, config_keys[i].name)) {
            return i;
        }
    }
    return CONFIG_KEYS_MAX;
}

/* What stands before the first '=' or ':'; the whole line where there is neither. */
static struct text name_of(struct text line)
{
    size_t len = 0;
    while (len < line.len && line.data[len] != '=' && line.data[len] != ':') {
        len++;
    }
    return text_trim((struct text){line.data, len});
}

/* Each line that plainly gives a key gives one that there is, and that none before it gave. */
static void check_nothing_lost(struct text content)
{
    bool given[CONFIG_KEYS_MAX + 1] = {false};
    struct text section = {0};
    (void)text_cut_prefix(&content, TEXT("\xef\xbb\xbf"));
    while (content.len > 0) {
        struct text line = text_trim(text_cut(&content, '\n'));
        struct text name = name_of(line);
        if (text_cut_prefix(&line, TEXT("["))) {
            section = text_cut(&line, ']');
        } else if (name.len > 0 && name.len < line.len && text_consists_of(name, "_")) {
            size_t key = find_key(section, name);
            fuzz_require(key < CONFIG_KEYS_MAX, "no unknown key is passed over");
            fuzz_require(!given[key], "no key counts twice");
            given[key] = true;
        }
    }
}

bool fuzz_one(struct text input)
{
    struct config *config = NULL;
    char error[CONFIG_ERROR_MAX];
    write_file(input);
    enum status status = config_load(path, &config, error);
    if (status == OK) {
        fuzz_require(error[0] == '\0', "no words without a failure");
        check_limits(config);
        check_nothing_lost(input);
        check_again(config);
    } else {
        fuzz_require(config == NULL, "what is refused leaves nothing");
        fuzz_require(status == ERR_INPUT || input.len > (size_t)256 * 1024,
                     "a file that can be read is taken or refused for what it says");
        if (status == ERR_INPUT) {
            fuzz_check_place(error, path, fuzz_count_lines(input));
        }
    }
    config_free(&config);
    return status == OK;
}
