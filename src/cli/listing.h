/* Rows on standard output: a table for people, or with --json an array of objects, one a line. */
#ifndef LATCHKEY_CLI_LISTING_H
#define LATCHKEY_CLI_LISTING_H

#include <stdio.h>

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
    FILE *rows;   /* owned: a file without a name */
};

/* A listing as the options ask for it; close it whatever happens. Nothing is on standard output
 * before that, so that a reader who is slow, as a pager, does not keep the database being read. */
struct listing listing_init(const struct options *options);

/* Adds a row: the object in the buffer, which is cleared. Whether it is worth going on. */
bool listing_add_json(struct listing *listing, struct buffer *object) MUST_USE;

/* Adds a row of the table, one cell for each column, below the headings. Whatever the database
 * holds is fit for terminals then, see text_copy_clean. */
void listing_add_row(struct listing *listing, const struct listing_column *columns,
                     const char *const *cells);

/* The text, or a dash for an empty one. */
const char *listing_dash(const char *text);

/* If `status`, what became of reading, is OK: prints the rows, or tells people in a sentence that
 * there are none. Else prints nothing and returns it. ERR_MEMORY, ERR_SYSTEM (logged): not all rows
 * could be kept, and not all are printed. */
enum status listing_close(struct listing *listing, enum status status, const char *sentence)
    MUST_USE;

#endif
