/* The map of what a session remembers, from the rows of a store and back.
 *
 * Only what was changed is written, name by name: another program may save other names of the same
 * session meanwhile, and neither may undo what the other did. What was written counts as kept only
 * when all of it is in the store. */
#include "session/data_rows.h"

#include <stdlib.h>

struct loading {
    struct session_data *data;
    enum status status;
};

static bool load_row(void *context, struct text name, struct text value)
{
    struct loading *loading = context;
    loading->status = session_data_put_read(loading->data, name, value);
    return loading->status == OK;
}

enum status session_data_load(struct session_data *data, struct store *store,
                              const uint8_t key[SESSION_KEY_BYTES])
{
    struct loading loading = {.data = data};
    enum status status = session_data_list(store, key, load_row, &loading);
    if (status == OK) {
        status = loading.status;
    }
    if (status != OK) {
        session_data_clear(data);
    }
    return status;
}

enum status session_data_save(struct session_data *data, struct store *store,
                              const uint8_t key[SESSION_KEY_BYTES], uint64_t limit,
                              uint64_t *excess)
{
    size_t count = session_data_list_changes(data, NULL, 0);
    struct session_change *items = calloc(count + 1, sizeof *items); /* never of no size */
    if (items == NULL) {
        return ERR_MEMORY;
    }
    const struct session_changes changes = {
        .items = items,
        .count = session_data_list_changes(data, items, count),
    };
    enum status status = session_data_apply(store, key, &changes, limit, excess);
    if (status == OK) {
        session_data_keep(data);
    }
    free(items);
    return status;
}
