/* The map of what a session remembers.
 *
 * Entries stand in order of their names, so that data_code.c gives them one spelling. An entry
 * holds two values, the one that was read and the present one, each of which may be absent; they
 * share their memory until the entry is changed. An entry that was dropped stays, without a present
 * value, until this is kept or reverted; so `bytes` counts present values only.
 *
 * Values may be anybody's secrets: all memory is wiped before it is freed. */
#include "session/data.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct value {
    char *bytes; /* owned, followed by a NUL; NULL: absent */
    size_t len;
};

struct entry {
    char name[SESSION_DATA_NAME_MAX + 1];
    size_t name_len;
    bool changed;       /* else both values are the same memory */
    struct value read;  /* as in the store */
    struct value value; /* as it is now */
};

struct session_data {
    struct entry *entries; /* in order of names */
    size_t count;
    size_t entries_room;
    size_t room;  /* bytes of names and present values that may be held */
    size_t bytes; /* that are held */
};

static void free_value(struct value *value)
{
    if (value->bytes != NULL) {
        secret_wipe(value->bytes, value->len);
        free(value->bytes);
    }
    *value = (struct value){0};
}

static enum status copy_value(struct text text, struct value *out)
{
    char *bytes = malloc(text.len + 1);
    if (bytes == NULL) {
        return ERR_MEMORY;
    }
    if (text.len > 0) {
        memcpy(bytes, text.data, text.len);
    }
    bytes[text.len] = '\0';
    out->bytes = bytes;
    out->len = text.len;
    return OK;
}

static struct text name_of(const struct entry *entry)
{
    return (struct text){entry->name, entry->name_len};
}

static struct text value_of(const struct value *value)
{
    return (struct text){value->bytes, value->len};
}

enum status session_data_new(size_t room, struct session_data **out)
{
    struct session_data *data = calloc(1, sizeof *data);
    if (data == NULL) {
        return ERR_MEMORY;
    }
    data->room = room;
    *out = data;
    return OK;
}

static void clear_entry(struct entry *entry)
{
    if (entry->changed) {
        free_value(&entry->read);
    }
    free_value(&entry->value);
}

void session_data_clear(struct session_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        clear_entry(&data->entries[i]);
    }
    data->count = 0;
    data->bytes = 0;
}

void session_data_free(struct session_data **data)
{
    if (*data != NULL) {
        session_data_clear(*data);
        if ((*data)->entries != NULL) {
            secret_wipe((*data)->entries, (*data)->entries_room * sizeof *(*data)->entries);
        }
        free((*data)->entries);
        free(*data);
        *data = NULL;
    }
}

bool session_data_name_is_valid(struct text name)
{
    return name.len > 0 && name.len <= SESSION_DATA_NAME_MAX && text_consists_of(name, "._-");
}

