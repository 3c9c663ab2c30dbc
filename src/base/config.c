/* The configuration file.
 *
 * libinih reads it, but is not trusted with what would be lost in silence. It cuts lines that are
 * longer than its buffer, takes an indented line for the rest of the value above, ignores what
 * follows a section's bracket, does not tell of a section without keys, and stops at a NUL as if
 * the line ended there. So it gets its lines from here, one by one, each checked and without
 * blanks around it; and a line is counted here, so that every message can name it.
 *
 * Form: UTF-8 text, a byte order mark at the start allowed, lines ended by LF or CR LF. A line is
 * empty, `[section]`, `key = value` (or `key: value`), or a comment that begins with ';' or '#'. A
 * ';' after a blank begins a comment, too. A value stands on one line and has no quotation marks.
 * Each key is given once at most; whatever is not understood stops the program, for a misspelt
 * limit that was skipped would be a door left open.
 *
 * What this does not protect: it does not ask who may write the file. Whoever may decides where the
 * secrets are, so it belongs to root. */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_value.h"
#include "base/file.h"

#define FILE_MAX        ((size_t)256 * 1024)
#define CONFIG_LINE_MAX 4096
#define INIH_SPARE      3 /* CR, LF and NUL have room in libinih's buffer, too */
#define SHOWN_MAX       200
#define CLAUSE_MAX      320

/* The reading of one file. */
struct reading {
    struct config *config;
    const char *path;
    struct text rest;              /* what libinih has not seen yet */
    size_t line;                   /* the one that it saw last, counted from 1 */
    size_t given[CONFIG_KEYS_MAX]; /* the line of each key of the table; 0: not yet */
    char *error;                   /* CONFIG_ERROR_MAX */
    enum status status;            /* the first failure ends the reading */
};

/* Notes a failure of the present line; answers 0, as libinih wants it from its handler. What it
 * repeats of the file may hold anything that check_bytes lets pass, or end within a character, and
 * goes to a terminal: it is cleaned. */
static int refuse(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct reading *reading, const char *format, ...)
{
    char sentence[CONFIG_ERROR_MAX];
    size_t path_len = strlen(reading->path);
    const char *path = reading->path + (path_len > SHOWN_MAX ? path_len - SHOWN_MAX : 0);
    int len = snprintf(sentence, sizeof sentence, "%s:%zu: ", path, reading->line);
    if (len > 0 && len < CONFIG_ERROR_MAX) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(sentence + len, sizeof sentence - (size_t)len, format, arguments);
        va_end(arguments);
    }
    text_copy_clean(text_of(sentence), reading->error, CONFIG_ERROR_MAX);
    reading->status = ERR_INPUT;
    return 0;
}

static bool is_comment(struct text text)
{
    return text.len > 0 && (text.data[0] == ';' || text.data[0] == '#');
}

/* Whether a line holds nothing that an editor would not show. */
static bool check_bytes(struct reading *reading, struct text line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char byte = (unsigned char)line.data[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return refuse(reading,
                          "a control character (0x%02x) at byte %zu; save the file as plain UTF-8 "
                          "text",
                          byte, i + 1) != 0;
        }
    }
    if (!text_is_utf8(line)) {
        return refuse(reading, "not UTF-8; save the file as plain UTF-8 text") != 0;
    }
    return true;
}

/* Whether a line that begins with '[' names a section and nothing else. */
static bool check_section(struct reading *reading, struct text line)
{
    char name[64] = "";
    struct text behind = text_from(line, 1);
    struct text inside = text_cut(&behind, ']');
    if (behind.data == NULL) {
        return refuse(reading, "a section without its ]; write [section]") != 0;
    }
    behind = text_trim(behind);
    if (behind.len > 0 && !is_comment(behind)) {
        return refuse(reading, "more after [section]; write it on a line of its own") != 0;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)inside.len, inside.data);
    if (inside.len >= sizeof name || !config_key_has_section(name)) {
        char clause[CLAUSE_MAX];
        config_key_suggest_section(name, clause, sizeof clause);
        return refuse(reading, "unknown section [%s]; %s", name, clause) != 0;
    }
    return true;
}

