/* What a session remembers, as a program has it before itself: names and values, and which of them
 * were changed since they were read.
 *
 * A name is 1 to SESSION_DATA_NAME_MAX bytes of ASCII letters, digits, '.', '_' and '-'; a value is
 * any bytes, also none. */
#ifndef LATCHKEY_SESSION_DATA_H
#define LATCHKEY_SESSION_DATA_H

#include "store/session_data.h"

struct session_data;

/* Empty data. At most `room` bytes of names and values are held, for a program's memory's sake; the
 * limit of what may be saved is judged when it is saved. ERR_MEMORY. */
enum status session_data_new(size_t room, struct session_data **out) MUST_USE;

/* Wipes and frees; *data becomes NULL. NULL is allowed. */
void session_data_free(struct session_data **data);

bool session_data_name_is_valid(struct text name); /* whether it is as said above */

/* The value of a name, borrowed until the next change, and followed by a NUL; NULL data only when
 * there is none. */
struct text session_data_get(const struct session_data *data, struct text name);

/* Sets the value; both are copied. To set what is there already changes nothing. ERR_INPUT: no
 * valid name; ERR_TOO_LARGE: over the room; ERR_MEMORY; nothing changed then. */
enum status session_data_put(struct session_data *data, struct text name, struct text value)
    MUST_USE;

/* Takes the name away. ERR_NOT_FOUND: it was not there. */
enum status session_data_drop(struct session_data *data, struct text name) MUST_USE;

/* The first name after `after` in order of bytes (after "": the first of all), borrowed until it is
 * dropped; NULL data at the end. `after` itself need not be there any more. */
struct text session_data_next(const struct session_data *data, struct text after);

/* How many names there are, and bytes of all names and values together. */
size_t session_data_count(const struct session_data *data);
size_t session_data_bytes(const struct session_data *data);

/* Whether anything differs from what was read or last kept. */
bool session_data_is_changed(const struct session_data *data);

/* What is there now counts as read from here on; and the reverse: everything is again as it was
 * read. Reverting needs no memory. */
void session_data_keep(struct session_data *data);
void session_data_revert(struct session_data *data);

/* Lists what differs from what was read or last kept, the first `room` of it: names and present
 * values, borrowed until the next change. Returns how many there are. */
size_t session_data_list_changes(const struct session_data *data, struct session_change *out,
                                 size_t room);

/* For what reads data from where it is kept (data_rows.h, data_code.h): adds a value that counts as
 * read, whatever the room is now, for it was saved once. The name is valid and not there yet.
 * ERR_MEMORY. And: empties the data, which forgets what was read as well. */
enum status session_data_put_read(struct session_data *data, struct text name, struct text value)
    MUST_USE;
void session_data_clear(struct session_data *data);

#endif
