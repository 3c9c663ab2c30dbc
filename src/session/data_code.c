/* The map of what a session remembers, as bytes (drawn in the header) and back.
 *
 * Each map has one spelling: names in order, each once, nothing left over. The reader refuses every
 * other, for only what session_data_encode wrote is sealed, so anything else is a fault of ours. */
#include "session/data_code.h"

#include <string.h>

#include "base/bytes.h"

#define VALUE_LEN_BYTES 2     /* how much the length of a value takes */
#define VALUE_MAX_BYTES 65535 /* and what it can say */

enum status session_data_encode(const struct session_data *data, uint8_t *out, size_t room,
                                size_t *len)
{
    struct text name = {0};
    size_t used = 0;
    *len = session_data_bytes(data) + SESSION_DATA_FRAME_BYTES * session_data_count(data);
    if (*len > room || room > VALUE_MAX_BYTES) {
        return ERR_TOO_LARGE;
    }
    while ((name = session_data_next(data, name)).data != NULL) {
        struct text value = session_data_get(data, name);
        out[used++] = (uint8_t)name.len;
        bytes_put_number(out + used, value.len, VALUE_LEN_BYTES);
        used += VALUE_LEN_BYTES;
        memcpy(out + used, name.data, name.len);
        used += name.len;
        memcpy(out + used, value.data, value.len);
        used += value.len;
    }
    return OK;
}

/* Cuts one entry off the front of *rest. */
static bool cut_entry(struct text *rest, struct text *name, struct text *value)
{
    if (rest->len < SESSION_DATA_FRAME_BYTES) {
        return false;
    }
    const uint8_t *lengths = (const uint8_t *)rest->data;
    name->len = lengths[0];
    value->len = (size_t)bytes_get_number(lengths + 1, VALUE_LEN_BYTES);
    *rest = text_from(*rest, SESSION_DATA_FRAME_BYTES);
    if (rest->len < name->len + value->len) {
        return false;
    }
    name->data = rest->data;
    value->data = rest->data + name->len;
    *rest = text_from(*rest, name->len + value->len);
    return true;
}

enum status session_data_decode(struct session_data *data, const uint8_t *bytes, size_t len)
{
    struct text rest = {(const char *)bytes, len};
    struct text name = {0};
    struct text value = {0};
    struct text last = {0};
    enum status status = OK;
    while (rest.len > 0 && status == OK) {
        if (!cut_entry(&rest, &name, &value) || !session_data_name_is_valid(name) ||
            text_compare(last, name) >= 0) {
            status = ERR_INPUT;
        } else {
            status = session_data_put_read(data, name, value);
            last = name;
        }
    }
    if (status != OK) {
        session_data_clear(data);
    }
    return status;
}
