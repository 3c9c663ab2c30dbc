/* Rows on standard output: a table for people, or with --json an array of objects, one a line. */
#ifndef LATCHKEY_CLI_LISTING_H
#define LATCHKEY_CLI_LISTING_H

#include "base/json.h"
#include "cli/options.h"

#define LISTING_CELL_MAX 1024 /* bytes; what is longer is cut */

/* A column of a table; after the last one stands one with the heading NULL. */
struct listing_column {
    const char *heading;
    int width; /* in bytes, at least; negative: filled up on the right. The last is as it comes */
};

struct listing {
    bool json;
    bool failed;  /* a row could not be made */
    size_t count; /* rows so far */
};

/* A listing as the options ask for it. */
struct listing listing_init(const struct options *options);

/* Adds a row: the object in the buffer, which is cleared. Whether it is worth going on. */
bool listing_add_json(struct listing *listing, struct buffer *object) MUST_USE;

/* Adds a row of the table, one cell for each column, below the headings. Whatever the database
 * holds is fit for terminals then, see text_copy_clean. */
void listing_add_row(struct listing *listing, const struct listing_column *columns,
                     const char *const *cells);

/* The text, or a dash for an empty one. */
const char *listing_dash(const char *text);

/* Ends the array, or tells people in a sentence that there were no rows. ERR_MEMORY (logged) when
 * rows are missing. */
enum status listing_close(const struct listing *listing, const char *sentence) MUST_USE;

#endif