/* The place of the first entry whose name is not before `name`. */
static size_t find_place(const struct session_data *data, struct text name)
{
    size_t low = 0;
    size_t high = data->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text_compare(name_of(&data->entries[middle]), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct entry *find(const struct session_data *data, struct text name)
{
    size_t place = find_place(data, name);
    bool found = place < data->count && text_equal(name_of(&data->entries[place]), name);
    return found ? &data->entries[place] : NULL;
}

/* Entries are moved by hand, so that no copy of a name is left in memory that was given back. */
static enum status grow(struct session_data *data)
{
    if (data->count < data->entries_room) {
        return OK;
    }
    size_t room = data->entries_room == 0 ? 8 : 2 * data->entries_room;
    struct entry *entries = calloc(room, sizeof *entries);
    if (entries == NULL) {
        return ERR_MEMORY;
    }
    if (data->count > 0) {
        memcpy(entries, data->entries, data->count * sizeof *entries);
        secret_wipe(data->entries, data->count * sizeof *entries);
    }
    free(data->entries);
    data->entries = entries;
    data->entries_room = room;
    return OK;
}

/* A new entry without values, in its place. The name may be part of another entry's. */
static enum status insert(struct session_data *data, struct text name, struct entry **out)
{
    struct entry new = {.name_len = name.len};
    size_t place = find_place(data, name);
    memcpy(new.name, name.data, name.len);
    enum status status = grow(data);
    if (status != OK) {
        return status;
    }
    struct entry *entry = &data->entries[place];
    memmove(entry + 1, entry, (data->count - place) * sizeof *entry);
    *entry = new;
    data->count++;
    *out = entry;
    return OK;
}

/* Takes away entries that have no value of either kind. */
static void sweep(struct session_data *data)
{
    size_t kept = 0;
    for (size_t i = 0; i < data->count; i++) {
        if (data->entries[i].value.bytes != NULL || data->entries[i].read.bytes != NULL) {
            data->entries[kept++] = data->entries[i];
        }
    }
    data->count = kept;
}

struct text session_data_get(const struct session_data *data, struct text name)
{
    const struct entry *entry = find(data, name);
    return entry != NULL ? value_of(&entry->value) : (struct text){0};
}

/* Bytes that an entry counts for. */
static size_t size_of(const struct entry *entry)
{
    return entry->value.bytes != NULL ? entry->name_len + entry->value.len : 0;
}

/* Gives an entry another present value, or none; takes it over. */
static void change(struct session_data *data, struct entry *entry, struct value value)
{
    data->bytes -= size_of(entry);
    if (entry->changed) {
        free_value(&entry->value);
    }
    entry->changed = true;
    entry->value = value;
    data->bytes += size_of(entry);
}

enum status session_data_put(struct session_data *data, struct text name, struct text value)
{
    struct value copy = {0};
    if (!session_data_name_is_valid(name)) {
        return ERR_INPUT;
    }
    struct entry *entry = find(data, name);
    if (entry != NULL && entry->value.bytes != NULL && text_equal(value_of(&entry->value), value)) {
        return OK;
    }
    size_t rest = data->bytes - (entry != NULL ? size_of(entry) : 0);
    if (rest + name.len > data->room || value.len > data->room - rest - name.len) {
        return ERR_TOO_LARGE;
    }
    enum status status = copy_value(value, &copy);
    if (status == OK && entry == NULL) {
        status = insert(data, name, &entry);
    }
    if (status == OK) {
        change(data, entry, copy);
    } else {
        free_value(&copy);
    }
    return status;
}

enum status session_data_put_read(struct session_data *data, struct text name, struct text value)
{
    struct entry *entry = NULL;
    struct value copy = {0};
    enum status status = copy_value(value, &copy);
    if (status == OK) {
        status = insert(data, name, &entry);
    }
    if (status == OK) {
        entry->value = copy;
        entry->read = copy;
        data->bytes += size_of(entry);
    } else {
        free_value(&copy);
    }
    return status;
}

enum status session_data_drop(struct session_data *data, struct text name)
{
    struct entry *entry = find(data, name);
    if (entry == NULL || entry->value.bytes == NULL) {
        return ERR_NOT_FOUND;
    }
    change(data, entry, (struct value){0});
    sweep(data);
    return OK;
}

struct text session_data_next(const struct session_data *data, struct text after)
{
    for (size_t i = find_place(data, after); i < data->count; i++) {
        const struct entry *entry = &data->entries[i];
        if (entry->value.bytes != NULL && !text_equal(name_of(entry), after)) {
            return name_of(entry);
        }
    }
    return (struct text){0};
}

size_t session_data_count(const struct session_data *data)
{
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++) {
        count += data->entries[i].value.bytes != NULL ? 1 : 0;
    }
    return count;
}

size_t session_data_bytes(const struct session_data *data)
{
    return data->bytes;
}

/* A value that was changed and changed back is no change. */
static bool is_changed(const struct entry *entry)
{
    return entry->changed && ((entry->read.bytes == NULL) != (entry->value.bytes == NULL) ||
                              !text_equal(value_of(&entry->read), value_of(&entry->value)));
}

bool session_data_is_changed(const struct session_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        if (is_changed(&data->entries[i])) {
            return true;
        }
    }
    return false;
}

size_t session_data_list_changes(const struct session_data *data, struct session_change *out,
                                 size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++) {
        const struct entry *entry = &data->entries[i];
        if (!is_changed(entry)) {
            continue;
        }
        if (count < room) {
            out[count] = (struct session_change){name_of(entry), value_of(&entry->value),
                                                 entry->value.bytes == NULL};
        }
        count++;
    }
    return count;
}

void session_data_keep(struct session_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        struct entry *entry = &data->entries[i];
        if (entry->changed) {
            free_value(&entry->read);
            entry->read = entry->value;
            entry->changed = false;
        }
    }
    sweep(data);
}

void session_data_revert(struct session_data *data)
{
    data->bytes = 0;
    for (size_t i = 0; i < data->count; i++) {
        struct entry *entry = &data->entries[i];
        if (entry->changed) {
            free_value(&entry->value);
            entry->value = entry->read;
            entry->changed = false;
        }
        data->bytes += size_of(entry);
    }
    sweep(data);
}