/* An ini_reader: gives libinih the next line, or NULL at the end and after a failure. */
static char *give_line(char *out, int room, void *stream)
{
    struct reading *reading = stream;
    if (reading->status != OK || reading->rest.len == 0) {
        return NULL;
    }
    struct text line = text_cut(&reading->rest, '\n');
    reading->line++;
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    if (!check_bytes(reading, line)) {
        return NULL;
    }
    line = text_trim(line);
    if (room <= INIH_SPARE || line.len > (size_t)(room - INIH_SPARE)) {
        (void)refuse(reading, "a line of more than %d bytes; make it shorter", room - INIH_SPARE);
        return NULL;
    }
    if (line.len > 0 && line.data[0] == '[' && !check_section(reading, line)) {
        return NULL;
    }
    memcpy(out, line.len > 0 ? line.data : "", line.len);
    out[line.len] = '\0';
    return out;
}

static int set_value(struct reading *reading, const struct config_key *key, struct text value)
{
    struct text culprit = {0};
    enum status status = config_value_set(key, value, reading->config, &culprit);
    if (status == ERR_INPUT) {
        char form[CLAUSE_MAX];
        config_value_print_form(key, form, sizeof form);
        bool has_hash = text_has_byte(value, '#');
        return refuse(reading, "%s.%s cannot be \"%.*s\"; write %s%s", key->section, key->name,
                      culprit.len > 60 ? 60 : (int)culprit.len, culprit.data, form,
                      has_hash ? " (a comment behind a value begins with ;)" : "");
    }
    if (status != OK) {
        reading->status = status;
        return 0;
    }
    if (key->set_offset != 0) {
        *(bool *)((char *)reading->config + key->set_offset) = true;
    }
    return 1;
}

/* An ini_handler. */
static int take_value(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    if (reading->status != OK || value == NULL) {
        return 0;
    }
    if (section[0] == '\0') {
        return refuse(reading, "%.60s stands before any section; write [section] above it", name);
    }
    const struct config_key *key = config_key_find(section, name);
    if (key == NULL) {
        char clause[CLAUSE_MAX];
        config_key_suggest(section, name, clause, sizeof clause);
        return refuse(reading, "unknown key %.60s in [%s]; %s", name, section, clause);
    }
    size_t *given = &reading->given[key - config_keys];
    if (*given != 0) {
        return refuse(reading, "%s.%s is given twice, first in line %zu; keep one of them", section,
                      name, *given);
    }
    *given = reading->line;
    if (value[0] == '"' || value[0] == '\'') {
        return refuse(reading, "%s.%s has quotation marks; write the value without them", section,
                      name);
    }
    return set_value(reading, key, text_of(value));
}

static enum status parse(struct reading *reading)
{
    const struct text mark = TEXT("\xef\xbb\xbf"); /* a byte order mark */
    (void)text_cut_prefix(&reading->rest, mark);
    if (text_has_prefix(text_trim(reading->rest), mark)) {
        reading->line = 1; /* libinih would pass over this one */
        (void)refuse(reading,
                     "a byte order mark behind the start; let the file begin with [section]");
        return reading->status;
    }
    ini_max_line = CONFIG_LINE_MAX + INIH_SPARE;
    int outcome = ini_parse_stream(give_line, reading, take_value, reading);
    /* libinih goes on after a line that it cannot read, and answers with the first such line. */
    if (outcome > 0 && (reading->status == OK || (size_t)outcome < reading->line)) {
        reading->line = (size_t)outcome;
        (void)refuse(reading, "neither [section] nor key = value; a value stands on one line, a "
                              "comment begins with ; or #");
    }
    return outcome < 0 ? ERR_MEMORY : reading->status;
}

static enum status read_file(struct config *config, char error[CONFIG_ERROR_MAX])
{
    struct buffer content;
    buffer_init(&content, FILE_MAX);
    enum status status = file_read(config->path, &content);
    int cause = errno;
    if (status == OK) {
        struct reading reading = {
            .config = config, .path = config->path, .error = error, .rest = buffer_text(&content)};
        status = parse(&reading);
    } else if (status == ERR_TOO_LARGE) {
        (void)snprintf(error, CONFIG_ERROR_MAX,
                       "%.*s: larger than %zu bytes; is it the right file?", SHOWN_MAX,
                       config->path, FILE_MAX);
    } else if (status == ERR_NOT_FOUND) {
        (void)snprintf(error, CONFIG_ERROR_MAX,
                       "%.*s: no such file; name another with -c or LATCHKEY_CONFIG", SHOWN_MAX,
                       config->path);
    } else if (status == ERR_SYSTEM) {
        (void)snprintf(error, CONFIG_ERROR_MAX,
                       "%.*s: %s; it must be a regular file that this program may read", SHOWN_MAX,
                       config->path, strerror(cause));
    }
    buffer_clear(&content);
    return status;
}

