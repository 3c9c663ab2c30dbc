/* Rows on standard output. That they cannot be written shows when standard output is flushed, at
 * the end of the command. */
#include "cli/listing.h"

#include <stdio.h>

#include "base/log.h"

struct listing listing_init(const struct options *options)
{
    return (struct listing){.json = (options->given & OPTION_JSON) != 0};
}

bool listing_add_json(struct listing *listing, struct buffer *object)
{
    if (object->failed) {
        listing->failed = true;
    } else {
        (void)printf("%s  %s", listing->count == 0 ? "[\n" : ",\n", object->data);
        listing->count++;
    }
    buffer_clear(object);
    return !listing->failed;
}

/* Without spaces after the last. */
static void print_cell(const struct listing_column *column, size_t i, const char *text)
{
    (void)printf("%s%*s", i == 0 ? "" : "  ", column[i + 1].heading != NULL ? column[i].width : 0,
                 text);
}

void listing_add_row(struct listing *listing, const struct listing_column *columns,
                     const char *const *cells)
{
    char clean[LISTING_CELL_MAX + 1];
    if (listing->count++ == 0) {
        for (size_t i = 0; columns[i].heading != NULL; i++) {
            print_cell(columns, i, columns[i].heading);
        }
        (void)putchar('\n');
    }
    for (size_t i = 0; columns[i].heading != NULL; i++) {
        text_copy_clean(text_of(cells[i]), clean, sizeof clean);
        print_cell(columns, i, clean);
    }
    (void)putchar('\n');
}

const char *listing_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

enum status listing_close(const struct listing *listing, const char *sentence)
{
    if (listing->failed) {
        log_error("not enough memory for the list");
        return ERR_MEMORY;
    }
    if (listing->json) {
        (void)puts(listing->count == 0 ? "[]" : "\n]");
    } else if (listing->count == 0) {
        (void)puts(sentence);
    }
    return OK;
}