/* <folder>/<name>, or the name alone when it is a whole path; NULL without memory. */
static char *join(const char *folder, const char *name)
{
    if (name[0] == '/') {
        return strdup(name);
    }
    size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = malloc(size);
    if (path != NULL) {
        (void)snprintf(path, size, "%s/%s", folder, name);
    }
    return path;
}

/* Everything that may be needed later is made here, so that asking for it cannot fail. */
static enum status derive_paths(struct config *config)
{
    assert(config->database.url != NULL); /* the table has a default for each key */
    const char *colon = strchr(config->database.url, ':');
    config->database_path = join(config->state.directory, colon == NULL ? "" : colon + 1);
    config->secret_path = join(config->state.directory, "secret");
    config->generation_path = join(config->state.run_directory, "generation");
    config->cache_path = join(config->state.run_directory, "cache.db");
    config->hash_line_path = join(config->state.run_directory, "hashing");
    bool is_whole = config->database_path != NULL && config->secret_path != NULL &&
                    config->generation_path != NULL && config->cache_path != NULL &&
                    config->hash_line_path != NULL;
    return is_whole ? OK : ERR_MEMORY;
}

static enum status set_defaults(struct config *config)
{
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        enum status status = config_value_set_default(key, config);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static enum status fill(struct config *config, const char *path, char error[CONFIG_ERROR_MAX])
{
    const char *variable = getenv("LATCHKEY_CONFIG");
    const char *named = path != NULL ? path : variable;
    bool is_named = path != NULL || (variable != NULL && variable[0] != '\0');
    config->path = strdup(is_named ? named : CONFIG_DEFAULT_PATH);
    enum status status = config->path == NULL ? ERR_MEMORY : set_defaults(config);
    if (status != OK) {
        return status;
    }
    status = read_file(config, error);
    if (status == ERR_NOT_FOUND && !is_named) {
        free(config->path);
        config->path = NULL;
        status = OK;
    }
    return status == OK ? derive_paths(config) : status;
}

enum status config_load(const char *path, struct config **out, char error[CONFIG_ERROR_MAX])
{
    *out = NULL;
    error[0] = '\0';
    struct config *config = calloc(1, sizeof *config);
    enum status status = config == NULL ? ERR_MEMORY : fill(config, path, error);
    if (status == OK) {
        error[0] = '\0';
        *out = config;
        return OK;
    }
    if (error[0] == '\0') {
        (void)snprintf(error, CONFIG_ERROR_MAX, "configuration: %s", status_text(status));
    }
    config_free(&config);
    return status;
}

void config_free(struct config **config)
{
    if (*config == NULL) {
        return;
    }
    for (const struct config_key *key = config_keys; key->section != NULL; key++) {
        config_value_clear(key, *config);
    }
    free((*config)->path);
    free((*config)->database_path);
    free((*config)->secret_path);
    free((*config)->generation_path);
    free((*config)->cache_path);
    free((*config)->hash_line_path);
    free(*config);
    *config = NULL;
}

const char *config_database_path(const struct config *config)
{
    return config->database_path;
}

const char *config_generation_path(const struct config *config)
{
    return config->generation_path;
}

const char *config_secret_path(const struct config *config)
{
    return config->secret_path;
}

const char *config_cache_path(const struct config *config)
{
    return config->cache_path;
}

const char *config_hash_line_path(const struct config *config)
{
    return config->hash_line_path;
}

const char *config_cookie_name(const struct config *config)
{
    if (!config->session.secure_cookie) {
        return "latchkey"; /* browsers refuse both prefixes without Secure */
    }
    return config->session.cookie_domain[0] != '\0' ? "__Secure-latchkey" : "__Host-latchkey";
}

const char *config_device_cookie_name(const struct config *config)
{
    return config->session.secure_cookie ? "__Host-latchkey-device" : "latchkey-device";
}
